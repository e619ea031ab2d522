/** Voice messages and audio: a button to hear it, how loud it is over time, and how long. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const BARS = 40;
const LOWEST = 3; // pixels of a silent bar
const HIGHEST = 24;

/** An audio file of the playground's own store, at `local`. Nothing is loaded before somebody wants to hear it. */
export function audioView({ filename, duration_secs: seconds, waveform }, local) {
  const sound = h("audio", { src: local, preload: "none" });
  const isVoice = typeof seconds === "number";
  const name = isVoice ? `Voice message, ${lengthOf(seconds)}` : filename;
  const button = h("button", { class: "voice-play", type: "button", onclick: () => toggle(sound) });
  const show = () => {
    fill(button, icon(sound.paused ? "play" : "stop"));
    button.setAttribute("aria-label", sound.paused ? `Play ${name}` : "Pause");
  };
  for (const event of ["play", "pause", "ended"]) sound.addEventListener(event, show);
  show();
  return h(
    "div",
    { class: "voice", role: "group", "aria-label": name },
    button,
    isVoice ? bars(loudness(waveform)) : h("span", { class: "attachment-name" }, filename),
    isVoice && h("span", { class: "voice-length" }, `🎙 ${lengthOf(seconds)}`),
    sound,
  );
}

function toggle(sound) {
  if (sound.paused) sound.play().catch(() => {});
  else sound.pause();
}

function bars(values) {
  const made = values.map((value) => {
    const bar = h("i");
    bar.style.setProperty("--height", `${Math.round(LOWEST + (value / 255) * (HIGHEST - LOWEST))}px`);
    return bar;
  });
  return h("span", { class: "voice-bars", "aria-hidden": "true" }, made);
}

/** The values of a waveform, one for each bar; silence where it cannot be read. */
function loudness(waveform) {
  let bytes = "";
  try {
    bytes = atob(waveform ?? "");
  } catch {
    // Whoever sent it wrote no base64.
  }
  const at = (index) => bytes.charCodeAt(Math.floor((index * bytes.length) / BARS));
  return Array.from({ length: BARS }, (_, index) => (bytes ? at(index) : 0));
}

function lengthOf(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
