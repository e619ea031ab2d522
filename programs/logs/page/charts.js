/** The two plots: how long turns took, and their tokens; one column per turn, the newest at the right. */

import { fill, h } from "/page/dom.js";
import { count, took } from "/page/format.js";
import { s } from "/page/svg.js";

const MOST = 60; // turns in a plot
const WIDTH = 600;
const HEIGHT = 170;
const LEFT = 58;
const TOP = 10;
const BOTTOM = 8;

export function drawLatency(figure, turns, choose) {
  const shown = newest(turns);
  const plot = new Plot(shown, (turn) => Math.max(turn.worked ?? 0, turn.first_token ?? 0), took);
  const marks = shown.flatMap((turn, column) => {
    const waited = turn.seconds - turn.worked >= 0.01 ? `, and ${took(turn.seconds - turn.worked)} waiting for people` : "";
    const title = `${turn.prompt}\n${turn.state}, ${took(turn.worked)}${waited}, first token ${took(turn.first_token) || "unknown"}`;
    const dot = (value, kind, radius) =>
      value !== null &&
      s(
        "circle",
        { class: `mark ${kind}`, cx: plot.x(column), cy: plot.y(value), r: radius, onclick: () => choose(turn.id) },
        s("title", {}, title),
      );
    return [dot(turn.worked, `turn ${word(turn.state)}`, 4), dot(turn.first_token, "first", 3)].filter(Boolean);
  });
  draw(figure, plot, "Duration, without waiting for people", [["turn", "turn"], ["bad", "failed or stopped"], ["first", "first token"]], marks);
}

export function drawTokens(figure, turns, choose) {
  const shown = newest(turns.filter((turn) => turn.input_tokens !== null));
  const plot = new Plot(shown, (turn) => turn.input_tokens + turn.output_tokens, count);
  const marks = shown.flatMap((turn, column) => {
    const title = `${turn.prompt}\n${count(turn.input_tokens)} in, of these ${count(turn.cached_tokens)} cached; ${count(turn.output_tokens)} out`;
    const cached = Math.min(turn.cached_tokens, turn.input_tokens);
    const parts = [["cached", cached], ["input", turn.input_tokens - cached], ["output", turn.output_tokens]];
    let under = 0;
    return parts.map(([kind, value]) => {
      const bar = s(
        "rect",
        {
          class: `mark ${kind}`,
          x: plot.x(column) - plot.barWidth / 2,
          y: plot.y(under + value),
          width: plot.barWidth,
          height: Math.max(0, plot.y(under) - plot.y(under + value)),
          onclick: () => choose(turn.id),
        },
        s("title", {}, title),
      );
      under += value;
      return bar;
    });
  });
  draw(figure, plot, "Tokens", [["input", "in"], ["cached", "in, cached"], ["output", "out"]], marks);
}

function newest(turns) {
  return turns.slice(0, MOST).reverse();
}

/** Only words of ours become classes. */
function word(state) {
  return /^[a-z]+$/.test(state) ? state : "";
}

class Plot {
  constructor(items, value, label) {
    this.step = (WIDTH - LEFT - 8) / Math.max(items.length, 12);
    this.barWidth = Math.max(2, this.step * 0.7);
    this.label = label;
    this.ticks = ticks(Math.max(0, ...items.map(value)));
    this.top = this.ticks.at(-1);
  }

  x(column) {
    return LEFT + (column + 0.5) * this.step;
  }

  y(value) {
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / this.top);
  }

  axis() {
    return this.ticks.flatMap((tick) => [
      s("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: this.y(tick), y2: this.y(tick) }),
      s("text", { class: "axis-text", x: LEFT - 8, y: this.y(tick) + 4, "text-anchor": "end" }, tick ? this.label(tick).replace(/\.00? /, " ") : "0"),
    ]);
  }
}

/** Round numbers from 0 to at least `top`, three to five of them. */
function ticks(top) {
  if (top <= 0) return [0, 1];
  const rough = top / 3;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * unit >= rough) * unit;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, index) => index * step);
}

function draw(figure, plot, name, keys, marks) {
  fill(
    figure,
    h("figcaption", {}, h("strong", {}, name), keys.map(([kind, text]) => h("span", { class: `key ${kind}` }, text))),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name} of recent turns` }, plot.axis(), marks),
  );
}
