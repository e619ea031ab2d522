/** Times as people read them, in the reader's own time zone. */

const TIME = { hour: "numeric", minute: "2-digit" };
const STYLES = {
  t: TIME,
  T: { ...TIME, second: "2-digit" },
  d: { day: "2-digit", month: "2-digit", year: "numeric" },
  D: { day: "numeric", month: "long", year: "numeric" },
  f: { day: "numeric", month: "long", year: "numeric", ...TIME },
  F: { weekday: "long", day: "numeric", month: "long", year: "numeric", ...TIME },
};
const YEAR = 365.2425 * 86400;
// Each unit with its seconds, and from how many on the next one is taken: Discord's thresholds, which are moment.js's.
const UNITS = [
  ["second", 1, 45],
  ["minute", 60, 45],
  ["hour", 3600, 22],
  ["day", 86400, 26],
  ["month", YEAR / 12, 11],
  ["year", YEAR, Infinity],
];
// Not "auto": its "tomorrow" is wrong for what is 23 hours away and still today.
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });

export function formatDate(date, style) {
  return new Intl.DateTimeFormat(undefined, STYLES[style]).format(date);
}

/** "3 minutes ago", "in 2 days": rounded to the nearest number of the unit, which is at least 1 past the seconds. */
export function formatRelative(date, now = Date.now()) {
  const seconds = Math.abs(date - now) / 1000;
  const [unit, size] = UNITS.find(([, size, end]) => Math.round(seconds / size) < end);
  const count = Math.max(Math.round(seconds / size), unit === "second" ? 0 : 1);
  return RELATIVE.format(date < now ? -count : count, unit);
}

/** What stands beside a name: the time today, "Yesterday at …", else the date and time. */
export function formatStamp(date) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86400000);
  if (days === 0) return formatDate(date, "t");
  if (days === 1) return `Yesterday at ${formatDate(date, "t")}`;
  return `${formatDate(date, "d")} ${formatDate(date, "t")}`;
}

export function sameDay(one, other) {
  return startOfDay(one) === startOfDay(other);
}

function startOfDay(date) {
  return new Date(date).setHours(0, 0, 0, 0);
}

/** Keep every `<time data-relative>` under `root` true as time goes by. */
export function keepRelativeTimes(root) {
  setInterval(() => {
    for (const element of root.querySelectorAll("time[data-relative]")) {
      const text = formatRelative(new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
}
