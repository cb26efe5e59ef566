// Words and numbers in the language of the page.
//
//   import { w, number, ha, percent, date } from "./lib/words.js";
//   w("rows_shown", { shown: number(12), total: number(24000) })
//
// The server writes the texts (siteselect/web/words*.py) into <script id="words">; a key that is
// not there is shown as it is, so that a missing word is seen and never breaks a page.
export const lang = document.documentElement.lang || "fr";
const locale = lang === "fr" ? "fr-FR" : "en-GB";
const source = document.getElementById("words");
const texts = source ? JSON.parse(source.textContent) : {};

export const has = (key) => Object.hasOwn(texts, key);

export function w(key, values = {}) {
  const text = has(key) ? texts[key] : key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** One or other by number; in French 0 is singular: w_one, w_other. */
const rules = new Intl.PluralRules(locale);
export const plural = (n, key, values = {}) =>
  w(`${key}_${rules.select(n) === "one" ? "one" : "other"}`, { n: number(n), ...values });

const formats = new Map();
function format(digits, least = digits) {
  const key = `${digits}/${least}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(locale,
      { maximumFractionDigits: digits, minimumFractionDigits: least }));
  }
  return formats.get(key);
}

/** Unknown (null) and unreachable (Infinity, "inf") are said in words, never as a number. */
export function number(value, digits = 0) {
  if (value === "inf" || value === Infinity) return w("unreachable");
  if (value === null || value === undefined || Number.isNaN(value)) return w("unknown");
  const shown = format(digits).format(value);
  return /^-[0.,]*$/.test(shown) ? shown.slice(1) : shown.replace("-", "−");
}
/** As many decimals as there are, up to ``most``: 5, 0,25. */
export const short = (value, most = 6) => format(most, 0).format(value).replace("-", "−");
export const ha = (value, digits = 2) =>
  Number.isFinite(value) ? `${number(value, digits)}\u00a0ha` : number(value);
export const percent = (share, digits = 0) =>
  Number.isFinite(share)
    ? `${number(share * 100, digits)}${lang === "fr" ? "\u00a0" : ""}%`
    : number(share);
export const signed = (value, digits = 2) =>
  (Number.isFinite(value) && value > 0 ? "+" : "") + number(value, digits);

const days = new Intl.DateTimeFormat(locale, { dateStyle: "short" });
const times = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "short" });
const parsed = (iso) => (iso ? new Date(iso) : null);
export const date = (iso) => (parsed(iso) ? days.format(parsed(iso)) : "—");
export const moment = (iso) => (parsed(iso) ? times.format(parsed(iso)) : "—");

/** Seconds as people say them: 8 s, 2 min 05 s, 1 h 12 min. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3600) return `${Math.floor(s / 60)}\u00a0min\u00a0${String(s % 60).padStart(2, "0")}\u00a0s`;
  return `${Math.floor(s / 3600)}\u00a0h\u00a0${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}\u00a0min`;
}

/** Compares texts as the language sorts them, numbers inside them by value. */
export const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
/** For searching: no case, no accents. */
export const plain = (text) => String(text).normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
