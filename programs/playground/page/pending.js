/** The rows of commands that were sent and have no answer yet. */

import { fill, h } from "./dom.js";
import { avatar, nameTag } from "./people.js";

/** Keep `list` showing the pending commands of the current channel; `changed` runs after each drawing. */
export function attachPending(list, { store, changed }) {
  const draw = () => {
    const rows = [...store.pending.values()].filter((one) => one.channel_id === store.current && !one.message_id);
    fill(
      list,
      rows.map((row) => rowView(row, store)),
    );
    changed();
  };
  store.on("pending", draw);
  store.on("current", draw);
}

function rowView({ id, command_name: name }, store) {
  return h(
    "li",
    { class: "pending-row", dataset: { interactionId: id } },
    h(
      "div",
      { class: "message-row" },
      avatar(store.bot),
      h(
        "div",
        { class: "message-main" },
        h("div", { class: "message-head" }, nameTag(store.bot)),
        h("div", { class: "thinking" }, `Sending ${name ? `/${name}` : "the form"}…`),
      ),
    ),
  );
}
