/** The message list: draws only what changed, and stays at the bottom exactly when it was there. */

import { compareIds } from "./entities.js";
import { messageView } from "./message.js";

const NEAR = 48;

export class MessageList {
  #pinned = true;
  #lastTop = 0;
  #pendingIds = new Set();

  /** `context` is what `messageView` takes; `loadOlder` reads one more page of the current channel. */
  constructor({ scroller, list, jump, context, loadOlder }) {
    Object.assign(this, { scroller, list, jump, context, loadOlder });
    const { store } = context;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    jump.addEventListener("click", () => this.toBottom());
    const grown = new ResizeObserver(() => this.keep());
    grown.observe(list);
    grown.observe(scroller);
    store.on("current", () => this.#reset(true));
    store.on("messages", (change) => change.channelId === store.current && this.#apply(change));
    store.on("pending", () => this.#redrawPending());
    for (const topic of ["people", "channels"]) store.on(topic, () => this.#reset(this.#pinned));
    list.addEventListener("keydown", (event) => this.#walk(event));
  }

  toBottom() {
    this.#pinned = true;
    this.jump.hidden = true;
    this.keep();
  }

  /** Draw one message anew. */
  redraw(id) {
    this.#draw(id);
    this.keep();
  }

  element(id) {
    return this.list.querySelector(`:scope > [data-message-id="${CSS.escape(id)}"]`);
  }

  /** Show a message and flash it; answers whether it is among those read so far. */
  reveal(id) {
    const element = this.element(id);
    element?.scrollIntoView({ block: "center" });
    element?.animate([{ backgroundColor: "var(--accent-soft)" }, { backgroundColor: "transparent" }], 1600);
    return element !== null;
  }

  #messages() {
    return this.context.store.messages(this.context.store.current) ?? [];
  }

  #apply({ kind, id }) {
    if (kind === "reset") return this.#reset(this.#pinned);
    const last = this.#messages().at(-1);
    const isNew = kind === "upsert" && !this.element(id) && last?.id === id;
    if (kind === "remove") this.#removeElement(id);
    else this.#draw(id);
    if (isNew && last.author.id === this.context.store.me.id) this.toBottom();
    else if (isNew && !this.#pinned) this.jump.hidden = false;
    return this.keep();
  }

  #reset(pinned) {
    const messages = this.#messages();
    const anchor = pinned ? null : this.#firstVisible();
    this.list.replaceChildren(
      ...messages.map((message, index) => messageView(message, messages[index - 1] ?? null, this.context)),
    );
    this.#pinned = pinned;
    if (pinned) this.toBottom();
    else if (anchor) this.#restore(anchor);
    this.#rove();
  }

  /** Replace or insert the message, and its follower when it is new: whether that joins depends on it. */
  #draw(id) {
    const messages = this.#messages();
    const index = messages.findIndex((message) => message.id === id);
    if (index < 0) return;
    const old = this.element(id);
    const fresh = messageView(messages[index], messages[index - 1] ?? null, this.context);
    if (old) {
      this.#replace(old, fresh);
      return;
    }
    const follower = messages[index + 1];
    this.list.insertBefore(fresh, follower ? this.element(follower.id) : null);
    if (follower) this.#draw(follower.id);
    this.#rove();
  }

  #replace(old, fresh) {
    const customId = old.contains(document.activeElement) && document.activeElement.dataset.customId;
    const focused = old === document.activeElement;
    const toolbar = old.querySelector(":scope > .toolbar");
    fresh.tabIndex = old.tabIndex;
    if (toolbar) fresh.append(toolbar);
    old.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
    if (customId) fresh.querySelector(`[data-custom-id="${CSS.escape(customId)}"]`)?.focus({ preventScroll: true });
  }

  #removeElement(id) {
    this.element(id)?.remove();
    const follower = this.#messages().find((message) => compareIds(message.id, id) > 0);
    if (follower) this.#draw(follower.id);
    this.#rove();
  }

  #redrawPending() {
    const ids = new Set([...this.context.store.pending.values()].map((one) => one.message_id).filter(Boolean));
    for (const id of new Set([...ids, ...this.#pendingIds])) this.#draw(id);
    this.#pendingIds = ids;
    this.keep();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atBottom = scrollHeight - scrollTop - clientHeight < NEAR;
    // Growing text moves the bottom away without anybody scrolling: only an upward move lets go of it.
    this.#pinned = atBottom || (this.#pinned && scrollTop >= this.#lastTop);
    this.#lastTop = scrollTop;
    if (this.#pinned) this.jump.hidden = true;
    if (scrollTop < 200 && this.#messages().length > 0) this.loadOlder();
  }

  /** Go on showing the bottom, when that is what is shown. */
  keep() {
    if (!this.#pinned) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#lastTop = this.scroller.scrollTop;
  }

  #firstVisible() {
    const top = this.scroller.getBoundingClientRect().top;
    const element = [...this.list.children].find((child) => child.getBoundingClientRect().bottom > top);
    return element && { id: element.dataset.messageId, top: element.getBoundingClientRect().top };
  }

  #restore({ id, top }) {
    const element = this.element(id);
    if (element) this.scroller.scrollTop += element.getBoundingClientRect().top - top;
  }

  /** One tab stop for the whole list; the arrow keys walk it. */
  #rove() {
    if (!this.list.querySelector(':scope > [tabindex="0"]') && this.list.lastElementChild) {
      this.list.lastElementChild.tabIndex = 0;
    }
  }

  #walk(event) {
    if (!event.target.matches(".message")) return;
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    const ends = { Home: this.list.firstElementChild, End: this.list.lastElementChild };
    const next = step ? event.target[step] : ends[event.key];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
