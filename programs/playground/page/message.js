/** One message as an element: who, when, what, and what hangs on it. */

import { componentViews } from "./components.js";
import { h } from "./dom.js";
import { attachmentView, embedView } from "./embeds.js";
import {
  CONTEXT_COMMAND,
  displayName,
  isEphemeral,
  isLoading,
  isSpoken,
  PINNED,
  PLAIN,
  REPLY,
  STARTER,
  THREAD_CREATED,
} from "./entities.js";
import { forwardView, pollView, stickerView } from "./extras.js";
import { icon } from "./icons.js";
import { markdown, plainText } from "./markdown.js";
import { below } from "./menu.js";
import { avatar, namesOf, nameTag } from "./people.js";
import { formatDate, formatStamp, sameDay } from "./time.js";
import { openUserMenu } from "./user_menu.js";

const GROUP_MINUTES = 7;

/**
 * The list item of `message`; `previous` decides whether it continues a group and whether a day begins.
 * `context` holds `store`, `actions` and `editor(message)`, which answers an element while one edits it.
 */
export function messageView(message, previous, context) {
  const { store } = context;
  const at = new Date(message.timestamp);
  const newDay = !previous || !sameDay(at, new Date(previous.timestamp));
  const names = namesOf(store, context.actions.openChannel, message.mentions);
  const joined = !newDay && continues(message, previous);
  const mentioned = (message.mentions ?? []).some((user) => user.id === store.me.id);
  const classes = [
    "message",
    joined ? "joined" : "first",
    mentioned && "mentions-me",
    isEphemeral(message) && "ephemeral",
  ];
  return h(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      tabindex: "-1",
      dataset: { messageId: message.id, authorId: message.author.id },
    },
    newDay && h("div", { class: "day", role: "separator" }, h("span", {}, formatDate(at, "D"))),
    isSpoken(message.type) ? spoken(message, at, joined, names, context) : system(message, at, names, context),
  );
}

function continues(message, previous) {
  const close = new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_MINUTES * 60000;
  const plain = message.type === PLAIN && isSpoken(previous.type);
  const sameKind = isEphemeral(message) === isEphemeral(previous);
  return close && plain && sameKind && message.author.id === previous.author.id;
}

function spoken(message, at, joined, names, context) {
  const { author } = message;
  return [
    aboveLine(message, names, context),
    h(
      "div",
      { class: "message-row" },
      joined ? h("time", { class: "gutter-time", datetime: message.timestamp }, formatDate(at, "t")) : avatar(author),
      h(
        "div",
        { class: "message-main" },
        !joined &&
          h(
            "div",
            { class: "message-head" },
            nameTag(author, (event) => openUserMenu(below(event.currentTarget), author, context)),
            h(
              "time",
              { class: "message-time", datetime: message.timestamp, title: formatDate(at, "F") },
              formatStamp(at),
            ),
          ),
        context.editor(message) ?? body(message, names),
        parts(message, names, context),
      ),
    ),
  ];
}

/** What stands over a message: the one it answers, or the command that asked for it. */
function aboveLine(message, names, { store, actions }) {
  if (message.type === REPLY) {
    const reference = message.message_reference?.message_id;
    return replyLine(message.referenced_message ?? store.message(message.channel_id, reference), names, actions);
  }
  const { name, user } = message.interaction_metadata ?? {};
  return name ? commandLine(message.type === CONTEXT_COMMAND ? name : `/${name}`, user) : null;
}

function replyLine(original, names, actions) {
  if (!original) return h("div", { class: "reply-line" }, h("em", {}, "The original message was deleted"));
  const name = displayName(original.author);
  return h(
    "button",
    {
      class: "reply-line",
      type: "button",
      "aria-label": `Go to the message of ${name} that this answers`,
      onclick: () => actions.jumpTo(original.id),
    },
    avatar(original.author, "tiny"),
    h("span", { class: "reply-author" }, name),
    h("span", { class: "reply-text" }, plainText(original.content, names) || "Click to see what this answers"),
  );
}

function commandLine(command, user) {
  return h(
    "div",
    { class: "reply-line" },
    avatar(user, "tiny"),
    h("span", { class: "reply-author" }, displayName(user)),
    " used ",
    h("span", { class: "mention" }, command),
  );
}

