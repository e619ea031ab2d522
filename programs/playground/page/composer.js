/** The message box: text, attachments, replies and slash commands. */

import { CommandError, invocationOf, invocations, readOptions, segments } from "./commands.js";
import { Completion } from "./completion.js";
import { hintViews, replyViews } from "./composer_bars.js";
import { fill, h } from "./dom.js";
import { isDm, isThread } from "./entities.js";
import { icon } from "./icons.js";
import { encodeMentions } from "./mentions.js";
import { channelTitle } from "./people.js";
import { suggest } from "./suggest.js";
import { toast } from "./toast.js";
import { attachFiles } from "./uploads.js";
import { charactersLeft, shutReason, tooLong } from "./writing.js";

const TYPING_EVERY = 8000;
const WARN = 200; // characters left from which on they are counted

export class Composer {
  #reply = null;
  #picked = new Map();
  #drafts = new Map();
  #channel = null;
  #asked = 0;
  #typedAt = 0;
  #sending = false;

  constructor(form, { store, actions }) {
    Object.assign(this, { form, store, actions });
    this.#build();
    this.completion = new Completion({
      field: this.field,
      list: this.list,
      choose: (item, offer) => this.#choose(item, offer),
    });
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("click", () => this.#suggest());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("blur", () => this.completion.hide());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.uploads = attachFiles({ form, field: this.field, tray: this.tray, button: this.attach });
    store.on("current", () => this.#switch());
    for (const topic of ["channels", "people"]) store.on(topic, () => this.store.me && this.#describe());
    store.on("commands", () => this.#isCommand() && this.#suggest());
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Put `words` where the caret is. */
  insert(words) {
    const { value, selectionStart, selectionEnd } = this.field;
    this.#setText(value.slice(0, selectionStart) + words + value.slice(selectionEnd), selectionStart + words.length);
    this.focus();
  }

  /** Answer `message` with what is sent next; null takes that back. */
  replyTo(message) {
    this.#reply = message && { message, ping: message.author.id !== this.store.me.id };
    this.#drawReply();
    if (message) this.focus();
  }

  #build() {
    this.list = h("ul", {
      class: "suggestions",
      id: "suggestions",
      role: "listbox",
      "aria-label": "Completions",
      hidden: true,
    });
    this.hint = h("div", { class: "command-hint", hidden: true });
    this.replyBar = h("div", { class: "reply-bar", hidden: true });
    this.tray = h("ul", { class: "tray", "aria-label": "Attachments", hidden: true });
    this.attach = h(
      "button",
      { type: "button", class: "icon-button", "aria-label": "Attach files", title: "Attach files" },
      icon("attach"),
    );
    this.field = h("textarea", {
      id: "composer",
      rows: "1",
      autocapitalize: "sentences",
      spellcheck: "true",
      "aria-autocomplete": "list",
      "aria-controls": "suggestions",
    });
    this.counter = h("span", { class: "counter", "aria-hidden": "true" });
    this.limit = h("p", { class: "limit", role: "status" });
    this.sendButton = h(
      "button",
      { type: "submit", class: "icon-button send", "aria-label": "Send", title: "Send" },
      icon("send"),
    );
    fill(
      this.form,
      this.list,
      this.hint,
      this.replyBar,
      h(
        "div",
        { class: "composer-box" },
        this.tray,
        h("div", { class: "composer-line" }, this.attach, this.field, this.counter, this.sendButton),
      ),
      this.limit,
    );
  }

  /** Each channel keeps its own unsent text. */
  #switch() {
    if (this.#channel === this.store.current) return;
    if (this.#channel) this.#drafts.set(this.#channel, this.field.value);
    this.#channel = this.store.current;
    this.replyTo(null);
    this.uploads.clear();
    this.#describe();
    this.#setText(this.#drafts.get(this.#channel) ?? "");
    if (matchMedia("(hover: hover)").matches) this.focus();
  }

  #describe() {
    const channel = this.store.channel(this.store.current);
    const shut = shutReason(channel, this.store);
    const title = channel && channelTitle(channel, this.store);
    const name = shut || (isDm(channel) ? `@${title}` : isThread(channel) ? title : `#${title}`);
    this.field.disabled = this.attach.disabled = Boolean(shut);
    this.field.placeholder = shut ?? `Message ${name}`;
    this.field.setAttribute("aria-label", this.field.placeholder);
  }

  #setText(text, caret = text.length) {
    this.field.value = text;
    this.field.setSelectionRange(caret, caret);
    this.#grow();
    return this.#suggest();
  }

  #changed() {
    this.#grow();
    this.#suggest();
    const now = Date.now();
    const text = this.field.value;
    if (text.trim() && !text.startsWith("/") && now - this.#typedAt > TYPING_EVERY) {
      this.#typedAt = now;
      this.actions.typing();
    }
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
    this.#count();
  }

  /** What is left of the longest message: shown near its end, and told once it is past. */
  #count() {
    const left = this.#isCommand() ? WARN : charactersLeft(this.field.value, this.store);
    this.counter.textContent = left < WARN ? String(left) : "";
    this.counter.classList.toggle("over", left < 0);
    this.limit.textContent = tooLong(left);
    this.field.setAttribute("aria-invalid", String(left < 0));
    this.sendButton.disabled = left < 0;
  }

  #isCommand() {
    return this.field.value.startsWith("/");
  }

