/** Times as people read them, in the reader's own time zone. */

const TIME = { hour: "2-digit", minute: "2-digit" };
const STYLES = {
  t: TIME,
  T: { ...TIME, second: "2-digit" },
  d: { day: "2-digit", month: "2-digit", year: "numeric" },
  D: { day: "numeric", month: "long", year: "numeric" },
  f: { day: "numeric", month: "long", year: "numeric", ...TIME },
  F: { weekday: "long", day: "numeric", month: "long", year: "numeric", ...TIME },
};
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function formatDate(date, style) {
  return new Intl.DateTimeFormat(undefined, STYLES[style]).format(date);
}

/** "3 minutes ago", "in 2 days". */
export function formatRelative(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return RELATIVE.format(Math.trunc(seconds / size), unit);
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
      element.textContent = formatRelative(new Date(element.dateTime));
    }
  }, 15000);
}
