/** Buttons under a message, and the newer layout components; selects stand beside this file. */

import { externalLink, h, safeUrl } from "./dom.js";
import { colourOf, mediaView } from "./embeds.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { selectView } from "./selects.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const LINK_STYLE = 5;

/**
 * The rows of a message's components. `use(customId, values?)` runs one; `busy(customId)` says whether it is
 * under way; `store` names people and channels for selects that offer them.
 */
export function componentViews(components, { names, use, busy, store }) {
  const view = (component) => VIEWS[component.type]?.(component) ?? null;
  const inside = ({ components: children = [] }) => children.map(view);
  const VIEWS = {
    1: (row) => h("div", { class: "component-row" }, inside(row)),
    2: (button) => buttonView(button, use, busy),
    9: (section) =>
      h(
        "div",
        { class: "component-section" },
        h("div", {}, inside(section)),
        section.accessory && view(section.accessory),
      ),
    10: ({ content }) => h("div", { class: "markdown" }, markdown(content, names)),
    11: ({ media, description }) => h("div", { class: "thumbnail" }, mediaView(media?.url, description)),
    12: ({ items = [] }) =>
      h(
        "div",
        { class: "gallery" },
        items.map(({ media, description }) => mediaView(media?.url, description)),
      ),
    13: ({ file }) => fileView(file?.url),
    14: () => h("hr"),
    17: (container) => colourOf(h("div", { class: "embed" }, inside(container)), container.accent_color),
  };
  for (const type of [3, 5, 6, 7, 8]) VIEWS[type] = (select) => selectView(select, { use, busy, store });
  return components.map(view);
}

function buttonView({ style, label, emoji, url, custom_id: customId, disabled }, use, busy) {
  const text = [emoji?.name, label].filter(Boolean).join(" ");
  if (style === LINK_STYLE) {
    const address = safeUrl(url);
    if (!address) return null;
    const link = externalLink(address, text, " ↗");
    link.className = "button secondary";
    return link;
  }
  const waiting = busy(customId);
  return h(
    "button",
    {
      class: `button ${BUTTON_STYLES[style] ?? "secondary"}`,
      type: "button",
      "data-custom-id": customId,
      // Not disabled while it waits: that would take the focus from who pressed it by key.
      disabled,
      "aria-disabled": waiting && "true",
      "aria-busy": waiting && "true",
      onclick: () => !waiting && use(customId),
    },
    text || "Button",
  );
}

function fileView(url) {
  const address = url && safeUrl(url);
  if (!address) return null;
  const link = externalLink(address, icon("file"), h("span", { class: "attachment-name" }, address.split("/").at(-1)));
  link.className = "attachment-file";
  return link;
}
