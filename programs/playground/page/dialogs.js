/** Dialogs: the modals of the bot, and the page's own questions in the same dress. */

import { fill, h, keepFocus } from "./dom.js";
import { markdown } from "./markdown.js";
import { checkboxes, optionViews, selectOptions } from "./selects.js";

const TEXT_INPUT = 4;
const TEXT = 10;
const LABEL = 18;
const PARAGRAPH = 2;

/**
 * A modal dialog whose form holds `content`. `submit` may take its time; its error is shown inside and the
 * dialog stays, else it closes. The browser keeps the focus inside and gives it back afterwards.
 */
export function openDialog({ title, content, submitLabel, danger = false, submit }) {
  const problem = h("p", { class: "failure", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: danger ? "button danger" : "button primary" }, submitLabel);
  const cancel = h("button", { type: "button", class: "button secondary", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    { novalidate: true },
    h("h2", { id: "dialog-title" }, title),
    h("div", { class: "fields" }, content),
    problem,
    h("div", { class: "dialog-actions" }, cancel, send),
  );
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "dialog-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    send.disabled = true;
    try {
      await submit(form);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      send.disabled = false;
    }
  });
  show(dialog);
}

/**
 * A dialog whose changes hold at once. `draw(redraw)` makes what it shows, again whenever the server changes; what has
 * the focus is found again by its `data-key`.
 */
export function openPanel({ title, store, draw }) {
  const fields = h("div", { class: "fields" });
  const done = h("button", { type: "button", class: "button primary", onclick: () => dialog.close() }, "Done");
  const dialog = h(
    "dialog",
    { class: "modal panel", "aria-labelledby": "dialog-title" },
    h(
      "form",
      { onsubmit: (event) => event.preventDefault() },
      h("h2", { id: "dialog-title" }, title),
      fields,
      h("div", { class: "dialog-actions" }, done),
    ),
  );
  const keyOf = ({ dataset: { key } }) => key && `[data-key="${CSS.escape(key)}"]`;
  const redraw = () => keepFocus(fields, keyOf, () => fill(fields, draw(redraw)));
  const stops = ["people", "channels"].map((topic) => store.on(topic, redraw));
  redraw();
  show(dialog, () => stops.forEach((stop) => stop()));
  fields.querySelector("select, input")?.focus(); // else a browser begins with what scrolls
}

/** A list to choose from: `views` are what its entries show, `choose` gets the index of the chosen one. */
export function openList({ title, empty, views, choose }) {
  const leave = (index) => {
    dialog.close();
    choose(index);
  };
  const entry = (view, index) =>
    h("li", {}, h("button", { type: "button", class: "list-entry", onclick: () => leave(index) }, view));
  const dialog = h(
    "dialog",
    { class: "modal", "aria-labelledby": "dialog-title" },
    h(
      "form",
      { onsubmit: (event) => event.preventDefault() },
      h("h2", { id: "dialog-title" }, title),
      h("div", { class: "fields" }, views.length > 0 ? h("ul", {}, views.map(entry)) : h("p", {}, empty)),
      h(
        "div",
        { class: "dialog-actions" },
        h("button", { type: "button", class: "button primary", onclick: () => dialog.close() }, "Done"),
      ),
    ),
  );
  show(dialog);
}

/** Open `dialog` over the page, and give the focus back when it closes. */
function show(dialog, onclose = () => null) {
  const from = document.activeElement;
  dialog.addEventListener("close", () => {
    onclose();
    dialog.remove();
    if (!from.isConnected) twinOf(from).focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** Ask whether to do what cannot be undone. */
export function confirm({ title, text, submitLabel, submit }) {
  openDialog({ title, submitLabel, danger: true, content: h("p", {}, text), submit });
}

/** What stands where an element was that has been drawn anew meanwhile; else the message box. */
function twinOf({ id, dataset: { customId } }) {
  const twin = customId && document.querySelector(`.message [data-custom-id="${CSS.escape(customId)}"]`);
  return twin || document.getElementById(id || "composer") || document.getElementById("composer");
}

/** Ask for one line of text. */
export function askText({ title, label, value = "", submitLabel, maxLength, submit }) {
  const input = h("input", { id: "dialog-text", type: "text", value, required: true, maxlength: String(maxLength) });
  openDialog({
    title,
    submitLabel,
    submit: () => submit(input.value.trim()),
    content: h("label", { class: "field" }, h("span", { class: "field-label" }, label), input),
  });
}

/** Show a bot's modal; `submit` gets `{custom_id: text}`, and a list of values for a select. */
export function openModal(modal, { store, names, submit }) {
  openDialog({
    title: modal.title,
    submitLabel: "Submit",
    content: (modal.components ?? []).map((component) => rowView(component, store, names)),
    submit: (form) => submit(valuesOf(form)),
  });
}

function valuesOf(form) {
  const fields = [...form.querySelectorAll("[data-custom-id]")];
  return Object.fromEntries(fields.map((field) => [field.dataset.customId, valueOf(field)]));
}

function valueOf(field) {
  if (field.localName === "fieldset") return [...field.querySelectorAll(":checked")].map(({ value }) => value);
  if (field.localName === "select") return [field.value].filter(Boolean);
  return field.value;
}

/** Text inputs come in action rows, with their own label, or in labels, which bring it. */
function rowView(row, store, names) {
  if (row.type === TEXT) return h("div", { class: "markdown" }, markdown(row.content, names));
  const { label, description } = row.type === LABEL ? row : {};
  const inputs = row.type === LABEL ? [row.component] : (row.components ?? []);
  return inputs.filter(Boolean).map((input) => fieldView(input, { label: label ?? input.label, description, store }));
}

function fieldView(input, { label, description, store }) {
  const optional = input.required === false;
  const counter = h("span", { class: "field-counter", "aria-hidden": "true" });
  const element = input.type === TEXT_INPUT ? textInput(input, optional) : chooser(input, optional, store);
  const count = () =>
    fill(
      counter,
      input.max_length && element.value !== undefined ? `${element.value.length} / ${input.max_length}` : "",
    );
  element.addEventListener("input", count);
  count();
  return h(
    element.localName === "fieldset" ? "div" : "label",
    { class: "field" },
    h(
      "span",
      { class: "field-label" },
      label,
      !optional && h("span", { class: "required", title: "Required" }, " *"),
      counter,
    ),
    description && h("span", { class: "field-description" }, description),
    element,
  );
}

function textInput(
  { custom_id: customId, style, value = "", placeholder, min_length: min, max_length: max },
  optional,
) {
  const shared = {
    "data-custom-id": customId,
    placeholder,
    required: !optional,
    minlength: min && String(min),
    maxlength: max && String(max),
  };
  if (style !== PARAGRAPH) return h("input", { type: "text", ...shared, value: value ?? "" });
  const area = h("textarea", { rows: "6", ...shared });
  area.value = value ?? "";
  return area;
}

function chooser(input, optional, store) {
  const { custom_id: customId, placeholder = "Make a selection", max_values: max = 1 } = input;
  const options = selectOptions(input, store);
  if (max > 1) return h("fieldset", { "data-custom-id": customId, "aria-label": placeholder }, checkboxes(options).view);
  return h("select", { "data-custom-id": customId, required: !optional }, optionViews(options, placeholder));
}
