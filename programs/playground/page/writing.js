/** Whether one may write in a channel, and how much. */

import { isDm, isForum, MAY, mayWrite, permits, timedOutUntil } from "./entities.js";
import { encodeMentions } from "./mentions.js";
import { formatStamp } from "./time.js";

const LONGEST = 2000;

/** Characters that are left of the longest message: it counts as sent, with ids in place of names. */
export function charactersLeft(text, store) {
  return LONGEST - [...encodeMentions(text.trim(), store)].length;
}

/** What to say of a text with so many characters left: nothing, unless it is too long. */
export function tooLong(left) {
  return left < 0 ? `A message has at most ${LONGEST} characters: this one is ${-left} too long.` : "";
}

/** Why one cannot write in a channel, or null. */
export function shutReason(channel, store) {
  if (!channel) return "There is no channel to write in";
  if (channel.thread_metadata?.locked && !permits(channel, MAY.manageThreads)) return "This thread is locked";
  if (isForum(channel)) return "Write a post, or open one to answer";
  if (isDm(channel) || mayWrite(channel)) return null;
  const until = timedOutUntil(store.member(store.me.id));
  return until ? `You are timed out until ${formatStamp(until)}` : "You may not write here";
}
