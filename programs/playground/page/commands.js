/** Slash commands as text: which one is meant, its options, and what could come next. */

import { displayName } from "./entities.js";
import { escapeRegExp, mentionable } from "./mentions.js";

const CHAT_INPUT = 1;
const SUBCOMMAND = 1;
const GROUP = 2;
const STRING = 3;
const INTEGER = 4;
const BOOLEAN = 5;
const USER = 6;
const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
const NUMBER = 10;
const ATTACHMENT = 11;

/** Whether an option is filled by a file that lies in the message box, not by words. */
export const takesFile = ({ type }) => type === ATTACHMENT;

/** What a person got wrong in a command, in words for them. */
export class CommandError extends Error {}

/** Every way to call a chat command: subcommands count as `group name`. `wrap` nests options as Discord does. */
export function invocations(commands) {
  return commands
    .filter((command) => (command.type ?? CHAT_INPUT) === CHAT_INPUT)
    .flatMap((command) => {
      const build = (part, name, wrap) => {
        const nested = (part.options ?? []).filter(({ type }) => type === SUBCOMMAND || type === GROUP);
        if (nested.length === 0) {
          return [{ command, name, description: part.description ?? "", options: part.options ?? [], wrap }];
        }
        return nested.flatMap((child) =>
          build(child, `${name} ${child.name}`, (options) => wrap([{ name: child.name, options }])),
        );
      };
      return build(command, command.name, (options) => options);
    });
}

/** The invocation that `text` (with its slash) begins with, or null. */
export function invocationOf(text, all) {
  const fitting = all.filter(
    ({ name }) => text === `/${name}` || text.startsWith(`/${name} `) || text.startsWith(`/${name}\n`),
  );
  return fitting.sort((one, other) => other.name.length - one.name.length)[0] ?? null;
}

/**
 * Split what follows the command into `{option, text, start}`. `name: text` names an option; text before any
 * name belongs to the first option that takes free text.
 */
export function segments(text, invocation) {
  const from = invocation.name.length + 1;
  const rest = text.slice(from);
  const { options } = invocation;
  if (options.length === 0) return rest.trim() ? [{ option: null, text: rest.trim(), start: from }] : [];
  const names = options.map(({ name }) => escapeRegExp(name)).join("|");
  const found = [...rest.matchAll(new RegExp(`(?<=^|\\s)(${names}):[ ]?`, "g"))];
  const parts = found.map((match, index) => ({
    option: options.find(({ name }) => name === match[1]),
    text: rest.slice(match.index + match[0].length, found[index + 1]?.index).trim(),
    start: from + match.index + match[0].length,
  }));
  const lead = rest.slice(0, found[0]?.index).trim();
  if (!lead) return parts;
  const named = new Set(parts.map(({ option }) => option));
  const free =
    options.find((option) => !named.has(option) && option.type === STRING) ??
    options.find((option) => !named.has(option));
  return [{ option: free ?? null, text: lead, start: from + rest.indexOf(lead) }, ...parts];
}

/**
 * The options to send, or a CommandError that says what is missing or wrong. The `files` fill the options for files
 * in their order.
 */
export function readOptions(text, invocation, { store, picked, files = [] }) {
  const places = invocation.options.filter(takesFile);
  if (files.length > places.length)
    throw new CommandError(`/${invocation.name} takes ${places.length || "no"} ${places.length === 1 ? "file" : "files"}.`);
  const given = segments(text, invocation);
  const stray = given.find(({ option }) => option === null);
  if (stray) throw new CommandError(`/${invocation.name} does not take “${stray.text.slice(0, 40)}”.`);
  const missing = invocation.options.find(
    (option) =>
      option.required &&
      (takesFile(option) ? !files[places.indexOf(option)] : !given.some((part) => part.option === option && part.text)),
  );
  if (missing)
    throw new CommandError(
      `/${invocation.name} needs ${missing.name}${takesFile(missing) ? ", a file: attach it" : `: ${missing.description}`}`,
    );
  const filled = given.filter((part) => part.text);
  return invocation.wrap([
    ...filled.map((part) => ({ name: part.option.name, value: valueOf(part, store, picked) })),
    ...files.map((_, index) => ({ name: places[index].name, upload: index })),
  ]);
}

function valueOf({ option, text }, store, picked) {
  const choice = (option.choices ?? []).find(({ name, value }) => name === text || String(value) === text);
  if (choice) return choice.value;
  if (option.choices?.length)
    throw new CommandError(`${option.name} is one of: ${option.choices.map(({ name }) => name).join(", ")}`);
  const remembered = picked.get(`${option.name} ${text}`);
  return remembered ?? (READERS[option.type] ?? (() => text))(text, option, store);
}

const READERS = {
  [INTEGER]: (text, option) => numberOf(text, option, /^[-+]?\d+$/, "a whole number"),
  [NUMBER]: (text, option) => numberOf(text, option, /^[-+]?\d+(\.\d+)?$/, "a number"),
  [BOOLEAN](text, option) {
    if (!/^(true|false)$/i.test(text)) throw new CommandError(`${option.name} is True or False.`);
    return text.toLowerCase() === "true";
  },
  [USER](text, option, store) {
    const user = userNamed(text, store);
    if (!user) throw new CommandError(`${option.name} is a person; nobody here is called “${text}”.`);
    return user.id;
  },
  [ROLE](text, option, store) {
    const role = roleNamed(text, store);
    if (!role) throw new CommandError(`${option.name} is a role; there is none called “${text}”.`);
    return role.id;
  },
  [MENTIONABLE](text, option, store) {
    const found = userNamed(text, store) ?? roleNamed(text, store);
    if (!found) throw new CommandError(`${option.name} is a person or a role; there is none called “${text}”.`);
    return found.id;
  },
  [ATTACHMENT](text, option) {
    throw new CommandError(`${option.name} is a file: attach it.`);
  },
  [CHANNEL](text, option, store) {
    const channel = store.channels.find(({ name }) => name === text.replace(/^#/, ""));
    if (!channel) throw new CommandError(`${option.name} is a channel; there is none called “${text}”.`);
    return channel.id;
  },
};

function userNamed(text, store) {
  const name = text.replace(/^@/, "");
  return mentionable(store).find((user) => [displayName(user), user.username].includes(name));
}

function roleNamed(text, store) {
  return store.roles.find(({ name }) => name === text.replace(/^@/, ""));
}

function numberOf(text, option, pattern, kind) {
  if (!pattern.test(text)) throw new CommandError(`${option.name} is ${kind}.`);
  return Number(text);
}

/** Values that can be listed without asking the bot: `{label, detail}`. */
export function knownValues({ type, choices = [] }, store) {
  if (choices.length > 0) return choices.map(({ name }) => ({ label: name, detail: "" }));
  if (type === BOOLEAN)
    return [
      { label: "True", detail: "" },
      { label: "False", detail: "" },
    ];
  const people = mentionable(store).map((user) => ({ label: `@${displayName(user)}`, detail: user.username }));
  const roles = store.roles.map(({ name }) => ({ label: `@${name}`, detail: "Role" }));
  if (type === USER) return people;
  if (type === ROLE) return roles;
  if (type === MENTIONABLE) return [...people, ...roles];
  if (type === CHANNEL) return store.channels.map(({ name }) => ({ label: `#${name}`, detail: "" }));
  return [];
}
