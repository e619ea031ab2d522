/** The line over the messages: where one is, how the bot is, and switches for the page. */

import { maySet } from "./channel_settings.js";
import { fill, h, keepFocus } from "./dom.js";
import { displayName, isDm, isForum, isThread } from "./entities.js";
import { icon } from "./icons.js";
import { plainText } from "./markdown.js";
import { below, openMenu } from "./menu.js";
import { avatar, channelTitle, namesOf } from "./people.js";

export class Header {
  constructor(element, { store, actions }) {
    Object.assign(this, { element, store, actions });
    for (const topic of ["current", "channels", "bot", "connection"]) store.on(topic, () => this.#redraw());
  }

  #redraw() {
    const focusOf = (focused) => `[aria-label="${CSS.escape(focused.getAttribute("aria-label") ?? "")}"]`;
    keepFocus(this.element, focusOf, () => this.#draw());
  }

  #draw() {
    const { store, actions } = this;
    const channel = store.channel(store.current);
    if (!channel) {
      fill(this.element, button("Show the channels", "menu", actions.toggleSidebar, "menu-button"), h("h1", {}, "No channel"));
      return;
    }
    const parent = isThread(channel) && store.channel(channel.parent_id);
    fill(
      this.element,
      button("Show the channels", "menu", actions.toggleSidebar, "menu-button"),
      h(
        "div",
        { class: "header-title" },
        parent &&
          h(
            "button",
            { class: "text-button", type: "button", onclick: () => actions.openChannel(parent.id) },
            `# ${parent.name}`,
          ),
        parent && h("span", { class: "header-slash", "aria-hidden": "true" }, "›"),
        h(
          "span",
          { class: "header-sign", "aria-hidden": "true" },
          isDm(channel) ? avatar(store.bot, "tiny") : parent ? icon("thread") : isForum(channel) ? icon("forum") : "#",
        ),
        h("h1", {}, channelTitle(channel, store)),
        channel.topic && h("span", { class: "header-topic" }, plainText(channel.topic, namesOf(store, () => null))),
      ),
      this.#status(),
      parent && button("Thread settings", "more", (event) => this.#threadMenu(event, channel)),
      isForum(channel) && button("New post", "edit", () => actions.createPost(channel)),
      !isDm(channel) && !parent && !isForum(channel) && button("Create thread", "thread", () => actions.createThread(null)),
      !isDm(channel) && !parent && maySet(channel) && button("Channel settings", "settings", () => actions.channelSettings(channel), "settings-button"),
      !isForum(channel) && button("Pinned messages", "pin", () => actions.showPins(channel), "pins-button"),
      button("Light or dark", "sun", actions.toggleTheme),
      this.#requestsButton(),
    );
  }

  #requestsButton() {
    const { toggleRequests, requestsShown } = this.actions;
    const element = button("Requests of the bot", "requests", toggleRequests, "requests-button");
    element.setAttribute("aria-expanded", String(requestsShown()));
    element.setAttribute("aria-controls", "requests");
    return element;
  }

  #status() {
    const { bot, botOnline, botActivity, connected } = this.store;
    if (!connected) return h("span", { class: "status lost", role: "status" }, "Reconnecting…");
    const text = `${displayName(bot)} is ${botOnline ? "online" : "offline"}`;
    return h(
      "span",
      { class: botOnline ? "status online" : "status offline", role: "status", title: botOnline && botActivity ? `${text}: ${botActivity}` : text },
      h("span", { class: "status-text" }, text),
    );
  }

  #threadMenu(event, thread) {
    const { archived, locked } = thread.thread_metadata ?? {};
    const change = (changes) => this.actions.changeThread(thread, changes);
    openMenu(
      below(event.currentTarget),
      [
        { label: "Rename thread", icon: "edit", run: () => this.actions.renameThread(thread) },
        {
          label: archived ? "Reopen thread" : "Archive thread",
          icon: "archive",
          run: () => change({ archived: !archived }),
        },
        { label: locked ? "Unlock thread" : "Lock thread", run: () => change({ locked: !locked }) },
      ],
      { label: "Thread" },
    );
  }
}

function button(label, name, onclick, id) {
  return h(
    "button",
    { type: "button", class: "icon-button", id, "aria-label": label, title: label, onclick },
    icon(name),
  );
}
