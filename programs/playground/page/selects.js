/** Selects: of strings, people, roles, channels and mentionables, one value or several. */

import { h } from "./dom.js";
import { displayName } from "./entities.js";
import { below, openMenu } from "./menu.js";

const STRING = 3;
const USER = 5;
const ROLE = 6;
const MENTIONABLE = 7;
const CHANNEL = 8;

/** What a select offers, whatever its kind: `[{value, label, description?, chosen}]`. */
export function selectOptions({ type, options = [], channel_types: kinds, default_values: defaults = [] }, store) {
  const chosen = new Set(defaults.map(({ id }) => id));
  const entities = (list) => list.map((one) => ({ ...one, chosen: chosen.has(one.value) }));
  const people = [...store.people, store.bot].map((user) => ({ label: displayName(user), value: user.id }));
  const roles = store.roles.map(({ id, name }) => ({ label: `@${name}`, value: id }));
  const channels = store.channels.filter(({ type: kind }) => !kinds?.length || kinds.includes(kind));
  switch (type) {
    case STRING:
      return options.map(({ label, value, description, emoji, default: isDefault }) => ({
        label: [emoji?.name, label].filter(Boolean).join(" "),
        value,
        description,
        chosen: Boolean(isDefault),
      }));
    case USER:
      return entities(people);
    case ROLE:
      return entities(roles);
    case MENTIONABLE:
      return entities([...people, ...roles]);
    case CHANNEL:
      return entities(channels.map(({ id, name }) => ({ label: `#${name}`, value: id })));
    default:
      return [];
  }
}

/** A select under a message: `use(customId, values)` sends the choice. */
export function selectView(select, { use, busy, store }) {
  const { custom_id: customId, placeholder, min_values: min = 1, max_values: max = 1 } = select;
  const label = placeholder ?? "Make a selection";
  const waiting = busy(customId);
  const disabled = Boolean(select.disabled);
  const options = selectOptions(select, store);
  const send = (values) => use(customId, values);
  if (max > 1 || min === 0)
    return several({ customId, label, min, max, disabled: disabled || waiting, options }, send);
  return one({ customId, label, disabled, waiting, options }, send);
}

/**
 * A button that opens its choices as a menu: in a native select the arrow keys alone would already send each
 * value that they pass.
 */
function one({ customId, label, disabled, waiting, options }, send) {
  const chosen = options.find((option) => option.chosen);
  const items = options.map((option) => ({
    label: option.label,
    detail: option.description,
    checked: Boolean(option.chosen),
    run: () => send([option.value]),
  }));
  return h(
    "button",
    {
      class: "select",
      type: "button",
      "data-custom-id": customId,
      "aria-haspopup": "menu",
      "aria-label": chosen ? `${label}: ${chosen.label}` : label,
      disabled,
      "aria-disabled": waiting && "true",
      onclick: (event) => !waiting && openMenu(below(event.currentTarget), items, { label }),
    },
    h("span", { class: chosen ? "" : "select-placeholder" }, chosen?.label ?? label),
    h("span", { class: "select-arrow", "aria-hidden": "true" }, "▾"),
  );
}

function several({ customId, label, min, max, disabled, options }, send) {
  const { boxes, view } = checkboxes(options);
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const done = h(
    "button",
    { class: "button primary", type: "button", onclick: () => send(chosen()) },
    "Choose",
  );
  const check = () => {
    done.disabled = chosen().length < min || chosen().length > max;
  };
  check();
  return h(
    "details",
    { class: "select-many", "data-custom-id": customId, onchange: check },
    h("summary", {}, label),
    h("fieldset", { disabled, "aria-label": label }, view, done),
  );
}

/** A box for each option: the inputs, and the labels they stand in. */
export function checkboxes(options) {
  const boxes = options.map(({ value, chosen }) => h("input", { type: "checkbox", value, checked: chosen }));
  const view = options.map(({ label, description }, index) =>
    h("label", {}, boxes[index], " ", label, description && h("small", {}, description)),
  );
  return { boxes, view };
}

/** The options of a native select, led by `placeholder`, which cannot be chosen itself. */
export function optionViews(options, placeholder) {
  return [
    h("option", { value: "", disabled: true, selected: !options.some(({ chosen }) => chosen), hidden: true }, placeholder),
    ...options.map(({ label, value, description, chosen }) =>
      h("option", { value, selected: chosen }, description ? `${label}: ${description}` : label),
    ),
  ];
}
