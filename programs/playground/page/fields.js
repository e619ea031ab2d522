/** What settings are made of: a choice, a line of text, a button. Each has a key by which its focus is found again. */

import { h } from "./dom.js";

export const LONGEST_NAME = 100;

/** A choice from `options`, each `{value, label}`; `choose` gets the value. */
export function chooser(label, options, chosen, choose) {
  const select = h(
    "select",
    { "data-key": label, onchange: () => choose(select.value) },
    options.map((option) => h("option", { value: option.value, selected: option.value === chosen }, option.label)),
  );
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), select);
}

/** A line that is taken over when one leaves it, or with Enter. */
export function textField(label, value, change, { required = true, maxLength = LONGEST_NAME } = {}) {
  const input = h("input", {
    type: "text",
    value,
    maxlength: String(maxLength),
    "data-key": label,
    onchange: () => (input.value.trim() || !required) && change(input.value.trim()),
  });
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), input);
}

export function button(label, kind, onclick) {
  return h("button", { type: "button", class: `button ${kind}`, "data-key": label, onclick }, label);
}
