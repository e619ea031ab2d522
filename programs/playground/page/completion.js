/** The list of completions over the composer: drawn, walked by keys, chosen by key or pointer. */

import { fill, h } from "./dom.js";
import { avatar } from "./people.js";

const TITLES = { command: "Commands", option: "Options", value: "Values", mention: "Mentions" };

export class Completion {
  #offer = null;
  #active = -1;

  /** `choose(item, offer)` puts an item into the text of `field`. */
  constructor({ field, list, choose }) {
    Object.assign(this, { field, list, choose });
    list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  show(offer) {
    this.#offer = offer && offer.items.length > 0 ? offer : null;
    this.#active = this.#offer?.preselect ? 0 : -1;
    this.#draw();
  }

  hide() {
    this.show(null);
  }

  /** Handle a key of the field; answers whether it was used up. */
  key(event) {
    if (!this.#offer || event.isComposing) return false;
    const { items } = this.#offer;
    if (event.key === "ArrowDown") this.#move((this.#active + 1) % items.length);
    else if (event.key === "ArrowUp") this.#move((Math.max(this.#active, 0) + items.length - 1) % items.length);
    else if (event.key === "Escape") this.hide();
    else if (event.key === "Tab" && !event.shiftKey) this.#pick(Math.max(this.#active, 0));
    else if (event.key === "Enter" && !event.shiftKey && this.#active >= 0 && !this.#complete())
      this.#pick(this.#active);
    else return false;
    return true;
  }

  /** A command typed out needs no completing: Enter sends it. */
  #complete() {
    return this.#offer.kind === "command" && this.#offer.items[this.#active].label === this.field.value.trim();
  }

  #pick(index) {
    const offer = this.#offer;
    this.hide();
    this.choose(offer.items[index], offer);
  }

  #move(index) {
    this.#active = index;
    this.#draw();
  }

  #draw() {
    this.list.hidden = !this.#offer;
    if (this.#active < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `suggestion-${this.#active}`);
    if (!this.#offer) return;
    const { kind, items } = this.#offer;
    fill(
      this.list,
      h("li", { class: "suggestion-title", role: "presentation" }, TITLES[kind]),
      items.map((item, index) => this.#item(item, index, kind)),
    );
    this.list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  #item(item, index, kind) {
    return h(
      "li",
      {
        id: `suggestion-${index}`,
        role: "option",
        class: `suggestion ${kind}-suggestion`,
        "aria-selected": String(index === this.#active),
        onclick: () => this.#pick(index),
      },
      item.user && avatar(item.user, "tiny"),
      h("strong", {}, item.label),
      item.extra && h("span", { class: "suggestion-extra" }, item.extra),
      h("span", { class: "suggestion-detail" }, item.detail),
    );
  }
}