  async #suggest() {
    this.#asked += 1;
    const mine = this.#asked;
    const { value, selectionStart } = this.field;
    const offer = await suggest(value, selectionStart, this.store, (invocation, part) =>
      this.#autocomplete(mine, invocation, part),
    );
    if (mine !== this.#asked) return;
    this.completion.show(document.activeElement === this.field ? offer : null);
    this.#drawHint(offer?.hint ?? null);
  }

  /** Values from the bot, asked for once typing pauses. */
  async #autocomplete(mine, invocation, { option, text }) {
    if (this.#picked.has(`${option.name} ${text}`)) return [];
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (mine !== this.#asked) return [];
    const given = segments(this.field.value, invocation).filter((part) => part.option);
    const choices = await this.actions.autocomplete(invocation, given, option);
    for (const { name, value } of choices) this.#picked.set(`${option.name} ${name}`, value);
    return choices;
  }

  #choose(item, { from }) {
    const { value, selectionStart } = this.field;
    const after = value.slice(selectionStart).replace(/^ /, "");
    this.#setText(value.slice(0, from) + item.insert + after, from + item.insert.length);
    this.focus();
  }

  #drawHint(hint) {
    this.hint.hidden = !hint;
    if (!hint) return;
    fill(this.hint, hintViews(hint));
  }

  #drawReply() {
    this.replyBar.hidden = !this.#reply;
    if (!this.#reply) return;
    const toggle = () => {
      this.#reply.ping = !this.#reply.ping;
      this.#drawReply();
      this.focus();
    };
    const cancel = () => {
      this.replyTo(null);
      this.focus();
    };
    fill(this.replyBar, replyViews(this.#reply, { toggle, cancel }));
  }

  #key(event) {
    if (event.isComposing) return;
    if (this.completion.key(event)) {
      event.preventDefault();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#reply) {
      this.replyTo(null);
    } else if (event.key === "ArrowUp" && this.field.value === "") {
      event.preventDefault();
      this.actions.editLast();
    }
  }

  async #submit() {
    const text = this.field.value.trim();
    const files = this.uploads.files();
    if (this.#sending || (!text && files.length === 0)) return;
    this.#sending = true;
    try {
      const invocation = text.startsWith("/") && invocationOf(text, invocations(this.store.usableCommands()));
      if (invocation) await this.#useCommand(text, invocation, files);
      else await this.#send(text, files);
      this.#sent(text);
    } catch (error) {
      if (error instanceof CommandError) this.completion.hide();
      toast(error.message);
    } finally {
      this.#sending = false;
    }
  }

  async #useCommand(text, invocation, files) {
    const options = readOptions(text, invocation, { store: this.store, picked: this.#picked, files });
    await this.actions.useCommand(invocation.command, options, files);
    this.uploads.clear();
  }

  async #send(text, files) {
    const { message, ping } = this.#reply ?? {};
    const problem = tooLong(charactersLeft(text, this.store));
    if (problem) throw new Error(problem);
    await this.actions.post({ content: encodeMentions(text, this.store), replyTo: message?.id, ping, files });
    this.replyTo(null);
    this.uploads.clear();
    this.#typedAt = 0;
  }

  /** Empty the box, unless the person went on typing while it was sent. */
  #sent(text) {
    if (this.field.value.trim() === text) this.#setText("");
  }
}
