/** The rows of commands that have no message yet: sent, or being thought about. */

import { fill, h } from "./dom.js";
import { thinking } from "./message.js";
import { avatar, nameTag } from "./people.js";

/** Keep `list` showing the pending commands of the current channel; `changed` runs after each drawing. */
export function attachPending(list, { store, changed }) {
  const draw = () => {
    const rows = [...store.pending.values()].filter((one) => one.channel_id === store.current && !one.message_id);
    fill(list, rows.map((row) => rowView(row, store)));
    changed();
  };
  store.on("pending", draw);
  store.on("current", draw);
}

function rowView({ id, state, command_name: name }, store) {
  const lines = {
    sending: () => h("div", { class: "message-content thinking" }, `Sending ${name ? `/${name}` : "the command"}…`),
    thinking: () => thinking(store.bot),
  };
  return h(
    "li",
    { class: `message first pending-${state}`, dataset: { interactionId: id } },
    h("div", { class: "message-row" }, avatar(store.bot),
      h("div", { class: "message-main" },
        h("div", { class: "message-head" }, nameTag(store.bot)),
        lines[state]())),
  );
}
