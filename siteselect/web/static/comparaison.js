// Comparaison: two to four results side by side; the first is the reference.
import { $, faults, fill, h, live } from "./lib/dom.js";
import { api } from "./lib/api.js";
import { SHAPES, PALETTE, createMap } from "./lib/map.js";
import { createTable } from "./lib/table.js";
import { collator, date, number, percent, plain, signed, w } from "./lib/words.js";
import { cell, plainTable } from "./result/tables.js";

const MOST = 4;
const MOVES = ["entered", "left", "mixed", "kept"];
const SIGNS = { entered: "▲", left: "▼", mixed: "■", kept: "●" };
const MARKS = { entered: "up", left: "down", mixed: "mixed", kept: "same" };
const DIGITS = { objective: 6, bound: 6, price_of_zan: 6 };
const letter = (k) => String.fromCharCode(65 + k);
let runs = [];

async function start() {
  runs = await api.get("/api/runs");
  $("choose").hidden = runs.length < 2;
  $("none").hidden = runs.length >= 2;
  if (runs.length < 2) return;
  const known = new Set(runs.map((one) => one.id));
  const asked = new URLSearchParams(location.search).getAll("run").filter((id) => known.has(id));
  const picked = asked.slice(0, MOST);
  if (!picked.length) picked.push(runs[Math.min(1, runs.length - 1)].id);
  if (picked.length < 2) picked.push(runs.find((one) => one.id !== picked[0]).id);
  for (const id of picked) addChoice(id);
  $("more").addEventListener("click", () => { addChoice(runs.find((one) => !chosen().includes(one.id))?.id); live(w("result_n", { letter: letter(chosen().length - 1) })); });
  $("choose").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = chosen();
    if (new Set(wanted).size < 2 || new Set(wanted).size < wanted.length) {
      fill($("trouble"), faults([{ message: w("choose_two") }]));
      return;
    }
    location.search = new URLSearchParams(wanted.map((id) => ["run", id])).toString();
  });
  if (asked.length >= 2) await compare(picked);
}

const chosen = () => Array.from($("picked").querySelectorAll("select"), (one) => one.value);

function addChoice(id) {
  if (id === undefined) return;
  const select = h("select", { id: `run-${crypto.randomUUID()}` }, runs.map((one) =>
    h("option", { value: one.id, selected: one.id === id }, `${one.title} — ${date(one.created)} · ${one.id}`)));
  const line = h("div", {}, h("label", { for: select.id }), select,
    h("button", { type: "button", class: "button small", onclick: () => { line.remove(); renumber(); } }, "✕"));
  $("picked").append(line);
  renumber();
}

function renumber() {
  const lines = Array.from($("picked").children);
  lines.forEach((line, k) => {
    line.querySelector("label").textContent = `${w(k ? "result_n" : "reference_n", { letter: letter(k) })}`;
    line.querySelector("button").hidden = lines.length <= 2;
    line.querySelector("button").setAttribute("aria-label", w("remove", { letter: letter(k) }));
  });
  $("more").hidden = lines.length >= Math.min(MOST, runs.length);
}

async function compare(ids) {
  $("loading").hidden = false;
  const found = await api.get(`/api/runs/compare?${new URLSearchParams(ids.map((id) => ["run", id]))}`);
  $("loading").hidden = true;
  $("comparison").hidden = false;
  overview(found);
  moves(found);
  fill($("regions-body"), versus(found.regions, found, { caption: w("regions_caption"), skip: [] }));
  fill($("criteria-body"), versus(found.criteria, found, { caption: w("criteria_caption"), digits: 2 }));
  ledgers(found);
  live(w("compared", { titles: found.runs.map((one) => one.title).join(", ") }));
}

function overview(found) {
  const totals = found.totals, key = totals.columns.findIndex((one) => one.key === "key");
  const line = (row) => Object.fromEntries(totals.columns.map((one, at) => [one.run ?? one.key, row[at]]));
  const rows = totals.rows.map(line);
  const columns = [{ label: w("figure"), head: true, text: (row) => row.figure },
    ...found.runs.flatMap((run, k) => [
      { label: `${run.label} — ${run.title}`, numeric: true, text: (row) => figure(row.key, row[run.label]) },
      ...(k ? [{ label: w("difference", { letter: "A" }), numeric: true, text: (row) => gap(row, run.label) }] : [])])];
  fill($("overview-body"),
    found.notices.length ? h("div", { class: "box warn", role: "note" }, h("ul", {}, found.notices.map((text) => h("li", {}, text)))) : null,
    plainTable({ caption: w("totals_caption"), columns, rows: key < 0 ? [] : rows }),
    h("h3", {}, w("agreement_title")), agreement(found),
    h("h3", {}, w("settings_title")), settings(found));
}

