/** How people and names look: avatars, name tags, and the names that Markdown asks for. */

import { h } from "./dom.js";
import { displayName, isDm } from "./entities.js";

/** A coloured circle with the initial; the colour follows from the id. */
export function avatar(user, size = "") {
  const circle = h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, [...displayName(user)][0].toUpperCase());
  circle.style.setProperty("--hue", String(hue(user.id)));
  return circle;
}

/** The name in its colour; with `onclick` it is a button that opens something. */
export function nameTag(user, onclick = null) {
  const name = onclick
    ? h("button", { class: "author-name", type: "button", "aria-haspopup": "menu", onclick }, displayName(user))
    : h("span", { class: "author-name" }, displayName(user));
  name.style.setProperty("--hue", String(hue(user.id)));
  return [name, user.bot && h("span", { class: "app-tag", title: "An application, not a person" }, "APP")];
}

/** The resolver that Markdown takes: names of people and channels as the store knows them. */
export function namesOf(store, openChannel, mentions = []) {
  return {
    user(id) {
      const user = store.user(id) ?? mentions.find((mention) => mention.id === id);
      return user ? displayName(user) : null;
    },
    role: (id) => store.roles.find((role) => role.id === id)?.name ?? null,
    channel: (id) => store.channel(id)?.name ?? null,
    openChannel,
  };
}

/** What a channel is called: a direct message has no name of its own. */
export function channelTitle(channel, store) {
  return isDm(channel) ? displayName(store.bot) : channel.name;
}

/** Ids beside each other get hues far apart: steps of the golden angle. */
function hue(id) {
  let sum = 0;
  for (const digit of id) sum = (sum * 31 + digit.charCodeAt(0)) % 100003;
  return Math.round((sum * 137.508) % 360);
}
