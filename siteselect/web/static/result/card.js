// One site: facts, measures beside those of the selected sites, and why it is in or out.
import { $, h, add, fill, faults, live } from "../lib/dom.js";
import { api, path } from "../lib/api.js";
import { duration, number, short, w } from "../lib/words.js";
import { worth } from "../lib/scoring.js";
import { CHOSEN, placeOf, rankOf, siteLink, statusWord } from "./sites.js";
import { plainTable, shareBar, svg } from "./tables.js";

const GROUPS = ["access", "workforce", "network"];
let asked = 0; // the last site asked for: a late answer for another one is dropped

export async function showCard(place, { run, sites, i, pick, back, seen }) {
  const turn = ++asked, id = sites.site_id[i];
  const inside = CHOSEN.has(sites.status[i]);
  const facts = h("div", { class: "facts" }, h("p", { class: "soft" }, w("loading")));
  const why = h("div", { class: "why", "aria-live": "polite" });
  const button = h("button", { type: "button", class: "button main",
    onclick: () => explain(why, button, { run, sites, id, pick, inside }) },
  w(inside ? "ask_why" : "ask_why_not"));
  $("sheet-title").textContent = `${rankOf(sites, i) ? `${rankOf(sites, i)}. ` : ""}${sites.name[i]}`;
  fill(place,
    h("p", { class: "meta" },
      h("span", { class: `badge ${inside ? "ok" : ""}` }, statusWord(sites.status[i])),
      h("span", { class: `kind ${sites.kind[i]}` }, w(`kind_${sites.kind[i]}`)),
      h("span", {}, placeOf(sites, i)), h("span", {}, h("code", {}, id)),
      h("button", { type: "button", class: "button small", onclick: back }, w("back_to_list")),
      h("button", { type: "button", class: "button small", onclick: () => seen.show() }, w("show_footprint"))),
    sites.reason[i] ? h("p", { class: "reason" }, h("strong", {}, w("reason")), " — ", h("span", { lang: run.lang }, sites.reason[i])) : null,
    h("div", { class: "sheet-grid" },
      h("div", { class: "wide" }, h("h3", {}, w("measures_title")), measures(sites, i)),
      facts,
      h("div", { class: "asked" }, h("h3", {}, w(inside ? "why_title" : "why_not_title")), h("p", {}, button), why)));
  live(w("sheet_of", { name: sites.name[i] }));
  try {
    const found = await api.get(path`/api/runs/${run.id}/sites/${id}`);
    if (turn !== asked) return;
    fill(facts, factLists(found.facts));
    seen.outline(found.footprint);
  } catch (error) {
    if (turn === asked) fill(facts, faults(error.faults) ?? String(error));
  }
}

function factLists(facts) {
  const groups = new Map();
  for (const one of facts ?? []) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups].map(([group, some]) => h("div", {}, h("h3", {}, w(`facts_${group}`)),
    h("dl", { class: "pairs" }, some.map((one) => h("div", {}, h("dt", {}, one.label), h("dd", {}, one.text))))));
}

/** Least, median and most of the selected sites, once a measure. */
export function spread(sites, column) {
  const known = [];
  for (let i = 0; i < sites.count; i++) {
    if (CHOSEN.has(sites.status[i]) && Number.isFinite(column[i])) known.push(column[i]);
  }
  if (!known.length) return null;
  known.sort((a, b) => a - b);
  const half = known.length >> 1;
  const median = known.length % 2 ? known[half] : (known[half - 1] + known[half]) / 2;
  return { low: known[0], median, high: known[known.length - 1] };
}

function measures(sites, i) {
  const rows = [];
  for (const family of GROUPS) {
    for (const one of sites.criteria.filter((criterion) => criterion.family === family)) {
      const column = sites.measures[one.key] ?? [];
      rows.push({ ...one, value: column[i] ?? null, points: 100 * one.share * worth(column[i], one),
        beside: spread(sites, column) });
    }
  }
  const figure = (value) => (value === null || value === undefined ? w("unknown")
    : typeof value === "number" ? (Math.abs(value) >= 1000 ? number(value, 0) : number(value, 1)) : number(value));
  return plainTable({ caption: w("measures_caption"), kind: "measures",
    columns: [
      { label: w("criterion"), head: true, text: (row) => [row.label, " ", h("small", { class: "soft" }, w(`group_${row.family}`))] },
      { label: w("this_site"), numeric: true, text: (row) => figure(row.value) },
      { label: w("selected_median"), numeric: true, text: (row) => figure(row.beside?.median) },
      { label: w("selected_range"), numeric: true,
        text: (row) => (row.beside ? `${figure(row.beside.low)} – ${figure(row.beside.high)}` : w("unknown")) },
      { label: w("placed"), text: strip },
      { label: w("points_of_most"), numeric: true, text: (row) => h("span", { class: "nowrap" },
        shareBar(row.share > 0 ? row.points / (100 * row.share) : 0), " ",
        `${number(row.points, 1)} / ${number(100 * row.share, 1)}`) }],
    rows });
}

