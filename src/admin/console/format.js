// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const NONE = "–";

export const none = NONE;

export function count(number) {
  return number === null || number === undefined ? NONE : whole.format(number);
}

/** Requests a second. */
export function rate(number) {
  if (number === null || number === undefined) return NONE;
  if (number === 0) return "0";
  if (number < 0.095) return "< 0.1";
  return number < 9.95 ? number.toFixed(1) : whole.format(number);
}

export function milliseconds(number) {
  if (number === null || number === undefined) return NONE;
  if (number < 0.095) return "< 0.1 ms";
  if (number < 9.95) return `${number.toFixed(1)} ms`;
  if (number < 999.5) return `${whole.format(number)} ms`;
  return `${(number / 1000).toFixed(number < 9950 ? 2 : 1)} s`;
}

/** A part of all in percent, without its sign, with as many digits as say something. */
export function part(share) {
  const percent = share * 100;
  if (percent >= 9.95) return percent.toFixed(0);
  if (percent >= 0.995) return percent.toFixed(1).replace(/\.0$/, "");
  if (percent === 0 || percent >= 0.005) return String(Number(percent.toFixed(2)));
  return "< 0.01";
}

export function bytes(number) {
  if (number === null || number === undefined) return NONE;
  let [value, unit] = [number, 0];
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 || value >= 99.5 ? whole.format(value) : value.toFixed(1)} ${units[unit]}`;
}

export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, unit] = parts[first];
  const next = parts[first + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${next && rest > 0 && first < 3 ? ` ${rest} ${next[1]}` : ""}`;
}

export function ago(time, now = Date.now()) {
  if (!time) return NONE;
  const past = now - Date.parse(time);
  return past < 1000 ? "just now" : `${span(past)} ago`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The time of day, with the day if it is another. */
export function moment(time) {
  if (!time) return NONE;
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
