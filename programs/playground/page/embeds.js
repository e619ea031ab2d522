/** Embeds and attachments of a message. */

import { externalLink, h, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { formatStamp } from "./time.js";
import { audioView } from "./voice.js";

export function embedView(embed, names) {
  const { author, title, url, description, fields = [], footer, timestamp } = embed;
  const address = url && safeUrl(url);
  const at = timestamp && new Date(timestamp);
  const stamp = at && !Number.isNaN(at.getTime()) && formatStamp(at);
  const small = [footer?.text, stamp].filter(Boolean).join(" • ");
  const view = h(
    "article",
    { class: "embed", "aria-label": title ?? "Embed" },
    embed.thumbnail && h("div", { class: "thumbnail" }, mediaView(embed.thumbnail.url)),
    author?.name && h("div", { class: "embed-author" }, linked(author.url, author.name)),
    title &&
      h("div", { class: "embed-title markdown" }, address ? externalLink(address, title) : markdown(title, names)),
    description && h("div", { class: "embed-description markdown" }, markdown(description, names)),
    fields.length > 0 &&
      h(
        "div",
        { class: "embed-fields" },
        fields.map((field) => fieldView(field, names)),
      ),
    mediaView(embed.image?.url),
    small && h("div", { class: "embed-footer" }, small),
  );
  return colourOf(view, embed.color);
}

/** Give `view` the bar of a colour, a number as Discord has it; answers `view`. */
export function colourOf(view, colour) {
  if (colour) view.style.setProperty("--bar", `#${colour.toString(16).padStart(6, "0")}`);
  return view;
}

function linked(url, text) {
  const address = url && safeUrl(url);
  return address ? externalLink(address, text) : text;
}

function fieldView({ name, value, inline }, names) {
  return h(
    "div",
    { class: inline ? "embed-field inline" : "embed-field" },
    h("div", { class: "embed-field-name markdown" }, markdown(name, names)),
    h("div", { class: "embed-field-value markdown" }, markdown(value, names)),
  );
}

/** Pictures of the playground's own store are shown; elsewhere's are not loaded, only linked. */
export function mediaView(url, description) {
  const address = url && safeUrl(url);
  if (!address) return null;
  const local = localPath(address);
  const said = description ?? "";
  return local
    ? h("img", { class: "embed-image", src: local, alt: said })
    : externalLink(address, said || "Open the picture");
}

/** Path and query of an address on this host, by whichever loopback name it is called; else null. */
function localPath(address) {
  const url = new URL(address, location.href);
  const here = url.host === location.host || (url.port === location.port && LOOPBACK.has(url.hostname));
  return here ? url.pathname + url.search : null;
}

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

export function attachmentView(attachment) {
  const { filename, url, size, description, content_type: type = "" } = attachment;
  const local = localPath(url);
  if (local && type.startsWith("audio/")) return audioView(attachment, local);
  if (local && /^image\/(png|jpeg|gif|webp)\b/.test(type)) {
    return h(
      "a",
      { class: "attachment-image", href: local, target: "_blank", rel: "noopener" },
      h("img", { src: local, alt: description ?? filename, loading: "lazy" }),
    );
  }
  const name = h("span", { class: "attachment-name" }, filename);
  return h(
    "a",
    { class: "attachment-file", href: local ?? safeUrl(url), target: "_blank", rel: "noopener", download: filename },
    icon("file"),
    h("span", {}, name, h("span", { class: "attachment-size" }, formatSize(size ?? 0))),
  );
}

export function formatSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const [unit, size] = bytes < 1048576 ? ["KB", 1024] : ["MB", 1048576];
  return `${(bytes / size).toFixed(1)} ${unit}`;
}
