/** Mentions as one types them (`@Ada`, `#general`) and as they are sent (`<@1>`, `<#2>`). */

import { displayName } from "./entities.js";

/** Everyone who can be mentioned, the bot first. */
export function mentionable(store) {
  return [store.bot, ...store.people];
}

/** `@Name` and `#channel` become what is sent; the longest name wins. */
export function encodeMentions(text, store) {
  const users = mentionable(store).flatMap((user) => [
    [`@${displayName(user)}`, `<@${user.id}>`],
    [`@${user.username}`, `<@${user.id}>`],
  ]);
  const channels = store.channels.map(({ id, name }) => [`#${name}`, `<#${id}>`]);
  const table = new Map([...users, ...channels].sort(([one], [other]) => other.length - one.length));
  const pattern = [...table.keys()].map((name) => RegExp.escape?.(name) ?? escapeRegExp(name)).join("|");
  return text.replace(new RegExp(`(?<![\\w<])(?:${pattern})(?!\\w)`, "gu"), (name) => table.get(name));
}

/** The other way round, to edit what was sent. */
export function decodeMentions(text, store) {
  return text
    .replace(/<@!?(\d+)>/g, (whole, id) => (store.user(id) ? `@${displayName(store.user(id))}` : whole))
    .replace(/<#(\d+)>/g, (whole, id) => (store.channel(id) ? `#${store.channel(id).name}` : whole));
}

export function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