function figure(key, value) {
  if (typeof value !== "number") return cell(value);
  if (key === "gap" || key === "brownfield_share") return percent(value, key === "gap" && value ? 4 : 0);
  if (key.endsWith("_keur")) return number(value, 0);
  return number(value, DIGITS[key] ?? 2);
}
function gap(row, label) {
  const [before, after] = [row.A, row[label]];
  if (typeof before !== "number" || typeof after !== "number") return "";
  const by = after - before;
  if (row.key === "brownfield_share") return `${signed(100 * by, 0)} pt`;
  if (row.key === "gap") return "";
  return signed(by, row.key.endsWith("_keur") ? 0 : DIGITS[row.key] ?? 2);
}

function agreement(found) {
  const at = Object.fromEntries(found.agreement.columns.map((one, k) => [one.key, k]));
  return h("ul", {}, found.agreement.rows.map((row) => h("li", {},
    w("agreement_said", { first: row[at.first], second: row[at.second], kept: number(row[at.kept]),
      entered: number(row[at.entered]), left: number(row[at.left]) }), " ",
    w("jaccard_said", { jaccard: number(row[at.jaccard], 3) }), " ",
    row[at.kendall] === null ? null : w("kendall_said", { tau: number(row[at.kendall], 3) }))));
}

function settings(found) {
  if (!found.settings.rows.length) return h("p", { class: "soft" }, w("settings_same"));
  const words = { True: w("yes"), False: w("no"), None: "—" };
  const columns = found.settings.columns.map((one, at) => ({ label: at ? `${one.label} — ${titleOf(found, one.run)}` : w("setting"),
    head: at === 0, text: (row) => (at ? words[row[at]] ?? String(row[at] ?? "—") : h("code", {}, row[at])) }));
  return plainTable({ caption: w("settings_caption"), columns, rows: found.settings.rows });
}
const titleOf = (found, label) => found.runs.find((one) => one.label === label)?.title ?? label;

