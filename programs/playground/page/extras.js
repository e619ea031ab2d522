/** What a message may have beside text, files and embeds: forwarded messages, a poll, stickers. */

import { h } from "./dom.js";
import { attachmentView, embedView } from "./embeds.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";

/** A message as it was when it was forwarded. */
export function forwardView(message, names) {
  return h(
    "blockquote",
    { class: "forwarded", "aria-label": "Forwarded message" },
    h("div", { class: "forwarded-note" }, icon("reply"), " Forwarded"),
    message.content && h("div", { class: "markdown" }, markdown(message.content, names)),
    (message.attachments ?? []).map(attachmentView),
    (message.embeds ?? []).map((embed) => embedView(embed, names)),
    (message.sticker_items ?? []).map(stickerView),
  );
}

export function pollView(poll) {
  const votes = new Map(poll.results.answer_counts.map((one) => [one.id, one.count]));
  return h(
    "section",
    { class: "poll", "aria-label": "Poll" },
    h("strong", {}, poll.question.text),
    h(
      "ul",
      {},
      poll.answers.map((answer) => h("li", {}, `${answer.poll_media.text} · ${votes.get(answer.answer_id) ?? 0}`)),
    ),
  );
}

export function stickerView(sticker) {
  return h("div", { class: "sticker", role: "img", "aria-label": `Sticker: ${sticker.name}` }, sticker.name);
}
