/** Numbers and times as people read them. */

const COUNT = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "2-digit" });

export function count(value) {
  return COUNT.format(value);
}

/** `2.4 ms`, `380 ms`, `1.24 s`, `3 m 07 s`; nothing for null. */
export function took(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  const rest = String(whole % 60).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)} m ${rest} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
}

/** The time of day, and the day where it is not today's. */
export function clock(at) {
  if (!at) return "–";
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
}

/** The value that `part` of all do not exceed; null without values. */
export function percentile(values, part) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted.length ? sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] : null;
}
