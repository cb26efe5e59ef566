// Map and list of one run, in step: what one shows, picks or points at, the other does too.
import { $, h, fill, later } from "../lib/dom.js";
import { SHAPES, PALETTE, createMap, kindMark } from "../lib/map.js";
import { createTable } from "../lib/table.js";
import { collator, number, plain, w } from "../lib/words.js";

export const CHOSEN = new Set(["selected", "forced_in"]);
const KINDS = ["brownfield", "extension", "greenfield"];
const SHORTLIST = new Set(["selected", "forced_in", "reserve"]);
const ORDER = ["selected", "forced_in", "reserve", "not_selected", "forced_out", "excluded"];
const SIZES = { selected: 3, forced_in: 3, reserve: 2, not_selected: 0, forced_out: 1, excluded: 0 };
const SIGNS = { selected: "✓", forced_in: "✓", reserve: "○", not_selected: "–", forced_out: "✗", excluded: "✗" };

/** The places of rows by identifier, and the text that a search looks through. */
export function indexed(sites) {
  const at = new Map(sites.site_id.map((id, i) => [id, i]));
  const text = sites.site_id.map((id, i) =>
    plain(`${sites.name[i]} ${id} ${sites.commune[i] ?? ""} ${sites.departement[i] ?? ""}`));
  return { ...sites, count: sites.site_id.length, at, text };
}

export const statusWord = (status) => w(`status_${status}`);
export const placeOf = (sites, i) => `${sites.commune[i] ?? w("unknown")} (${sites.departement[i] ?? "?"})`;

/** Reserve ranks apart: R1, R2 … */
export const rankOf = (sites, i) =>
  sites.rank[i] === null ? "" : `${sites.status[i] === "reserve" ? "R" : ""}${sites.rank[i]}`;
const rankValue = (sites, i) =>
  sites.rank[i] === null ? null : sites.rank[i] + (sites.status[i] === "reserve" ? 1e6 : 0);

