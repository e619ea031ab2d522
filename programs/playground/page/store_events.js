/** How each event of the live connection changes the store. */

import { EPHEMERAL, isCategory, isDm, isThread } from "./entities.js";

const TYPING_SECONDS = 10;
const KEPT_REQUESTS = 200;

const HANDLERS = {
  MESSAGE_CREATE(store, message) {
    const { channel_id: channelId, author } = message;
    stopTyping(store, channelId, author.id);
    settle(store, message.interaction_metadata?.id);
    store.upsert(message);
    if (author.id === store.me.id || (channelId === store.current && document.hasFocus())) return;
    const unread = store.unread.get(channelId) ?? { count: 0, mentions: 0 };
    const mentioned = (message.mentions ?? []).some((user) => user.id === store.me.id);
    store.unread.set(channelId, { count: unread.count + 1, mentions: unread.mentions + Number(mentioned) });
    store.emit("unread");
  },
  MESSAGE_UPDATE(store, message) {
    settle(store, message.interaction_metadata?.id);
    store.upsert(message);
  },
  MESSAGE_DELETE: (store, { channel_id: channelId, id }) => store.remove(channelId, id),
  MESSAGE_DELETE_BULK: (store, { channel_id: channelId, ids }) => ids.forEach((id) => store.remove(channelId, id)),
  MESSAGE_REACTION_ADD: (store, reaction) => react(store, reaction, 1),
  MESSAGE_REACTION_REMOVE: (store, reaction) => react(store, reaction, -1),
  THREAD_CREATE: (store, thread) => putChannel(store, thread),
  THREAD_UPDATE: (store, thread) => putChannel(store, thread),
  CHANNEL_CREATE: (store, channel) => putChannel(store, channel),
  CHANNEL_UPDATE: (store, channel) => putChannel(store, channel),
  THREAD_DELETE: (store, { id }) => dropChannel(store, id),
  CHANNEL_DELETE: (store, { id }) => dropChannel(store, id),
  GUILD_MEMBER_ADD: (store, member) => putMember(store, member),
  GUILD_MEMBER_UPDATE: (store, member) => putMember(store, member),
  GUILD_MEMBER_REMOVE(store, { user }) {
    store.people = store.people.filter(({ id }) => id !== user.id);
    store.members = store.members.filter((member) => member.user.id !== user.id);
    store.emit("people");
  },
  PERMISSIONS(store, { permissions }) {
    store.guild = { ...store.guild, permissions };
    store.emit("people");
  },
  GUILD_ROLE_CREATE: (store, { role }) => putRole(store, role),
  GUILD_ROLE_UPDATE: (store, { role }) => putRole(store, role),
  GUILD_ROLE_DELETE(store, { role_id: id }) {
    store.roles = store.roles.filter((role) => role.id !== id);
    store.emit("people");
  },
  TYPING_START(store, { channel_id: channelId, user_id: userId }) {
    if (userId === store.me.id) return;
    stopTyping(store, channelId, userId);
    const timer = setTimeout(() => stopTyping(store, channelId, userId), TYPING_SECONDS * 1000);
    store.typing.set(`${channelId} ${userId}`, { channelId, userId, timer });
    store.emit("typing");
  },
  COMMANDS_UPDATE(store, { commands }) {
    store.commands = commands;
    store.emit("commands");
  },
  BOT_STATUS(store, { online, activity }) {
    store.botOnline = online;
    store.botActivity = activity;
    store.emit("bot");
  },
  INTERACTION_PENDING: (store, interaction) => pend(store, interaction, "sending"),
  // The message that says "is thinking…" comes beside it.
  INTERACTION_DEFERRED: (store, { interaction_id: id }) => settle(store, id),
  INTERACTION_FAILED(store, interaction) {
    if (interaction.message_id) return pend(store, interaction, "failed");
    settle(store, interaction.interaction_id);
    return store.upsert(failureNote(store, interaction));
  },
  INTERACTION_DONE: (store, { interaction_id: id }) => settle(store, id),
  MODAL_OPEN: (store, modal) => store.emit("modal", modal),
  REQUEST(store, request) {
    store.requests = [...store.requests.slice(1 - KEPT_REQUESTS), request];
    store.emit("requests");
  },
};

export function applyEvent(store, type, data) {
  HANDLERS[type]?.(store, data);
}

/** Forget an interaction that is over. */
export function settle(store, id) {
  if (store.pending.delete(id)) store.emit("pending");
}

function pend(store, interaction, state) {
  const id = interaction.interaction_id;
  for (const old of store.pending.values()) {
    if (old.state === "failed" && old.message_id === interaction.message_id) store.pending.delete(old.id);
  }
  store.pending.set(id, { ...store.pending.get(id), ...interaction, id, state });
  store.emit("pending");
}

/** A message that only this page knows, in its place among the others. */
function failureNote(store, { interaction_id: id, channel_id: channelId, message }) {
  return {
    id,
    channel_id: channelId,
    type: 0,
    author: store.bot,
    flags: EPHEMERAL,
    failed: true,
    mentions: [],
    content: message ?? "The application did not respond",
    timestamp: new Date().toISOString(),
  };
}

function stopTyping(store, channelId, userId) {
  const key = `${channelId} ${userId}`;
  clearTimeout(store.typing.get(key)?.timer);
  if (store.typing.delete(key)) store.emit("typing");
}

function putChannel(store, channel) {
  const list = listOf(channel);
  const known = store[list].find(({ id }) => id === channel.id);
  store[list] = known
    ? store[list].map((other) => (other === known ? { ...known, ...channel } : other))
    : [...store[list], channel];
  // One that comes back into sight has its old place.
  if (list === "channels" || list === "categories") store[list].sort((one, other) => one.position - other.position);
  store.emit("channels");
}

function listOf(channel) {
  if (isThread(channel)) return "threads";
  if (isDm(channel)) return "dms";
  return isCategory(channel) ? "categories" : "channels";
}

function dropChannel(store, id) {
  for (const list of ["categories", "channels", "threads", "dms"]) store[list] = store[list].filter((channel) => channel.id !== id);
  store.forget(id);
  store.emit("channels");
}

function putMember(store, { guild_id: _, ...member }) {
  const { user } = member;
  if (!user.bot && !store.people.some(({ id }) => id === user.id)) store.people = [...store.people, user];
  store.members = put(store.members, member, (other) => other.user.id === user.id);
  store.emit("people");
}

function putRole(store, role) {
  if (role.id === store.guild.id) store.everyone = role;
  else store.roles = put(store.roles, role, ({ id }) => id === role.id);
  store.emit("people");
}

/** `list` with `thing` in the place of what `same` finds, or at its end. */
function put(list, thing, same) {
  return list.some(same) ? list.map((other) => (same(other) ? thing : other)) : [...list, thing];
}

function react(store, { channel_id: channelId, message_id: id, user_id: userId, emoji }, step) {
  const message = store.message(channelId, id);
  if (!message) return;
  const same = (other) => other.name === emoji.name && (other.id ?? null) === (emoji.id ?? null);
  const reactions = message.reactions ?? [];
  const found = reactions.find((reaction) => same(reaction.emoji)) ?? { emoji, count: 0, me: false };
  const changed = { ...found, count: found.count + step, me: userId === store.me.id ? step > 0 : found.me };
  const next = reactions.some((reaction) => same(reaction.emoji))
    ? reactions.map((reaction) => (same(reaction.emoji) ? changed : reaction))
    : [...reactions, changed];
  store.upsert({ ...message, reactions: next.filter(({ count }) => count > 0) });
}
