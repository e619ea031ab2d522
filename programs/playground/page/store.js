/** What the page knows: loaded once, then kept true by the events of the live connection. */

import { compareIds, isDm } from "./entities.js";
import { applyEvent } from "./store_events.js";

/**
 * Topics heard through `on`: "channels", "current", "people", "bot", "notice", "commands", "connection",
 * "typing", "pending", "requests", "unread", and "messages" with `{channelId, kind, id}`, kind being
 * "reset", "upsert" or "remove".
 */
export class Store {
  #listeners = new Map();
  #history = new Map();
  #loading = new Map();

  me = null;
  bot = null;
  people = [];
  botOnline = false;
  botActivity = null;
  notice = null;
  guild = null;
  categories = [];
  channels = [];
  threads = [];
  dms = [];
  commands = [];
  /** Those that can be mentioned and chosen; `everyone` is the one that all have. */
  roles = [];
  everyone = null;
  members = [];
  permissions = [];
  dmsClosed = false;
  current = null;
  connected = true;
  typing = new Map();
  pending = new Map();
  requests = [];
  unread = new Map();

  /** Hear of a topic; answers how to stop that. */
  on(topic, listener) {
    this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), listener]);
    return () => this.#listeners.set(topic, this.#listeners.get(topic).filter((other) => other !== listener));
  }

  emit(topic, detail) {
    (this.#listeners.get(topic) ?? []).forEach((listener) => listener(detail));
  }

  /** Take over a fresh state; what was read of channels may have changed meanwhile and is to be read again. */
  load(state) {
    const { me, people, bot, bot_online: botOnline, bot_activity: botActivity, notice, guild } = state;
    const { categories, channels, threads, dms, commands } = state;
    Object.assign(this, { me, people, bot, botOnline, botActivity, notice, guild, commands });
    Object.assign(this, { categories, channels, threads, dms });
    const { members, permissions, roles, requests, dms_closed: dmsClosed } = state;
    Object.assign(this, { members, permissions, requests, dmsClosed });
    this.roles = roles.filter(({ id }) => id !== guild.id);
    this.everyone = roles.find(({ id }) => id === guild.id);
    this.typing.clear();
    this.pending.clear();
    for (const history of this.#history.values()) history.stale = true;
    for (const topic of ["people", "channels", "bot", "notice", "commands", "typing", "pending", "requests"]) this.emit(topic);
  }

  apply({ t, d }) {
    applyEvent(this, t, d);
  }

  channel(id) {
    return [...this.channels, ...this.threads, ...this.dms].find((channel) => channel.id === id) ?? null;
  }

  category(id) {
    return this.categories.find((category) => category.id === id) ?? null;
  }

  /** The commands of the current channel: some are for servers only, some for direct messages only. */
  usableCommands() {
    const current = this.channel(this.current);
    const direct = current !== null && isDm(current);
    return this.commands.filter(({ contexts, dm_permission: inDm, guild_id: guildId }) =>
      contexts ? contexts.includes(direct ? 1 : 0) : !direct || (!guildId && inDm !== false),
    );
  }

  user(id) {
    return [...this.people, this.bot].find((user) => user?.id === id) ?? null;
  }

  member(id) {
    return this.members.find(({ user }) => user.id === id) ?? null;
  }

  open(id) {
    this.current = id;
    this.emit("current");
    this.read(id);
  }

  /** What is new in a channel has been seen. */
  read(id) {
    if (this.unread.delete(id)) this.emit("unread");
  }

  setConnected(connected) {
    this.connected = connected;
    this.emit("connection");
  }

  /** The messages read so far, oldest first, or null before the first reading. */
  messages(channelId) {
    return this.#history.get(channelId)?.messages ?? null;
  }

  /** Whether the channel was never read, or not since the connection was lost. */
  needsReading(channelId) {
    return this.#history.get(channelId)?.stale ?? true;
  }

  message(channelId, id) {
    const arrived = this.#loading.get(channelId)?.get(id);
    return arrived ?? this.messages(channelId)?.find((message) => message.id === id) ?? null;
  }

  /**
   * Read a page of history with `fetchPage(beforeId)`. Messages that events touch while it is under way are as the
   * events said: the page may be older than they are.
   */
  async readHistory(channelId, fetchPage, size) {
    const begun = this.#history.get(channelId) ?? { messages: [], stale: true, complete: false };
    if (this.#loading.has(channelId) || (begun.complete && !begun.stale)) return;
    const touched = new Map();
    this.#loading.set(channelId, touched);
    try {
      const page = await fetchPage(begun.stale ? null : (begun.messages[0]?.id ?? null));
      const known = begun.stale ? [] : (this.messages(channelId) ?? []);
      const byId = new Map([...page, ...known].map((message) => [message.id, message]));
      for (const [id, message] of touched) message ? byId.set(id, message) : byId.delete(id);
      const complete = page.length < size;
      const seen = { messages: sorted(page), complete };
      const messages = sorted([...byId.values()].filter(({ id }) => !isBeyond(seen, id)));
      this.#history.set(channelId, { messages, stale: false, complete });
    } finally {
      this.#loading.delete(channelId);
    }
    this.emit("messages", { channelId, kind: "reset" });
  }

  upsert(message) {
    const { channel_id: channelId, id } = message;
    this.#loading.get(channelId)?.set(id, message);
    const history = this.#history.get(channelId);
    if (!history || isBeyond(history, id)) return;
    const rest = history.messages.filter((other) => other.id !== id);
    history.messages = sorted([...rest, message]);
    this.emit("messages", { channelId, kind: "upsert", id });
  }

  /** A channel is gone, or out of sight: what was read of it is read anew if it comes back. */
  forget(channelId) {
    this.#history.delete(channelId);
    this.read(channelId);
  }

  remove(channelId, id) {
    this.#loading.get(channelId)?.set(id, null);
    const history = this.#history.get(channelId);
    if (!history) return;
    history.messages = history.messages.filter((message) => message.id !== id);
    this.emit("messages", { channelId, kind: "remove", id });
  }
}

function sorted(messages) {
  return messages.sort((one, other) => compareIds(one.id, other.id));
}

/** Whether a message is further up than what was read: shown now, it would stand beside a gap. */
function isBeyond({ messages, complete }, id) {
  return !complete && messages.length > 0 && compareIds(id, messages[0].id) < 0;
}
