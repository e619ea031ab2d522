/** What one can do with a message: the bar that follows the pointer and the focus, and the context menu. */

import { h } from "./dom.js";
import { isDm, isEphemeral, isSpoken, isThread, MAY, permits } from "./entities.js";
import { icon } from "./icons.js";
import { traceAddress } from "./logs.js";
import { below, openMenu } from "./menu.js";
import { toast } from "./toast.js";
import { openUserMenu } from "./user_menu.js";

const EMOJI = [
  "👍",
  "👎",
  "❤️",
  "😂",
  "😮",
  "😢",
  "🎉",
  "🙏",
  "👀",
  "✅",
  "❌",
  "🔥",
  "🤔",
  "💯",
  "🚀",
  "☕",
  "🐛",
  "⭐",
];
const MESSAGE_COMMAND = 3;

/** Bring the toolbar and the context menu to every message of `list`. */
export function attachToolbar(list, { store, actions }) {
  const bar = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" });
  const messageOf = (element) => store.message(store.current, element.dataset.messageId);
  const showAt = (event) => {
    const element = event.target.closest(".message");
    const message = element && !element.contains(bar) && messageOf(element);
    if (!message) return;
    bar.replaceChildren(...buttons(message, { store, actions }));
    element.append(bar);
  };
  list.addEventListener("pointerover", showAt);
  list.addEventListener("focusin", showAt);
  list.addEventListener("contextmenu", (event) => {
    const element = event.target.closest(".message");
    if (!element || event.target.closest("a, textarea") || String(getSelection())) return;
    event.preventDefault();
    const { left, top } = element.getBoundingClientRect();
    const message = messageOf(element);
    const point = event.clientX ? { x: event.clientX, y: event.clientY } : { x: left + 80, y: top + 20 };
    if (event.target.closest(".author-name, .avatar")) openUserMenu(point, message.author, { store, actions });
    else openMenu(point, menuItems(message, { store, actions }, point), { label: "Message" });
  });
}

/** Runs `use` with the message as it is by then: it may have been edited or deleted since its menu was made. */
function latest({ channel_id: channelId, id }, store, use) {
  return (...given) => {
    const message = store.message(channelId, id);
    if (message) use(message, ...given);
    else toast("This message was deleted.", "note");
  };
}

function buttons(message, context) {
  const { store, actions } = context;
  const onLatest = (use) => latest(message, store, use);
  const button = (label, name, run) =>
    h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: run }, icon(name));
  const items = [];
  if (!isEphemeral(message)) {
    items.push(button("Add reaction", "react", (event) => pickEmoji(below(event.currentTarget), message, actions)));
    items.push(button("Reply", "reply", onLatest(actions.reply)));
    if (canThread(message, store)) items.push(button("Create thread", "thread", onLatest(actions.createThread)));
    if (message.author.id === store.me.id) items.push(button("Edit", "edit", onLatest(actions.edit)));
  }
  items.push(
    button(
      "More",
      "more",
      onLatest((now, event) => {
        const point = below(event.currentTarget);
        openMenu(point, menuItems(now, context, point), { label: "Message" });
      }),
    ),
  );
  return items;
}

function menuItems(message, { store, actions }, point) {
  const onLatest = (use) => latest(message, store, use);
  const own = message.author.id === store.me.id;
  const copy = { label: "Copy text", icon: "copy", run: onLatest(actions.copy) };
  if (isEphemeral(message))
    return [copy, { label: "Dismiss message", icon: "close", run: onLatest(actions.dismiss) }];
  const trace = traceAddress(message);
  const apps = store.usableCommands().filter((command) => command.type === MESSAGE_COMMAND);
  return [
    { label: "Add reaction", icon: "react", run: () => pickEmoji(point, message, actions) },
    own && { label: "Edit message", icon: "edit", run: onLatest(actions.edit) },
    { label: "Reply", icon: "reply", run: onLatest(actions.reply) },
    canThread(message, store) && { label: "Create thread", icon: "thread", run: onLatest(actions.createThread) },
    copy,
    mayPin(message, store) && {
      label: message.pinned ? "Unpin message" : "Pin message",
      icon: "pin",
      run: onLatest((now) => actions.pin(now, !message.pinned)),
    },
    trace && { label: "Trace of this turn", icon: "requests", run: () => window.open(trace, "_blank", "noopener") },
    apps.length > 0 && {
      label: "Apps",
      items: apps.map((command) => ({ label: command.name, run: () => actions.useOn(command, message.id) })),
    },
    own && { label: "Delete message", icon: "trash", danger: true, run: onLatest(actions.remove) },
  ].filter(Boolean);
}

function mayPin({ type, channel_id: channelId }, store) {
  const channel = store.channel(channelId);
  return isSpoken(type) && channel && permits(channel, MAY.pin);
}

function canThread(message, store) {
  const channel = store.channel(message.channel_id);
  return channel && !isDm(channel) && !isThread(channel) && !store.channel(message.id);
}

function pickEmoji(point, message, actions) {
  const items = EMOJI.map((emoji) => ({ label: emoji, run: () => actions.react(message, emoji, true) }));
  openMenu(point, items, { label: "Reactions", wide: true });
}