function body(message, names) {
  if (isLoading(message)) {
    return h("div", { class: "message-content thinking" }, dots(), ` ${displayName(message.author)} is thinking…`);
  }
  const content = message.type === STARTER ? (message.referenced_message?.content ?? "") : message.content;
  const edited =
    message.edited_timestamp &&
    h("span", { class: "edited", title: formatDate(new Date(message.edited_timestamp), "F") }, "(edited)");
  const text = markdown(content, names);
  const last = text.lastElementChild;
  if (last?.matches("p")) last.append(...(edited ? [" ", edited] : []));
  return h(
    "div",
    { class: message.failed ? "message-content failure" : "message-content markdown" },
    text,
    !last?.matches("p") && content && edited,
  );
}

/** Three dots that breathe, beside words that say why. */
export function dots() {
  return h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

function parts(message, names, context) {
  const { store, actions } = context;
  const pending = [...store.pending.values()].filter((interaction) => interaction.message_id === message.id);
  const busy = (customId) => pending.some((one) => one.custom_id === customId && one.state === "sending");
  const failed = pending.find((one) => one.state === "failed");
  const use = (customId, values) => actions.useComponent(message, customId, values);
  return [
    (message.attachments ?? []).map(attachmentView),
    (message.message_snapshots ?? []).map((one) => forwardView(one.message, names)),
    message.poll && pollView(message.poll),
    (message.sticker_items ?? []).map(stickerView),
    (message.embeds ?? []).map((embed) => embedView(embed, names)),
    componentViews(message.components ?? [], { names, use, busy, store }),
    failed && h("p", { class: "failure", role: "alert" }, failed.message ?? "This interaction failed"),
    reactions(message, actions),
    threadCard(store.channel(message.id), actions),
    isEphemeral(message) &&
      h(
        "div",
        { class: "ephemeral-line" },
        "Only you can see this · ",
        h(
          "button",
          { class: "text-button", type: "button", onclick: () => actions.dismiss(message) },
          "Dismiss message",
        ),
      ),
  ];
}

function reactions(message, actions) {
  const list = message.reactions ?? [];
  if (list.length === 0) return null;
  return h(
    "div",
    { class: "reactions" },
    list.map(({ emoji, count, me }) =>
      h(
        "button",
        {
          class: me ? "reaction mine" : "reaction",
          type: "button",
          "aria-pressed": String(Boolean(me)),
          "aria-label": `${emoji.name}, ${count} reaction${count === 1 ? "" : "s"}`,
          onclick: () => actions.react(message, emoji.name, !me),
        },
        emoji.name,
        " ",
        h("span", {}, String(count)),
      ),
    ),
  );
}

function threadCard(thread, actions) {
  if (!thread) return null;
  return h(
    "button",
    { class: "thread-card", type: "button", onclick: () => actions.openChannel(thread.id) },
    icon("thread"),
    h("strong", {}, thread.name),
    h("span", {}, "Open thread ›"),
  );
}

/** A note of Discord's own: a thread that was started, a message that was pinned. */
function system(message, at, names, { store, actions }) {
  return h(
    "div",
    { class: "message-row system" },
    h("span", { class: "system-icon" }, icon(message.type === PINNED ? "pin" : "thread")),
    h(
      "div",
      { class: "message-main" },
      h(
        "div",
        { class: "message-content" },
        nameTag(message.author),
        message.type === PINNED ? pinnedNote(message, actions) : threadNote(message, names, { store, actions }),
        h("time", { class: "message-time", datetime: message.timestamp }, formatStamp(at)),
      ),
    ),
  );
}

function pinnedNote({ message_reference: reference }, actions) {
  return [" pinned ", linkButton("a message", () => actions.jumpTo(reference?.message_id)), " here."];
}

function threadNote(message, names, { store, actions }) {
  const thread = message.type === THREAD_CREATED && store.channel(message.message_reference?.channel_id ?? message.id);
  return [
    message.type === THREAD_CREATED ? " started a thread: " : " ",
    thread ? linkButton(thread.name, () => actions.openChannel(thread.id)) : markdown(message.content, names),
  ];
}

function linkButton(words, onclick) {
  return h("button", { class: "text-button", type: "button", onclick }, words);
}
