/** The line under the composer: who is typing here. */

import { fill } from "./dom.js";
import { displayName } from "./entities.js";
import { dots } from "./message.js";

export function attachTyping(element, store) {
  const draw = () => {
    const here = [...store.typing.values()].filter(({ channelId }) => channelId === store.current);
    const names = here
      .map(({ userId }) => store.user(userId))
      .filter(Boolean)
      .map(displayName);
    const text = new Intl.ListFormat("en", { type: "conjunction" }).format(names);
    fill(element, names.length > 0 && [dots(), ` ${text} ${names.length > 1 ? "are" : "is"} typing…`]);
  };
  store.on("typing", draw);
  store.on("current", draw);
}
