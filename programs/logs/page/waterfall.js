/** One turn: what it was, and its spans as bars under each other. */

import { fill, h } from "/page/dom.js";
import { clock, count, took } from "/page/format.js";
import { s } from "/page/svg.js";
import { Timeline } from "/page/timeline.js";

const WIDE = 1000; // units of a bar's drawing
let drawn = "";

/** Draw `turn` as the server tells it; null: none is chosen. What people unfolded stays so while it changes. */
export function drawTurn(panel, turn) {
  const told = JSON.stringify(turn);
  if (told === drawn) return;
  drawn = told;
  if (turn === null) return fill(panel, h("p", { class: "empty" }, "Choose a turn to see where its time went."));
  if (turn.error) return fill(panel, h("p", { class: "empty" }, turn.error));
  const same = panel.dataset.turn === turn.id;
  const unfolded = new Set(same ? [...panel.querySelectorAll(".span details[open]")].map((one) => one.dataset.key) : []);
  const focused = same && panel.contains(document.activeElement) && document.activeElement.parentElement.dataset.key;
  panel.dataset.turn = turn.id;
  const end = Math.max(...turn.spans.map((span) => span.start + (span.seconds ?? 0)), 0.000001);
  const timeline = new Timeline(end, turn.waits);
  const rows = turn.spans.map((span, index) => row(span, `${index} ${span.kind}`, end, timeline, unfolded));
  fill(panel, head(turn), shortened(timeline), h("ol", { class: "waterfall" }, rows));
  if (focused) panel.querySelector(`[data-key="${CSS.escape(focused)}"] summary`)?.focus({ preventScroll: true });
}

function head(turn) {
  const tokens = turn.input_tokens !== null && `${count(turn.input_tokens)} in, ${count(turn.output_tokens)} out`;
  return h(
    "div",
    { class: "turn-head" },
    h("h3", {}, turn.prompt || "(the prompt is in an older file)"),
    h("span", { class: `state ${turn.state}` }, turn.state),
    [turn.session, clock(turn.at), turn.model, tokens, took(turn.seconds)].filter(Boolean).map((fact) => h("span", {}, fact)),
    h("code", {}, turn.id),
    turn.notice && h("p", { class: "turn-notice" }, turn.notice),
  );
}

/** Says that the drawing is not to scale, where it is not. */
function shortened(timeline) {
  if (timeline.cuts.length === 0) return false;
  const waited = timeline.cuts.reduce((sum, cut) => sum + cut.seconds, 0);
  return h("p", { class: "shortened" }, `Striped: ${took(waited)} of waiting for people, drawn shorter.`);
}

function row(span, key, end, timeline, unfolded) {
  const name = h(
    "span",
    { class: "span-name" },
    h("b", { title: span.name }, span.name),
    span.state && !["ok", "done"].includes(span.state) && h("span", { class: `state ${span.state}` }, span.state),
  );
  name.style.setProperty("--depth", Math.min(span.depth, 12));
  const start = Math.min(timeline.at(span.start) * WIDE, WIDE - 3);
  const until = timeline.at(span.start + (span.seconds ?? end - span.start)) * WIDE;
  return h(
    "li",
    { class: "span" },
    h(
      "details",
      { open: unfolded.has(key), dataset: { key } },
      h(
        "summary",
        {},
        name,
        s(
          "svg",
          { viewBox: `0 0 ${WIDE} 14`, preserveAspectRatio: "none", "aria-hidden": "true" },
          s("rect", {
            class: `bar ${span.kind} ${span.state}`,
            x: start,
            y: 2,
            width: Math.max(3, Math.min(until, WIDE) - start),
            height: 10,
          }),
          timeline.cuts.map((cut) => stripes(timeline, cut)),
        ),
        h("span", { class: "span-took" }, span.seconds === null ? "…" : span.seconds > 0 ? took(span.seconds) : ""),
      ),
      h("pre", {}, span.detail || "nothing more is known"),
    ),
  );
}

function stripes(timeline, cut) {
  const start = timeline.at(cut.start) * WIDE;
  const width = timeline.at(cut.start + cut.seconds) * WIDE - start;
  const lines = Array.from({ length: 5 }, (_, index) => `M${start + (width * (index + 0.5)) / 5} 0v14`);
  return s("path", { class: "cut", d: lines.join("") });
}
