/** The pinned messages of a channel, to read and to jump to. */

import { openList } from "./dialogs.js";
import { h } from "./dom.js";
import { displayName } from "./entities.js";
import { plainText } from "./markdown.js";
import { avatar, namesOf } from "./people.js";
import { formatStamp } from "./time.js";
import { orToast } from "./toast.js";

/** Open the list; each message leads to its place. */
export async function showPins(channel, { api, store, actions }) {
  const pinned = await orToast(() => api.pins(channel.id));
  if (!pinned) return;
  openList({
    title: "Pinned messages",
    empty: "Nothing is pinned here. A message's menu pins it.",
    views: pinned.map((message) => pinView(message, namesOf(store, actions.openChannel, message.mentions))),
    choose: (index) => actions.jumpTo(pinned[index].id),
  });
}

function pinView(message, names) {
  const words = plainText(message.content, names) || "A message without words";
  return [
    avatar(message.author, "small"),
    h(
      "span",
      { class: "pin-words" },
      h("strong", {}, displayName(message.author)),
      " ",
      h("small", {}, formatStamp(new Date(message.timestamp))),
      h("span", {}, words.slice(0, 200)),
    ),
  ];
}