/** Where the site stands between worst and best of the criterion; the band is the selected ones. */
function strip(row) {
  const span = row.best - row.worst;
  const x = (value) => 4 + 92 * Math.min(1, Math.max(0, (value - row.worst) / span));
  const parts = [svg("path", { class: "axis", d: "M4 8h92" })];
  if (row.beside) {
    const ends = [x(row.beside.low), x(row.beside.high)].sort((a, b) => a - b);
    parts.push(svg("rect", { class: "gross", x: ends[0], y: 4, width: Math.max(1, ends[1] - ends[0]), height: 8 }),
      svg("path", { class: "cap", d: `M${x(row.beside.median)} 2v12` }));
  }
  if (Number.isFinite(row.value)) parts.push(svg("circle", { class: "dot", cx: x(row.value), cy: 8, r: 4 }));
  return svg("svg", { class: "strip", viewBox: "0 0 100 16", "aria-hidden": "true", focusable: "false" }, ...parts);
}

async function explain(place, button, { run, sites, id, pick, inside }) {
  button.disabled = true;
  fill(place, h("p", { class: "soft" }, w("explaining")));
  try {
    const found = await answered(path`/api/runs/${run.id}/sites/${id}/explain`, place);
    fill(place, answer(found, { sites, pick, inside }));
  } catch (error) {
    fill(place, faults(error.faults ?? [{ message: String(error.message ?? error) }]));
  }
  button.disabled = false;
}

/** The answer, asked for again while it is being looked for. */
async function answered(address, place) {
  const since = Date.now();
  for (;;) {
    const found = await api.get(address);
    if (!found.waiting) return found;
    const seconds = Math.round((Date.now() - since) / 1000);
    fill(place, h("p", { class: "soft", "aria-live": "off" }, w("explaining"), " ", duration(seconds)));
    await new Promise((go) => setTimeout(go, found.again_ms));
  }
}

const million = (units) => number(units / 1e6, 6);

export function answer(one, { sites, pick, inside }) {
  const cost = one.replacement_cost ?? one.forcing_cost ?? null;
  const parts = [
    one.override_reason ? h("p", {}, w("stated_reason", { why: one.override_reason })) : null,
    one.reasons?.length ? h("ul", {}, one.reasons.map((text) => h("li", {}, text))) : null,
    cost === null ? null : h("p", {}, h("strong", {}, w(inside ? "without_it" : "forcing_it", { points: million(cost) }))),
    cost === null || one.proven ? null : h("p", { class: "soft" }, w("not_exact")),
    moves(w(inside ? "would_enter" : "enter"), one.enter, sites, pick, one.site_id),
    moves(w(inside ? "would_leave" : "leave"), one.leave, sites, pick, one.site_id),
    Object.keys(one.changed ?? {}).length
      ? [h("h4", {}, w("other_way")), h("ul", {}, Object.entries(one.changed).map(([id, variant]) =>
        h("li", {}, siteLink(sites, id, pick), ` : ${w(`variant_${variant}`)}`)))] : null,
    one.obstacles?.length
      ? [h("h4", {}, w("stops_it")), h("ul", {}, one.obstacles.map((item) => h("li", {},
        item.message ?? item.name,
        item.blockers?.length ? add(h("span", {}, ` ${w("blockers")} `), item.blockers.flatMap((id, k) => [k ? ", " : "", siteLink(sites, id, pick)])) : null)))] : null,
    one.needed_gain === null || one.needed_gain === undefined ? null
      : h("p", {}, w("needed_gain", { points: million(one.needed_gain) })),
    enough(one, sites),
  ];
  return h("div", { class: "box" }, parts);
}

function moves(title, every, sites, pick, own) {
  const ids = every?.filter((id) => id !== own);
  if (!ids?.length) return null;
  return [h("h4", {}, `${title} (${number(ids.length)})`),
    h("ul", {}, ids.map((id) => h("li", {}, siteLink(sites, id, pick))))];
}

/** Measures one of which, alone, would get the site chosen. */
function enough(one, sites) {
  const labels = new Map(sites.criteria.map((criterion) => [criterion.key, criterion.label]));
  const some = (one.measures ?? []).filter((item) => Number.isFinite(item.needed));
  if (!some.length) return null;
  return [h("h4", {}, w("one_enough")), h("ul", {}, some.map((item) => h("li", {},
    w("instead_of", { measure: labels.get(item.name) ?? item.name, needed: short(item.needed, 1),
      value: item.value === null ? w("unknown") : number(item.value, 1) }))))];
}
