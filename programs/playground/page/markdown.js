/** Discord's Markdown between lines: paragraphs, headings, small print, quotes, lists and code blocks. */

import { h } from "./dom.js";
import { highlight } from "./highlight.js";
import { inline } from "./inline.js";

const FENCE = "```";
const HEADING = /^(#{1,3}) +(\S.*)$/;
const SMALL = /^-# +(\S.*)$/;
const ITEM = /^( *)([-*]|\d{1,9}\.) +(\S.*)$/;
const LANGUAGE = /^([\w+#.-]{1,24})\n/;

/** A fragment of `text`; see `inline` for `names`. */
export function markdown(text, names) {
  const fragment = document.createDocumentFragment();
  new Blocks(text, names, fragment).run();
  return fragment;
}

const PREVIEWED = 300; // characters of a text that are read for its first words

/** The first words of `text` without its marks, for a preview line. */
export function plainText(text, names) {
  // A mention that the end cuts in two would be shown as it is written.
  const beginning = text.length > PREVIEWED ? text.slice(0, PREVIEWED).replace(/<[^<>\s]*$/, "") : text;
  const fragment = markdown(beginning, names);
  for (const spoiler of fragment.querySelectorAll(".spoiler")) spoiler.replaceWith("▇▇▇");
  for (const block of [...fragment.childNodes]) block.after(" ");
  return fragment.textContent.replace(/\s+/g, " ").trim();
}

class Blocks {
  #paragraph = [];
  #at = 0;

  constructor(text, names, target, quoted = false) {
    this.text = text;
    this.names = names;
    this.target = target;
    this.quoted = quoted;
  }

  run() {
    while (this.#at < this.text.length) this.#line();
    this.#flush();
  }

  #peek() {
    const end = this.text.indexOf("\n", this.#at);
    return this.text.slice(this.#at, end < 0 ? undefined : end);
  }

  #take() {
    const line = this.#peek();
    this.#at += line.length + 1;
    return line;
  }

  #line() {
    const line = this.#peek();
    if (!this.quoted && (line.startsWith("> ") || line.startsWith(">>> "))) return this.#quote();
    if (ITEM.test(line)) return this.#list();
    const heading = HEADING.exec(line);
    const small = SMALL.exec(line);
    if (heading) return this.#single(`h${heading[1].length + 1}`, `heading-${heading[1].length}`, heading[2]);
    if (small) return this.#single("p", "small-print", small[1]);
    if (line.includes(FENCE) && this.#code(line)) return undefined;
    return this.#paragraph.push(this.#take());
  }

  #single(tag, name, text) {
    this.#take();
    this.#add(h(tag, { class: name }, inline(text, this.names)));
  }

  #quote() {
    let inner;
    if (this.#peek().startsWith(">>> ")) {
      inner = this.text.slice(this.#at + 4);
      this.#at = this.text.length;
    } else {
      const lines = [];
      while (this.#at < this.text.length && this.#peek().startsWith("> ")) lines.push(this.#take().slice(2));
      inner = lines.join("\n");
    }
    const quote = h("blockquote");
    new Blocks(inner, this.names, quote, true).run();
    this.#add(quote);
  }

  /** A fence may open anywhere in a line and needs a closing one; without it the marks are plain text. */
  #code(line) {
    const open = this.#at + line.indexOf(FENCE);
    const close = this.text.indexOf(FENCE, open + FENCE.length);
    const body = close < 0 ? "" : this.text.slice(open + FENCE.length, close);
    if (!body.trim()) return false;
    const before = this.text.slice(this.#at, open);
    if (before.trim()) this.#paragraph.push(before);
    const language = LANGUAGE.exec(body)?.[1] ?? "";
    const code = (language ? body.slice(language.length) : body).replace(/^\n+|\n+$/g, "");
    this.#add(codeBlock(code, language));
    this.#at = close + FENCE.length;
    if (this.text[this.#at] === "\n") this.#at += 1;
    return true;
  }

  #list() {
    const root = { indent: -1, list: h("div") };
    const stack = [root];
    let item = null;
    for (let match; this.#at < this.text.length; this.#take()) {
      const line = this.#peek();
      match = ITEM.exec(line);
      if (match) {
        item = this.#item(stack, match);
      } else if (item && /^ {2,}\S/.test(line) && !line.includes(FENCE)) {
        item.append("\n", ...inline(line.trim(), this.names));
      } else {
        break;
      }
    }
    for (const list of [...root.list.children]) this.#add(list);
  }

  #item(stack, [, spaces, marker, text]) {
    const indent = Math.min(spaces.length, 20);
    while (stack.at(-1).indent > indent) stack.pop();
    const tag = /\d/.test(marker) ? "ol" : "ul";
    if (stack.at(-1).indent < indent) {
      const parent = stack.at(-1).list;
      const list = h(tag, tag === "ol" ? { start: String(parseInt(marker, 10)) } : {});
      (parent.lastElementChild?.matches("li") ? parent.lastElementChild : parent).append(list);
      stack.push({ indent, list });
    } else if (stack.at(-1).list.localName !== tag) {
      const list = h(tag, tag === "ol" ? { start: String(parseInt(marker, 10)) } : {});
      stack.at(-1).list.after(list);
      stack.at(-1).list = list;
    }
    const item = h("li", {}, inline(text, this.names));
    stack.at(-1).list.append(item);
    return item;
  }

  #add(block) {
    this.#flush();
    this.target.append(block);
  }

  #flush() {
    const text = this.#paragraph.join("\n").replace(/^\n+|\n+$/g, "");
    this.#paragraph = [];
    if (text.trim()) this.target.append(h("p", {}, inline(text, this.names)));
  }
}

function codeBlock(code, language) {
  return h(
    "div",
    { class: "code-block" },
    language && h("span", { class: "code-language" }, language),
    h(
      "pre",
      { tabindex: "0", "aria-label": language ? `Code, ${language}` : "Code" },
      h("code", {}, highlight(code, language)),
    ),
  );
}
