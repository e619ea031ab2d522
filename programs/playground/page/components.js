/** Buttons and selects under a message, and the newer layout components. */

import { externalLink, h, safeUrl } from "./dom.js";
import { displayName } from "./entities.js";
import { markdown } from "./markdown.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const LINK_STYLE = 5;

/**
 * The rows of a message's components. `use(customId, values?)` runs one; `busy(customId)` says whether it is
 * under way; `store` names people and channels for selects that offer them.
 */
export function componentViews(components, { names, use, busy, store }) {
  const view = (component) => VIEWS[component.type]?.(component) ?? null;
  const inside = ({ components: children = [] }) => children.map(view);
  const VIEWS = {
    1: (row) => h("div", { class: "component-row" }, inside(row)),
    2: (button) => buttonView(button, use, busy),
    9: (section) =>
      h(
        "div",
        { class: "component-section" },
        h("div", {}, inside(section)),
        section.accessory && view(section.accessory),
      ),
    10: ({ content }) => h("div", { class: "markdown" }, markdown(content, names)),
    14: () => h("hr"),
    17: (container) => h("div", { class: "embed" }, inside(container)),
  };
  for (const type of [3, 5, 6, 7, 8]) VIEWS[type] = (select) => selectView(select, use, busy, store);
  return components.map(view);
}

function buttonView({ style, label, emoji, url, custom_id: customId, disabled }, use, busy) {
  const text = [emoji?.name, label].filter(Boolean).join(" ");
  if (style === LINK_STYLE) {
    const address = safeUrl(url);
    if (!address) return null;
    const link = externalLink(address, text, " ↗");
    link.className = "button secondary";
    return link;
  }
  const waiting = busy(customId);
  return h(
    "button",
    {
      class: `button ${BUTTON_STYLES[style] ?? "secondary"}`,
      type: "button",
      "data-custom-id": customId,
      disabled: disabled || waiting,
      "aria-busy": waiting && "true",
      onclick: () => use(customId),
    },
    text || "Button",
  );
}

/** The choices of a select, whatever it offers. */
export function selectOptions({ type, options = [] }, store) {
  const people = [...store.people, store.bot].map((user) => ({ label: displayName(user), value: user.id }));
  const channels = store.channels.map(({ id, name }) => ({ label: `#${name}`, value: id }));
  return { 3: options, 5: people, 6: [], 7: channels, 8: people }[type];
}

function selectView(select, use, busy, store) {
  const { custom_id: customId, placeholder = "Make a selection", min_values: min = 1, max_values: max = 1 } = select;
  const disabled = select.disabled || busy(customId);
  const options = selectOptions(select, store);
  if (max > 1) return multiSelect({ customId, placeholder, min, max, disabled, options }, use);
  return h(
    "select",
    {
      class: "select",
      "data-custom-id": customId,
      "aria-label": placeholder,
      disabled,
      onchange: (event) => use(customId, [event.target.value]),
    },
    optionViews(options, placeholder),
  );
}

/** The choices as elements, led by `placeholder`, which cannot be chosen itself. */
export function optionViews(options, placeholder) {
  const chosen = options.some((option) => option.default);
  return [
    h("option", { value: "", disabled: true, selected: !chosen, hidden: true }, placeholder),
    ...options.map(({ label, value, description, default: selected }) =>
      h("option", { value, selected }, description ? `${label}: ${description}` : label),
    ),
  ];
}

function multiSelect({ customId, placeholder, min, max, disabled, options }, use) {
  const boxes = options.map(({ value, default: checked }) => h("input", { type: "checkbox", value, checked }));
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const done = h(
    "button",
    { class: "button primary", type: "button", onclick: () => use(customId, chosen()) },
    "Choose",
  );
  const check = () => {
    done.disabled = chosen().length < min || chosen().length > max;
  };
  check();
  return h(
    "details",
    { class: "select-many", "data-custom-id": customId, onchange: check },
    h("summary", {}, placeholder),
    h(
      "fieldset",
      { disabled },
      options.map(({ label, description }, index) =>
        h("label", {}, boxes[index], " ", label, description && h("small", {}, description)),
      ),
      done,
    ),
  );
}
