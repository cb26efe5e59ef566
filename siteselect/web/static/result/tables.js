// Small tables of figures, and the bars beside them.
//
//   plainTable({ caption, columns: [{ label, numeric, text: (row) => …, head }], rows })
import { h } from "../lib/dom.js";
import { lang, number, w } from "../lib/words.js";

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

/** A table of people's size: every row is in the page. A cell is a text or a node. */
export function plainTable({ caption, columns, rows, kind = "", hidden = true }) {
  const line = (row) => h("tr", {}, columns.map((one) =>
    h(one.head ? "th" : "td", { scope: one.head ? "row" : null, class: one.numeric ? "num" : null },
      one.text(row))));
  return h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption },
    h("table", { class: `plain ${kind}`.trim() },
      h("caption", { class: hidden ? "sr" : null }, caption),
      h("thead", {}, h("tr", {}, columns.map((one) =>
        h("th", { scope: "col", class: one.numeric ? "num" : null }, one.label)))),
      h("tbody", {}, rows.map(line))));
}

/** A cell of a table that came as columns and rows: numbers in the language, codes as text. */
export function cell(value, digits = 3) {
  if (value === null || value === undefined || value === "") return "—";
  if (value === true) return w("yes");
  if (value === false) return w("no");
  if (typeof value !== "number") return value === "inf" ? number(value) : String(value);
  if (Number.isInteger(value)) return number(value, 0);
  return number(value, Math.abs(value) >= 1000 ? 0 : digits);
}

/** {columns: [{key,label,numeric}], rows: [[…]]} as a table; the first column heads its row. */
export function foreignTable(table, { caption, text = null, skip = new Set(), most = 50 } = {}) {
  const kept = table.columns.map((one, at) => ({ ...one, at })).filter((one) => !skip.has(one.key));
  return plainTable({
    caption,
    columns: kept.map((one, place) => ({ label: one.label, numeric: one.numeric, head: place === 0,
      text: (row) => text?.(one.key, row[one.at], row) ?? cell(row[one.at], one.key.endsWith("_ha") ? 2 : 3) })),
    rows: table.rows.slice(0, most),
  });
}

/** A share of 0 to 1 as a bar; the figure stands beside it, so the drawing is not read out. */
export function shareBar(share) {
  const width = Math.round(1000 * Math.min(1, Math.max(0, share || 0))) / 10;
  return svg("svg", { class: "bar", viewBox: "0 0 100 8", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "track", width: 100, height: 8 }), svg("rect", { class: "fill", width, height: 8 }));
}

/** Texts as the language lists them. */
export const listed = (texts) =>
  new Intl.ListFormat(lang === "fr" ? "fr-FR" : "en-GB", { type: "conjunction" }).format(texts);
