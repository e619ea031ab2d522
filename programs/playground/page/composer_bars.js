/** The bars over the message box: the command being written, and the message being answered. */

import { takesFile } from "./commands.js";
import { h } from "./dom.js";
import { displayName } from "./entities.js";
import { icon } from "./icons.js";

/** The command, its options with the `active` one marked, and what that is for. */
export function hintViews({ invocation, active }) {
  return [
    h("strong", {}, `/${invocation.name}`),
    invocation.options.map((option) =>
      h(
        "span",
        { class: option === active ? "hint-option active" : "hint-option" },
        takesFile(option) && "+ ",
        option.name,
        option.required && h("span", { class: "required" }, " *"),
      ),
    ),
    h("span", { class: "hint-text" }, active ? active.description : invocation.description),
  ];
}

/** Whom one answers, whether that pings them (`toggle` changes it), and the way out. */
export function replyViews({ message, ping }, { toggle, cancel }) {
  return [
    h("span", {}, "Replying to ", h("strong", {}, displayName(message.author))),
    h(
      "button",
      {
        type: "button",
        class: ping ? "ping on" : "ping",
        "aria-pressed": String(ping),
        onclick: toggle,
        title: "Whether the author is notified",
      },
      ping ? "@ on" : "@ off",
    ),
    h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "Cancel the reply", onclick: cancel },
      icon("close"),
    ),
  ];
}
