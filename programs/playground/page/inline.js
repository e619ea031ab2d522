/** Discord's Markdown within a line: emphasis, code, links, mentions and timestamps, as nodes. */

import { externalLink, h, safeUrl } from "./dom.js";
import { formatDate, formatRelative } from "./time.js";

const DEEPEST = 10;
const SPECIAL = new Set("\\`*_~|<[h@");
const WORD = /\w/;
const NOWHERE = -1;
const BLOCKED = -2;

/** Marks in the order they are tried: the longer first. */
const EMPHASIS = [
  ["**", (children) => h("strong", {}, children)],
  ["__", (children) => h("u", {}, children)],
  ["~~", (children) => h("s", {}, children)],
  ["||", spoiler],
  ["*", (children) => h("em", {}, children)],
  ["_", (children) => h("em", {}, children)],
];

/**
 * The nodes of `text`. `names` answers `user(id)`, `role(id)`, `channel(id)` (a name or null) and `openChannel(id)`.
 */
export function inline(text, names, depth = 0) {
  if (depth > DEEPEST) return [text];
  const nodes = [];
  const unclosed = new Set();
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const found = SPECIAL.has(text[at]) ? matchAt(text, at, names, depth, unclosed) : null;
    if (found) {
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function matchAt(text, at, names, depth, unclosed) {
  switch (text[at]) {
    case "\\":
      return /[^0-9A-Za-z\s]/.test(text[at + 1] ?? " ") ? { node: text[at + 1], end: at + 2 } : null;
    case "`":
      return inlineCode(text, at, unclosed);
    case "<":
      return angle(text, at, names);
    case "[":
      return maskedLink(text, at, names, depth);
    case "h":
      return bareLink(text, at, names);
    case "@":
      return everyone(text, at);
    default:
      return emphasis(text, at, names, depth, unclosed);
  }
}

function inlineCode(text, at, unclosed) {
  const mark = /`+/y;
  mark.lastIndex = at;
  const fence = mark.exec(text)[0].slice(0, 2);
  if (unclosed.has(fence)) return null;
  const close = text.indexOf(fence, at + fence.length);
  if (close < 0) {
    unclosed.add(fence);
    return null;
  }
  const code = text.slice(at + fence.length, close);
  return code && { node: h("code", {}, code), end: close + fence.length };
}

function emphasis(text, at, names, depth, unclosed) {
  for (const [mark, wrap] of EMPHASIS) {
    if (!text.startsWith(mark, at) || unclosed.has(mark)) continue;
    if (mark === "_" && WORD.test(text[at - 1] ?? " ")) continue;
    const start = at + mark.length;
    if (mark.length === 1 && (/\s/.test(text[start] ?? " ") || text[start] === mark)) continue;
    const close = closing(text, start, mark);
    // What does not close from here does not close from further on either: this keeps hostile text linear.
    if (close === NOWHERE) unclosed.add(mark);
    else if (close !== BLOCKED)
      return { node: wrap(inline(text.slice(start, close), names, depth + 1)), end: close + mark.length };
  }
  return null;
}

/** Where the mark closes; BLOCKED when another one opens before (as in `*a *b*`), NOWHERE when none is left. */
function closing(text, start, mark) {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "\\") {
      at += 1;
    } else if (text.startsWith(mark, at)) {
      if (mark.length === 1 && text[at + 1] === mark) at += 1;
      else if (mark === "*" && /\s/.test(text[at - 1])) return BLOCKED;
      else if (at > start && closes(text, at, mark)) return at;
    }
  }
  return NOWHERE;
}

function closes(text, at, mark) {
  const next = text[at + mark.length] ?? " ";
  if (mark === "*") return true;
  if (mark === "_") return !WORD.test(next);
  return mark === "||" || mark === "~~" || next !== mark[0];
}

function spoiler(children) {
  const reveal = (event) => {
    if (element.classList.contains("revealed")) return;
    event.preventDefault();
    element.classList.add("revealed");
    element.removeAttribute("role");
    element.removeAttribute("aria-label");
  };
  const element = h(
    "span",
    {
      class: "spoiler",
      role: "button",
      tabindex: "0",
      "aria-label": "Spoiler: show the hidden text",
      onclick: reveal,
      onkeydown: (event) => (event.key === "Enter" || event.key === " ") && reveal(event),
    },
    h("span", {}, children),
  );
  return element;
}

const ANGLES = [
  [/<@!?(\d{1,20})>/y, ([, id], names) => pill(`@${names.user(id) ?? "unknown-user"}`, { userId: id })],
  [/<@&(\d{1,20})>/y, ([, id], names) => pill(`@${names.role(id) ?? "unknown-role"}`, {})],
  [/<#(\d{1,20})>/y, ([, id], names) => channelPill(id, names)],
  [/<t:(-?\d{1,12})(?::([tTdDfFR]))?>/y, ([, seconds, style]) => timestamp(Number(seconds) * 1000, style ?? "f")],
  [/<\/([^\n:<>]{1,100}):\d{1,20}>/y, ([, name]) => pill(`/${name}`, {})],
  [/<a?:(\w{2,32}):\d{1,20}>/y, ([, name]) => `:${name}:`],
  [/<(https?:\/\/[^\s<>]+)>/y, ([, address], names) => (names.inLink ? address : link(address, address))],
];

function angle(text, at, names) {
  for (const [pattern, build] of ANGLES) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const node = match && build(match, names);
    if (node) return { node, end: at + match[0].length };
  }
  return null;
}

function pill(text, dataset) {
  return h("span", { class: "mention", dataset }, text);
}

function channelPill(id, names) {
  const name = names.channel(id);
  if (name === null) return pill("#unknown", {});
  return h("button", { class: "mention", type: "button", onclick: () => names.openChannel(id) }, `#${name}`);
}

function timestamp(milliseconds, style) {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return null;
  const relative = style === "R";
  return h(
    "time",
    { datetime: date.toISOString(), title: formatDate(date, "F"), class: "stamp", "data-relative": relative },
    relative ? formatRelative(date) : formatDate(date, style),
  );
}

function maskedLink(text, at, names, depth) {
  if (names.inLink) return null;
  const pattern = /\[([^[\]\n]{1,500})\]\(\s*<?([^\s<>()]{1,2000}(?:\([^\s<>()]{0,500}\)[^\s<>()]{0,500})?)>?\s*\)/y;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  const url = match && safeUrl(match[2]);
  if (!url) return null;
  const node = externalLink(url, inline(match[1], { ...names, inLink: true }, depth + 1));
  node.title = url;
  return { node, end: at + match[0].length };
}

function bareLink(text, at, names) {
  if (names.inLink || WORD.test(text[at - 1] ?? " ")) return null;
  const pattern = /https?:\/\/[^\s<>]+/y;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (!match) return null;
  const address = trimAddress(match[0]);
  const node = link(address, address);
  return node && { node, end: at + address.length };
}

/** Punctuation that ends the sentence, or a bracket that opened before the address, is not part of it. */
function trimAddress(address) {
  let end = address.length;
  let balance = [...address].reduce((sum, char) => sum + (char === "(") - (char === ")"), 0);
  while (/[.,:;!?'"*_~|)\]]/.test(address[end - 1])) {
    if (address[end - 1] === ")") {
      if (balance >= 0) break;
      balance += 1;
    }
    end -= 1;
  }
  return address.slice(0, end);
}

function link(address, label) {
  const url = safeUrl(address);
  return url && externalLink(url, label);
}

function everyone(text, at) {
  const match = /^@(?:everyone|here)\b/.exec(text.slice(at, at + 12));
  return match && { node: pill(match[0], {}), end: at + match[0].length };
}
