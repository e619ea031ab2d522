/** Facts about Discord's objects that more than one view needs. */

export const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;

export const isThread = (channel) => channel.type === 11 || channel.type === 12;
export const isCategory = (channel) => channel.type === 4;
export const isForum = (channel) => channel.type === 15;
export const isDm = (channel) => channel.type === 1;
export const isEphemeral = (message) => (message.flags & EPHEMERAL) !== 0;
/** Deferred: the bot has said that it will answer, and has not yet. */
export const isLoading = (message) => (message.flags & LOADING) !== 0;
export const displayName = (user) => user.global_name ?? user.username;

/** The permissions the page itself looks at, as bits. */
export const MAY = {
  kick: 1n << 1n,
  manageChannels: 1n << 4n,
  send: 1n << 11n,
  manageRoles: 1n << 28n,
  manageThreads: 1n << 34n,
  sendInThreads: 1n << 38n,
  timeOut: 1n << 40n,
  pin: 1n << 51n,
};
/** Whether one has a permission in a channel, or in the guild. */
export const permits = ({ permissions }, bit) => (BigInt(permissions ?? 0) & bit) !== 0n;
/** Whether one may write in a channel. */
export const mayWrite = (channel) => permits(channel, isThread(channel) ? MAY.sendInThreads : MAY.send);
/** All roles, the highest first, and @everyone, which all have. */
export const rolesOf = ({ roles, everyone }) => [...[...roles].sort((one, other) => other.position - one.position), everyone];
/** When a member's time-out ends, or null when there is none. */
export function timedOutUntil(member) {
  const until = new Date(member?.communication_disabled_until ?? 0);
  return until > new Date() ? until : null;
}

export const PLAIN = 0;
export const PINNED = 6;
export const THREAD_CREATED = 18;
export const REPLY = 19;
export const COMMAND = 20;
export const STARTER = 21;
export const CONTEXT_COMMAND = 23;
const SPOKEN = new Set([PLAIN, REPLY, COMMAND, STARTER, CONTEXT_COMMAND]);
/** Whether messages of a type are somebody's words, not a note of Discord's own. */
export const isSpoken = (type) => SPOKEN.has(type);

/** Snowflakes in the order of time: they are too long for a JavaScript number. */
export function compareIds(one, other) {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}
