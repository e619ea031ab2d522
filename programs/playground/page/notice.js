/** The line over the page: what people should know of this server, until they close it. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const CLOSED = "notice-closed"; // the text that was closed last, so that another one is shown

/** Show the notice of the store in `element`; what one closed stays closed in this browser. */
export function attachNotice(element, store) {
  const draw = () => {
    const text = store.notice;
    element.hidden = !text || localStorage.getItem(CLOSED) === text;
    const close = () => {
      localStorage.setItem(CLOSED, text);
      draw();
    };
    fill(
      element,
      h("span", {}, text),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close the notice", onclick: close }, icon("close")),
    );
  };
  store.on("notice", draw);
}
