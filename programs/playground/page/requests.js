/** The side panel that lists, live, what the bot asks of the REST API. */

import { externalLink, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { LOGS } from "./logs.js";

export class RequestsPanel {
  constructor(element, { store, close }) {
    this.element = element;
    this.list = h("ol", { class: "request-list" });
    this.empty = h(
      "p",
      { class: "request-empty" },
      "Nothing yet. Each call that the bot makes shows up here as it happens.",
    );
    fill(
      element,
      h(
        "header",
        { class: "requests-head" },
        h("h2", {}, "Requests of the bot"),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, icon("close")),
      ),
      this.empty,
      this.list,
      h(
        "p",
        { class: "request-empty logs-note" },
        "Turns and their traces: ",
        externalLink(LOGS, "the log page"),
        ", once you have started it with ",
        h("code", {}, "uv run python -m programs.logs serve"),
      ),
    );
    store.on("requests", (request) => this.#add(request, store.requests.length));
    store.requests.forEach((request) => this.#add(request, store.requests.length));
  }

  #add(request, kept) {
    const { method, route, path, status, ms, at } = request;
    const failed = status >= 400;
    this.empty.hidden = true;
    this.list.prepend(
      h(
        "li",
        { class: failed ? "request failed" : "request", title: `${path ?? route}\n${at ?? ""}` },
        h("span", { class: `method ${method.toLowerCase()}` }, method),
        h("span", { class: "route" }, breakable(route)),
        h("span", { class: "request-status" }, String(status)),
        h("span", { class: "request-ms" }, `${Math.round(ms)} ms`),
      ),
    );
    while (this.list.children.length > kept) this.list.lastElementChild.remove();
  }
}

/** A path that breaks between its parts rather than within them. */
function breakable(path) {
  return path.split("/").flatMap((part, index) => (index === 0 ? [part] : [h("wbr"), `/${part}`]));
}
