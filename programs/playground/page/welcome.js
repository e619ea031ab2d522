/** What an empty channel says: what this is, and three things to try. */

import { fill, h } from "./dom.js";
import { displayName, isDm, isForum, isThread } from "./entities.js";
import { forumView } from "./forum.js";
import { avatar, channelTitle } from "./people.js";

const EXAMPLES = [
  "What's the weather like in San Francisco?",
  "Can you calculate 24*7 for me?",
  "Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'",
];

/** Keep `element` showing a welcome while the current channel has no messages. */
export function attachWelcome(element, { store, actions }) {
  const draw = () => {
    const channel = store.channel(store.current);
    const messages = store.messages(store.current);
    element.hidden = channel ? messages === null || messages.length > 0 : !store.me;
    fill(element, !element.hidden && views(channel, { store, actions }));
  };
  for (const topic of ["current", "messages", "channels", "bot"]) store.on(topic, draw);
}

function views(channel, { store, actions }) {
  if (!channel) return [h("h2", {}, "No channel"), h("p", {}, "There is none here that you may see.")];
  return isForum(channel) ? forumView(channel, { store, actions }) : content(channel, store, actions);
}

function content(channel, store, actions) {
  const bot = displayName(store.bot);
  const direct = isDm(channel);
  const use = (prompt) => {
    actions.send(prompt);
    actions.focusComposer();
  };
  const mention = direct ? "" : `<@${store.bot.id}> `;
  return [
    h("div", { class: "welcome-sign" }, direct ? avatar(store.bot) : h("span", { "aria-hidden": "true" }, "#")),
    h("h2", {}, direct || isThread(channel) ? channelTitle(channel, store) : `Welcome to #${channel.name}`),
    h(
      "p",
      {},
      direct
        ? `Here you talk with ${bot} alone: write, and it answers.`
        : `Mention @${bot} and it answers; type / for its commands. For example:`,
    ),
    h(
      "div",
      { class: "chips" },
      EXAMPLES.map((text) =>
        h(
          "button",
          { class: "chip", type: "button", onclick: () => use(mention + text) },
          !direct && h("span", { class: "mention" }, `@${bot}`),
          " ",
          text,
        ),
      ),
    ),
  ];
}
