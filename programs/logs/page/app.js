/** The page of the logs: numbers, plots, the list of recent turns and one turn's waterfall, all as they change. */

import { fill, h } from "/page/dom.js";
import { icon } from "/page/icons.js";
import { applyTheme, toggleTheme } from "/page/theme.js";
import { drawLatency, drawTokens } from "/page/charts.js";
import { clock, count, percentile, took } from "/page/format.js";
import { drawTurn } from "/page/waterfall.js";

const PAUSE = 400; // milliseconds between two looks, however often the log changes

const by = (id) => document.getElementById(id);
let chosen = new URLSearchParams(location.hash.slice(1)).get("turn");
let looking = false;
let again = false;

async function look() {
  again = looking;
  if (looking) return;
  looking = true;
  try {
    const { log, turns } = await load("/api/turns");
    by("path").textContent = log;
    drawTiles(turns);
    drawLatency(by("latency"), turns, choose);
    drawTokens(by("tokens"), turns, choose);
    drawRows(turns);
    await drawChosen();
  } catch {
    return; // the connection is lost: the stream says so, and comes back with a new look
  } finally {
    setTimeout(() => {
      looking = false;
      if (again) look();
    }, PAUSE);
  }
}

async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function drawTiles(turns) {
  const ended = turns.filter((turn) => turn.worked !== null);
  const seconds = ended.map((turn) => turn.worked);
  const firsts = turns.map((turn) => turn.first_token).filter((value) => value !== null);
  const failed = turns.filter((turn) => turn.state === "failed").length;
  const sum = (name) => turns.reduce((total, turn) => total + (turn[name] ?? 0), 0);
  fill(
    by("tiles"),
    tile("Recent turns", count(turns.length)),
    tile("Failed", count(failed), failed > 0),
    tile("Turn, median", took(percentile(seconds, 0.5))),
    tile("Turn, 90 %", took(percentile(seconds, 0.9))),
    tile("First token, median", took(percentile(firsts, 0.5))),
    tile("Tokens in", count(sum("input_tokens"))),
    tile("Tokens out", count(sum("output_tokens"))),
  );
}

function tile(name, value, bad = false) {
  return h(
    "li",
    { class: bad ? "tile bad" : "tile" },
    h("div", { class: "tile-name" }, name),
    h("div", { class: "tile-value" }, value || "–"),
  );
}

function drawRows(turns) {
  by("empty").hidden = turns.length > 0;
  const focused = document.activeElement?.closest("#rows tr")?.dataset.turn;
  fill(by("rows"), turns.map(row));
  if (focused) by("rows").querySelector(`[data-turn="${CSS.escape(focused)}"] button`)?.focus({ preventScroll: true });
}

function row(turn) {
  const tokens = turn.input_tokens === null ? "" : count(turn.input_tokens + turn.output_tokens);
  return h(
    "tr",
    {
      dataset: { turn: turn.id },
      "aria-current": turn.id === chosen && "true",
      onclick: () => choose(turn.id),
    },
    h("td", {}, h("button", { type: "button", class: "open-turn", title: turn.at ?? "" }, clock(turn.at))),
    h("td", { class: "prompt", title: turn.session }, turn.prompt || turn.session),
    h("td", {}, h("span", { class: `state ${turn.state}` }, turn.state)),
    h("td", { class: "model", title: turn.model }, turn.model),
    h("td", { class: "number" }, tokens),
    h("td", { class: "number" }, took(turn.seconds)),
  );
}

async function choose(turn) {
  chosen = turn;
  history.replaceState(null, "", `#${new URLSearchParams({ turn })}`);
  for (const line of by("rows").children) {
    if (line.dataset.turn === chosen) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
  }
  await drawChosen();
  by("turn").scrollIntoView({ block: "nearest" });
}

async function drawChosen() {
  const wanted = chosen;
  if (wanted === null) return drawTurn(by("turn"), null);
  let turn;
  try {
    turn = await load(`/api/turns/${encodeURIComponent(wanted)}`);
  } catch (error) {
    turn = { error: error.message };
  }
  if (wanted === chosen) drawTurn(by("turn"), turn);
}

function say(kind, text) {
  by("status").className = `status ${kind}`;
  by("status").firstElementChild.textContent = text;
}

function listen() {
  const changes = new EventSource("/api/changes");
  changes.onmessage = () => {
    say("online", "Live");
    look();
  };
  changes.onerror = () => {
    say("lost", "Reconnecting…");
    if (changes.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
}

applyTheme();
by("theme").append(icon("sun"));
by("theme").addEventListener("click", toggleTheme);
listen();
