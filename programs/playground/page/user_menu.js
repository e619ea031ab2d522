/** What one can do with a person: mention them, write to the bot, and the bot's commands for people. */

import { displayName } from "./entities.js";
import { openMenu } from "./menu.js";

const USER_COMMAND = 2;

/** Open the menu of `user` at `point`. */
export function openUserMenu(point, user, { store, actions }) {
  const apps = store.usableCommands().filter((command) => command.type === USER_COMMAND);
  const items = [
    { label: `Mention ${displayName(user)}`, run: () => actions.mention(user) },
    user.id === store.bot.id && { label: "Message", icon: "reply", run: () => actions.openDm() },
    store.member(user.id) && { label: "Roles and time-out", run: () => actions.memberSettings(user) },
    apps.length > 0 && {
      label: "Apps",
      items: apps.map((command) => ({ label: command.name, run: () => actions.useOn(command, user.id) })),
    },
  ].filter(Boolean);
  openMenu(point, items, { label: displayName(user) });
}
