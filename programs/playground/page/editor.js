/** Editing one's own message in its place. */

import { h } from "./dom.js";
import { decodeMentions, encodeMentions } from "./mentions.js";

/** A text box with the message's text; Enter saves, Escape leaves. `save(content)` may fail, `leave()` closes. */
export function editorView(message, { store, save, leave }) {
  const field = h("textarea", { class: "edit-field", rows: "1", "aria-label": "Edit the message" });
  field.value = decodeMentions(message.content, store);
  const done = async () => {
    const content = encodeMentions(field.value.trim(), store);
    if (content === message.content || (await save(content))) leave();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      done();
    }
  });
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
  field.addEventListener("input", grow);
  requestAnimationFrame(() => {
    grow();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
  const word = (label, run) => h("button", { type: "button", class: "text-button", onclick: run }, label);
  return h(
    "div",
    { class: "editor" },
    field,
    h("div", { class: "editor-help" }, "escape to ", word("cancel", leave), " · enter to ", word("save", done)),
  );
}
