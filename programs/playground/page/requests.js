/** The side panel that lists, live, what the bot asks of the REST API. */

import { externalLink, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { LOGS } from "./logs.js";

export class RequestsPanel {
  #drawn = new Map();

  constructor(element, { store, close }) {
    this.element = element;
    this.list = h("ol", { class: "request-list", tabindex: "0", "aria-label": "Requests, the newest first" });
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
    store.on("requests", () => this.#draw(store.requests));
  }

  /** Each request is drawn once: only new ones are put on top and forgotten ones taken away. */
  #draw(requests) {
    this.empty.hidden = requests.length > 0;
    const kept = new Set(requests);
    for (const [request, row] of this.#drawn) {
      if (kept.has(request)) continue;
      row.remove();
      this.#drawn.delete(request);
    }
    for (const request of requests) {
      if (this.#drawn.has(request)) continue;
      this.#drawn.set(request, rowView(request));
      this.list.prepend(this.#drawn.get(request));
    }
  }
}

function rowView({ method, route, path, status, ms, at }) {
  return h(
    "li",
    { class: status >= 400 || status === 0 ? "request failed" : "request", title: `${path ?? route}\n${at ?? ""}` },
    h("span", { class: `method ${method.toLowerCase()}` }, method),
    h("span", { class: "route" }, breakable(route)),
    h("span", { class: "request-status" }, status === 0 ? "cut" : String(status)),
    h("span", { class: "request-ms" }, `${Math.round(ms)} ms`),
  );
}

/** A path that breaks between its parts rather than within them. */
function breakable(path) {
  return path.split("/").flatMap((part, index) => (index === 0 ? [part] : [h("wbr"), `/${part}`]));
}
