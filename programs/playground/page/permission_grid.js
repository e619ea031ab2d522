/** Permissions as grids: a box for each that a role may have, three ways for each in a channel. */

import { h } from "./dom.js";

const WAYS = [
  { way: "deny", sign: "✕", words: "Denied" },
  { way: "inherit", sign: "–", words: "As the roles say" },
  { way: "allow", sign: "✓", words: "Allowed" },
];

/** "VIEW_CHANNEL" is "View channel". */
export function permissionWords(name) {
  const words = name.replaceAll("_", " ").toLowerCase();
  return words[0].toUpperCase() + words.slice(1);
}

/** One box for each of `permissions`; `change` gets what the role then has, as digits. */
export function roleGrid(role, permissions, change) {
  const held = BigInt(role.permissions);
  return h(
    "fieldset",
    { class: "permission-grid" },
    h("legend", {}, `What ${role.name} may do`),
    permissions.map(({ name, bit }) =>
      h(
        "label",
        { class: "permission" },
        h("input", {
          type: "checkbox",
          checked: (held & BigInt(bit)) !== 0n,
          "data-key": name,
          onchange: () => change(String(held ^ BigInt(bit))),
        }),
        permissionWords(name),
      ),
    ),
  );
}

/** Three ways for each permission that channels know; `change` gets what is then allowed and denied, as digits. */
export function overwriteGrid(title, { allow, deny }, permissions, change) {
  const now = { allow: BigInt(allow), deny: BigInt(deny) };
  return h(
    "fieldset",
    { class: "permission-grid" },
    h("legend", {}, title),
    permissions.filter(({ in_channels: inChannels }) => inChannels).map((one) => overwriteRow(one, now, change)),
  );
}

function overwriteRow({ name, bit }, { allow, deny }, change) {
  const mask = BigInt(bit);
  const chosen = (allow & mask) !== 0n ? "allow" : (deny & mask) !== 0n ? "deny" : "inherit";
  const choose = (way) =>
    change(
      String(way === "allow" ? allow | mask : allow & ~mask),
      String(way === "deny" ? deny | mask : deny & ~mask),
    );
  const words = permissionWords(name);
  return h(
    "div",
    { class: "permission", role: "radiogroup", "aria-label": words },
    h("span", { "aria-hidden": "true" }, words),
    h(
      "span",
      { class: "ways" },
      WAYS.map(({ way, sign, words: meaning }) =>
        h(
          "label",
          { class: `way ${way}`, title: meaning },
          h("input", {
            type: "radio",
            name: `overwrite-${name}`,
            checked: way === chosen,
            "aria-label": meaning,
            "data-key": `${name} ${way}`,
            onchange: () => choose(way),
          }),
          h("span", { "aria-hidden": "true" }, sign),
        ),
      ),
    ),
  );
}