export async function showSites(sites, pack, { onPick, restoration = null }) {
  const form = $("filters"), output = $("shown");
  options(form, sites);
  const table = createTable($("list"), {
    caption: w("list_caption"), count: sites.count, columns: columns(sites), sort: ["rank", 1],
    empty: w("no_site_left"),
    rowClass: (i) => (CHOSEN.has(sites.status[i]) ? "chosen" : sites.status[i] === "reserve" ? "reserve" : ""),
    onSelect: (i) => { show(i); onPick(i); },
    onHover: (i) => map?.hover(i),
  });
  let map = null; // comes after the list: what it must show waits for it
  const show = (i, zoom) => ready.then((made) => made.show(i, zoom));
  const apply = () => {
    const test = kept(form, sites, map);
    const inside = new Uint8Array(sites.count);
    for (let i = 0; i < sites.count; i++) inside[i] = test(i) ? 1 : 0;
    table.filter((i) => inside[i]);
    if (map && !map.failed) { map.look.shown.set(inside); map.update(); }
    output.textContent = table.described();
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();

  const ready = createMap($("map"), {
    label: w("map_label"), tip: (i) => `${rankOf(sites, i)} ${sites.name[i]} — ${placeOf(sites, i)}, ${statusWord(sites.status[i])}`.trim(),
    onPick: (i) => { table.select(i); onPick(i); },
    onHover: (i) => table.hover(i),
  }).then((made) => {
    map = made;
    draw(map, sites);
    map.base(pack);
    if (restoration) map.shapes("restored", restoration, "restored");
    map.onMove(later(() => { if (form.elements.view.checked) apply(); }, 80));
    legend($("legend"), sites, restoration);
    apply();
    return map;
  });
  const widen = () => {
    form.reset();
    form.elements.status.value = "all";
    apply();
  };
  const pick = (i) => {
    if (!table.shown.includes(i)) widen();
    table.select(i);
    show(i);
    onPick(i);
  };
  /** The footprint of the site in the sheet. */
  const outline = (geometry) => ready.then((made) => made.shapes("site",
    { type: "FeatureCollection", features: geometry ? [{ type: "Feature", properties: {}, geometry }] : [] }, "site"));
  return { table, ready, pick, outline, near: (i) => show(i, 14) };
}

function columns(sites) {
  const figure = (key, label, width, digits, help = null) => ({ key, label, width, numeric: true, help,
    value: (i) => sites[key][i], text: (i) => number(sites[key][i], digits) });
  return [
    { key: "rank", label: w("rank"), width: 7, value: (i) => rankValue(sites, i), text: (i) => rankOf(sites, i) },
    { key: "name", label: w("site"), width: 40, head: true, text: (i) => sites.name[i] },
    { key: "commune", label: w("commune"), width: 24, value: (i) => sites.commune[i] ?? null, text: (i) => placeOf(sites, i) },
    figure("score", w("score"), 10, 3),
    figure("usable_ha", w("usable_ha"), 12, 2),
    figure("new_artificialisation_ha", w("new_ha"), 12, 2),
    { key: "status", label: w("status"), width: 19, value: (i) => ORDER.indexOf(sites.status[i]),
      text: (i) => `${SIGNS[sites.status[i]] ?? ""} ${statusWord(sites.status[i])}` },
    { key: "kind", label: w("kind"), width: 30, text: (i) => w(`kind_${sites.kind[i]}`), icon: (i) => `kind ${sites.kind[i]}` },
    figure("cost_keur", w("cost_keur"), 11, 0),
    { key: "region_name", label: w("region"), width: 22, value: (i) => sites.region_name[i] ?? null, text: (i) => sites.region_name[i] ?? "" },
    { key: "reason", label: w("reason"), width: 44, value: (i) => sites.reason[i] ?? null, text: (i) => sites.reason[i] ?? "" },
  ];
}

function options(form, sites) {
  const { status, region, kind } = form.elements;
  const counts = new Map();
  for (const one of sites.status) counts.set(one, (counts.get(one) ?? 0) + 1);
  fill(status,
    h("option", { value: "shortlist" }, w("shortlist")),
    h("option", { value: "all" }, w("all_sites")),
    ORDER.filter((one) => counts.has(one)).map((one) =>
      h("option", { value: one }, `${statusWord(one)} (${number(counts.get(one))})`)));
  const regions = new Map();
  sites.region.forEach((code, i) => { if (code) regions.set(code, sites.region_name[i] ?? code); });
  fill(region, h("option", { value: "" }, w("all_regions")),
    [...regions].sort((a, b) => collator.compare(a[1], b[1])).map(([code, name]) => h("option", { value: code }, name)));
  fill(kind, h("option", { value: "" }, w("all_kinds")),
    KINDS.filter((one) => sites.kind.includes(one)).map((one) => h("option", { value: one }, w(`kind_${one}`))));
}

function kept(form, sites, map) {
  const { text, status, region, kind, view } = form.elements;
  const wanted = plain(text.value.trim()).split(/\s+/).filter(Boolean);
  const one = status.value, area = region.value, sort = kind.value;
  const near = view.checked && map && !map.failed ? map : null;
  return (i) =>
    (one === "all" || (one === "shortlist" ? SHORTLIST.has(sites.status[i]) : sites.status[i] === one)) &&
    (!area || sites.region[i] === area) && (!sort || sites.kind[i] === sort) &&
    wanted.every((part) => sites.text[i].includes(part)) && (!near || near.inView(i));
}

function draw(map, sites) {
  if (map.failed) return;
  map.points({ lon: sites.lon, lat: sites.lat, shape: Uint8Array.from(sites.kind, (kind) => SHAPES[kind] ?? 0) });
  for (let i = 0; i < sites.count; i++) {
    const status = sites.status[i];
    map.look.size[i] = SIZES[status] ?? 0;
    map.look.colour[i] = CHOSEN.has(status) ? PALETTE[sites.kind[i]] ?? PALETTE.in
      : status === "reserve" ? PALETTE.paper : PALETTE.out;
    if (SHORTLIST.has(status)) map.label(i, CHOSEN.has(status) ? rankOf(sites, i) : ""); // none hides another
    if (status === "forced_in") map.ring(i);
  }
  map.update();
}

function legend(place, sites, restoration) {
  const kinds = KINDS.filter((kind) => sites.kind.includes(kind));
  fill(place, h("ul", { class: "legend" },
    kinds.map((kind) => h("li", {}, kindMark(kind), w(`kind_${kind}`))),
    h("li", {}, h("span", { class: "mark-reserve", "aria-hidden": "true" }), w("legend_reserve")),
    h("li", {}, h("span", { class: "mark-dim", "aria-hidden": "true" }), w("legend_others")),
    restoration?.features?.length
      ? h("li", {}, h("span", { class: "mark-restored", "aria-hidden": "true" }), w("legend_restored")) : null,
    sites.status.includes("forced_in") ? h("li", {}, h("span", { class: "mark-ring", "aria-hidden": "true" }), w("status_forced_in")) : null),
  h("p", { class: "soft" }, w("map_is_table")));
}

/** A link to a site that keeps the page: its sheet opens here. */
export function siteLink(sites, id, pick) {
  const i = sites.at.get(id);
  if (i === undefined) return id;
  // inventories often put the commune into the name
  const place = sites.name[i].includes(sites.commune[i] ?? "?") ? `(${sites.departement[i] ?? "?"})` : `— ${placeOf(sites, i)}`;
  return h("button", { type: "button", class: "link", onclick: () => pick(i) }, `${rankOf(sites, i) ? `${rankOf(sites, i)}. ` : ""}${sites.name[i]} ${place}`);
}
