/** Facts about Discord's objects that more than one view needs. */

export const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;

export const isThread = (channel) => channel.type === 11 || channel.type === 12;
export const isForum = (channel) => channel.type === 15;
export const isDm = (channel) => channel.type === 1;
export const isEphemeral = (message) => (message.flags & EPHEMERAL) !== 0;
/** Deferred: the bot has said that it will answer, and has not yet. */
export const isLoading = (message) => (message.flags & LOADING) !== 0;
export const displayName = (user) => user.global_name ?? user.username;

/** Snowflakes in the order of time: they are too long for a JavaScript number. */
export function compareIds(one, other) {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}