function moves(found) {
  const sites = found.sites, count = sites.site_id.length;
  const form = $("filters");
  const text = sites.site_id.map((id, i) => plain(`${sites.name[i]} ${id} ${sites.commune[i] ?? ""}`));
  const order = sites.movement.map((move) => MOVES.indexOf(move));
  const per = (move) => sites.movement.filter((one) => one === move).length;
  fill(form.elements.movement, h("option", { value: "" }, w("all_moves")),
    MOVES.filter(per).map((move) => h("option", { value: move }, `${SIGNS[move]} ${w(`move_${move}`)} (${number(per(move))})`)));
  const regions = [...new Set(sites.region_name.filter(Boolean))].sort(collator.compare);
  fill(form.elements.region, h("option", { value: "" }, w("all_regions")), regions.map((name) => h("option", {}, name)));
  let map = null;
  const table = createTable($("list"), {
    caption: w("moves_caption"), count, sort: ["movement", 1], empty: w("no_site_left"),
    columns: [
      { key: "movement", label: w("movement"), width: 14, value: (i) => order[i], text: (i) => `${SIGNS[sites.movement[i]]} ${w(`move_${sites.movement[i]}`)}` },
      { key: "name", label: w("site"), width: 38, head: true, text: (i) => sites.name[i] },
      { key: "commune", label: w("commune"), width: 20, text: (i) => sites.commune[i] ?? "—" },
      { key: "region", label: w("region"), width: 22, text: (i) => sites.region_name[i] ?? "—" },
      { key: "kind", label: w("kind"), width: 15, text: (i) => w(`kind_${sites.kind[i]}`), icon: (i) => `kind ${sites.kind[i]}` },
      ...found.runs.map((run) => ({ key: `in_${run.label}`, label: run.label, width: 16, help: run.title,
        text: (i) => (sites.status[run.label][i] === null ? "—" : w(`status_${sites.status[run.label][i]}`)) })),
      { key: "site_id", label: w("site"), width: 17, text: (i) => sites.site_id[i] },
    ],
    onSelect: (i) => map?.show(i), onHover: (i) => map?.hover(i) });
  const apply = () => {
    const wanted = plain(form.elements.text.value.trim()).split(/\s+/).filter(Boolean);
    const { movement, region } = form.elements;
    const inside = Uint8Array.from({ length: count }, (_, i) => Number(
      (!movement.value || sites.movement[i] === movement.value) && (!region.value || sites.region_name[i] === region.value) &&
      wanted.every((part) => text[i].includes(part))));
    table.filter((i) => inside[i]);
    if (map && !map.failed) { map.look.shown.set(inside); map.update(); }
    $("shown").textContent = table.described();
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  createMap($("map"), { label: w("map_moves"),
    tip: (i) => `${SIGNS[sites.movement[i]]} ${w(`move_${sites.movement[i]}`)} : ${sites.name[i]} (${sites.commune[i] ?? "—"})`,
    onPick: (i) => table.select(i), onHover: (i) => table.hover(i) }).then((made) => {
    map = made;
    drawMoves(map, sites);
    map.base(found.runs[0].pack);
    apply();
  });
  fill($("legend"), h("ul", { class: "legend" }, MOVES.filter(per).map((move) => h("li", {},
    h("span", { class: `mark-${MARKS[move]}`, "aria-hidden": "true" }), `${w(`move_${move}`)} (${number(per(move))})`))),
  h("p", { class: "soft" }, w("map_is_table")));
  apply();
}

function drawMoves(map, sites) {
  if (map.failed) return;
  const shapes = { entered: SHAPES.up, left: SHAPES.down, mixed: SHAPES.extension, kept: SHAPES.brownfield };
  const colours = { entered: PALETTE.in, left: PALETTE.brownfield, mixed: PALETTE.extension, kept: PALETTE.out };
  map.points({ lon: sites.lon, lat: sites.lat, shape: Uint8Array.from(sites.movement, (move) => shapes[move] ?? 0) });
  sites.movement.forEach((move, i) => { map.look.size[i] = move === "kept" ? 1 : 2; map.look.colour[i] = colours[move]; });
  map.update();
}

/** A table with one column a run, and what differs from the first in words beside the figure. */
function versus(table, found, { caption, digits = 2 }) {
  const reference = table.columns.findIndex((one) => one.run === "A" && !one.key.startsWith("ha_"));
  const hectares = table.columns.findIndex((one) => one.key === "ha_A");
  const columns = table.columns.map((one, at) => ({
    label: one.run ? `${one.label} — ${titleOf(found, one.run)}` : one.label, numeric: one.numeric, head: at === 0,
    text: (row) => {
      const base = one.key.startsWith("ha_") ? hectares : reference;
      const shown = typeof row[at] === "number" ? number(row[at], Number.isInteger(row[at]) && !one.key.startsWith("ha_") ? 0 : digits) : cell(row[at]);
      if (!one.run || at === base || base < 0 || typeof row[at] !== "number" || typeof row[base] !== "number") return shown;
      const by = row[at] - row[base];
      return Math.abs(by) < 0.005 ? shown : [shown, " ", h("small", { class: "soft nowrap" }, `(${signed(by, Number.isInteger(by) ? 0 : digits)})`)];
    } }));
  return plainTable({ caption, columns, rows: table.rows });
}

function ledgers(found) {
  const table = found.ledgers, at = Object.fromEntries(table.columns.map((one, k) => [one.key, k]));
  const levels = [...new Set(table.rows.map((row) => row[at.level]))];
  const level = h("select", {}, levels.map((name) => h("option", { selected: name === levels[Math.min(1, levels.length - 1)] }, name)));
  const only = h("input", { type: "checkbox" });
  const nets = found.runs.map((run) => at[`net_ha_${run.label}`]);
  const caps = found.runs.map((run) => at[`cap_ha_${run.label}`]);
  const body = h("div", {});
  const differs = (row) => [nets, caps].some((some) => some.some((k) => Math.abs((row[k] ?? 0) - (row[some[0]] ?? 0)) >= 0.005));
  const draw = () => {
    const rows = table.rows.filter((row) => row[at.level] === level.value && (!only.checked || differs(row)));
    fill(body, rows.length ? versusLedger(table, rows, found, at) : h("p", {}, w("no_difference")));
  };
  for (const control of [level, only]) control.addEventListener("change", draw);
  fill($("ledgers-body"), h("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
    h("label", {}, w("ledgers_level"), " ", level), h("label", { class: "tick" }, only, " ", w("only_different"))), body);
  draw();
}

function versusLedger(table, rows, found, at) {
  const verdict = (row, run) => {
    const margin = row[at[`balance_ha_${run.label}`]];
    if (typeof margin !== "number") return "—";
    const ok = margin >= -0.005;
    return [h("span", { class: ok ? "ok" : "bad" }, h("span", { "aria-hidden": "true" }, ok ? "✓ " : "✗ "), number(margin, 2))];
  };
  return plainTable({ caption: w("ledgers_caption"), kind: "ledgers", rows: rows.slice(0, 150),
    columns: [{ label: w("territory"), head: true, text: (row) => row[at.name] },
      ...found.runs.flatMap((run) => [["net_ha", null], ["cap_ha", null], ["balance_ha", verdict]].map(([key, special]) => {
        const column = table.columns[at[`${key}_${run.label}`]];
        return { label: column.label, numeric: true,
          text: (row) => (special ? special(row, run) : cell(typeof row[at[`${key}_${run.label}`]] === "number" ? number(row[at[`${key}_${run.label}`]], 2) : null)) };
      }))] });
}

start().catch((error) => {
  $("loading").hidden = true;
  fill($("trouble"), faults(error.faults ?? [{ message: String(error.message ?? error) }]));
});
