// The ledger of every territory: gross, restored, net beside the cap, and whether it is kept.
import { h, fill } from "../lib/dom.js";
import { number, plain, plural, w } from "../lib/words.js";
import { plainTable, svg } from "./tables.js";

const WIDTH = 140, TALL = 14;
const MOST = 150; // more rows than this are asked for by name
const SLACK_HA = 0.005; // half a unit of the model

export const respected = (row) => !has(row.balance_ha) || row.balance_ha >= -SLACK_HA;
const has = (value) => value !== null && value !== undefined && Number.isFinite(value);

export function showLedger(place, rows, regime) {
  const levels = [...new Map(rows.map((row) => [row.level, row.level_label])).entries()];
  const first = levels.find(([level]) => level === "region") ?? levels.find(([level]) => level !== "programme") ?? levels[0];
  const level = h("select", { name: "level" }, levels.map(([key, label]) =>
    h("option", { value: key, selected: first && key === first[0] }, `${label} (${rows.filter((row) => row.level === key).length})`)));
  const over = h("input", { type: "checkbox", name: "over" });
  const text = h("input", { type: "search", name: "text", autocomplete: "off" });
  const said = h("output", { "aria-live": "polite" });
  const body = h("div", {});
  const programme = rows.filter((row) => row.level === "programme");
  const draw = () => {
    const wanted = plain(text.value.trim());
    const some = rows.filter((row) => row.level === level.value && (!over.checked || !respected(row) || tight(row))
      && (!wanted || plain(`${row.name} ${row.code}`).includes(wanted)));
    said.textContent = some.length > MOST
      ? w("ledger_first", { shown: number(MOST), total: number(some.length) }) : plural(some.length, "territories");
    fill(body, ledgerTable(some.slice(0, MOST), levels.find(([key]) => key === level.value)?.[1] ?? ""));
  };
  for (const control of [level, over]) control.addEventListener("change", draw);
  text.addEventListener("input", draw);
  fill(place,
    regime ? h("p", { class: "note" }, `${regime.title} (${regime.version}, ${regime.period})`) : null,
    programme.length ? [h("h3", {}, w("programme_row")), ledgerTable(programme, w("programme_row"))] : null,
    h("h3", {}, w("territories_title")),
    h("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
      h("label", {}, w("level"), " ", level), h("label", {}, w("search"), " ", text),
      h("label", { class: "tick" }, over, " ", w("only_tight")), said),
    h("p", { class: "bar-key" }, key(), " ", w("bar_key")),
    body);
  draw();
}

/** Less than a hectare, or a twentieth of the cap, is left. */
const tight = (row) => has(row.cap_ha) && row.balance_ha < Math.max(1, 0.05 * Math.abs(row.cap_ha));

function ledgerTable(rows, caption) {
  const values = (name) => rows.map((row) => row[name]).filter(has);
  const high = Math.max(1, ...values("gross_ha"), ...values("net_ha"), ...values("cap_ha"));
  const low = Math.min(0, ...values("net_ha"), ...values("cap_ha"));
  const figure = (label, name) => ({ label, numeric: true, text: (row) => (has(row[name]) ? number(row[name], 2) : "—") });
  return plainTable({ caption: w("ledger_caption", { level: caption }), kind: "ledger",
    columns: [
      { label: w("territory"), head: true, text: (row) => [row.name, " ", h("small", { class: "soft" }, row.code)] },
      figure(w("gross_ha"), "gross_ha"), figure(w("restored_ha"), "restored_ha"),
      figure(w("net_ha"), "net_ha"), figure(w("cap_ha"), "cap_ha"), figure(w("margin_ha"), "balance_ha"),
      { label: w("drawn"), text: (row) => bar(row, low, high) },
      { label: w("kept_cap"), text: verdict },
      { label: w("cap_origin"), text: (row) => row.cap_origin || "—" }],
    rows });
}

function verdict(row) {
  if (!has(row.cap_ha)) return w("no_cap");
  const ok = respected(row);
  return h("span", { class: ok ? "ok" : "bad" }, h("span", { "aria-hidden": "true" }, ok ? "✓ " : "✗ "), w(ok ? "cap_kept" : "cap_exceeded"));
}

function bar(row, low, high) {
  const x = (value) => Math.round((10 * WIDTH * (value - low)) / (high - low || 1)) / 10;
  const gross = row.gross_ha || 0, net = row.net_ha || 0;
  return svg("svg", { class: "bar", viewBox: `0 0 ${WIDTH} ${TALL}`, "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "gross", x: x(0), y: 1, width: Math.max(0, x(gross) - x(0)), height: TALL - 2 }),
    svg("rect", { class: respected(row) ? "fill" : "fill over", x: Math.min(x(0), x(net)), y: 4, width: Math.abs(x(net) - x(0)), height: TALL - 8 }),
    svg("path", { class: "zero", d: `M${x(0)} 0v${TALL}` }),
    has(row.cap_ha) ? svg("path", { class: "cap", d: `M${x(row.cap_ha)} 0v${TALL}` }) : null);
}

const key = () => svg("svg", { class: "bar", viewBox: "0 0 60 12", "aria-hidden": "true", focusable: "false" },
  svg("rect", { class: "gross", y: 1, width: 50, height: 10 }), svg("rect", { class: "fill", y: 3.5, width: 24, height: 5 }),
  svg("path", { class: "cap", d: "M40 0v12" }));
