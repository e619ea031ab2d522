/** What the composer offers to complete, given its text and where the caret is. */

import { invocationOf, invocations, knownValues, segments, takesFile } from "./commands.js";
import { displayName } from "./entities.js";
import { mentionable } from "./mentions.js";

const MOST = 10;

/**
 * `{kind, items, from, preselect, hint}` or null. An item `{label, detail, insert}` replaces the text from `from`
 * to the caret. `autocomplete(invocation, part)` asks the bot for an option's values, as `[{name, value}]`.
 */
export async function suggest(text, caret, store, autocomplete) {
  const before = text.slice(0, caret);
  if (!text.startsWith("/")) return mention(before, store);
  const all = invocations(store.usableCommands());
  const invocation = invocationOf(before, all);
  if (!invocation || (before === `/${invocation.name}` && caret === text.length)) return commandNames(before, all);
  return options(text, before, invocation, store, autocomplete);
}

function commandNames(before, all) {
  const typed = before.slice(1).toLowerCase();
  if (/\n/.test(typed)) return null;
  const fitting = all.filter(
    ({ name, description }) => name.includes(typed) || (typed.length > 2 && description.toLowerCase().includes(typed)),
  );
  const rank = ({ name }) => (name.startsWith(typed) ? 0 : 1);
  const items = fitting
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST)
    .map(({ name, description, options: taken }) => ({
      label: `/${name}`,
      detail: description,
      insert: `/${name} `,
      extra: taken.map((option) => (option.required ? option.name : `${option.name}?`)).join(" "),
    }));
  return items.length > 0 ? { kind: "command", items, from: 0, preselect: true } : null;
}

async function options(text, before, invocation, store, autocomplete) {
  const parts = segments(before, invocation);
  const last = parts.at(-1);
  const hint = { invocation, active: last?.option ?? null };
  const values = last?.option ? await valuesFor(last, invocation, store, autocomplete) : [];
  if (values.length > 0 && !values.some(({ label }) => label === last.text)) {
    const items = values.map((value) => ({ ...value, insert: `${value.label} ` }));
    return { kind: "value", items, from: last.start, preselect: last.text !== "", hint };
  }
  const given = new Set(segments(text, invocation).map(({ option }) => option));
  const open =
    /\s$/.test(before) && !(last && last.text === "") ? invocation.options.filter((option) => !given.has(option) && !takesFile(option)) : [];
  const items = open.map((option) => ({
    label: `${option.name}:`,
    detail: option.description,
    extra: option.required ? "required" : "optional",
    insert: `${option.name}: `,
  }));
  return { kind: "option", items, from: before.length, preselect: false, hint };
}

async function valuesFor(part, invocation, store, autocomplete) {
  const { option } = part;
  const typed = part.text.toLowerCase();
  const known = option.autocomplete
    ? (await autocomplete(invocation, part)).map(({ name }) => ({ label: name, detail: "" }))
    : knownValues(option, store).filter(({ label }) => label.toLowerCase().includes(typed));
  return known.slice(0, MOST);
}

function mention(before, store) {
  const match = /(?:^|\s)([@#])([\w .-]{0,30})$/.exec(before);
  if (!match) return null;
  const [, sign, typed] = match;
  const candidates =
    sign === "@"
      ? mentionable(store).map((user) => ({ label: `@${displayName(user)}`, detail: user.username, user }))
      : store.channels.map(({ name }) => ({ label: `#${name}`, detail: "" }));
  const wanted = typed.toLowerCase();
  const items = candidates
    .filter(
      ({ label, detail }) => label.slice(1).toLowerCase().startsWith(wanted) || detail.toLowerCase().startsWith(wanted),
    )
    .map((item) => ({ ...item, insert: `${item.label} ` }));
  return items.length > 0 ? { kind: "mention", items, from: before.length - typed.length - 1, preselect: true } : null;
}
