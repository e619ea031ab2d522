/** Short notes in a corner: what went wrong, in words, above everything else. */

import { h } from "./dom.js";

const SHOWN = 7000;

export function toast(text, kind = "error") {
  const region = document.getElementById("toasts");
  const note = h(
    "div",
    { class: `toast ${kind}` },
    h("span", {}, text),
    h("button", { type: "button", class: "text-button", onclick: () => note.remove() }, "Close"),
  );
  region.append(note);
  // Shown anew each time, so that it lies above a dialog that opened since.
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
  setTimeout(() => note.remove(), SHOWN);
}

/** Run `work`; a failure becomes a toast. Answers the result, or null when it failed. */
export async function orToast(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message);
    return null;
  }
}
