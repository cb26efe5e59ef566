// The screen Lots: grids of scenarios, what will run, what came of it, the robust core.
import { api, path } from "./lib/api.js";
import { $, faults, fill, h, live, tabs } from "./lib/dom.js";
import { PALETTE, SHAPES, createMap, kindMark } from "./lib/map.js";
import { createTable } from "./lib/table.js";
import { has, moment, number, percent, plural, short, signed, w } from "./lib/words.js";
import { valueAt } from "./scenario/state.js";

let keys = [], scenarios = [], axes = [], values = {}, batches = [], map = null, chosen = null;
const SWEPT = new Set(["number", "integer", "boolean", "choice"]);
const plainLabel = (name) => w(`key.${name}`).replace(/^key\./, "");
const label = (name) => (name.startsWith("weights.") ? w("weight_of", { name: plainLabel(name) }) : plainLabel(name));
const fail = (error, place = $("trouble")) => {
  if (!error.faults) console.warn(error);
  fill(place, faults(error.faults ?? [{ message: String(error) }]));
  live(place.textContent, { urgent: true });
};
const act = (action, place) => async (event) => {
  event?.preventDefault?.();
  fill($("trouble"));
  try { await action(event); } catch (error) { fail(error, place?.()); }
};

async function start() {
  const found = await Promise.all([api.get("/api/scenario/keys"), api.get("/api/scenarios"), api.get("/api/batches")]);
  keys = found[0].filter((key) => !/[*[]/.test(key.path) && SWEPT.has(key.type) && key.path !== "solve.workers");
  scenarios = found[1].filter((one) => !one.faults.length);
  batches = found[2];
  const option = (one) => h("option", { value: one.name }, one.title === one.name ? one.name : `${one.title} (${one.name})`);
  const group = (text, entries) => (entries.length ? h("optgroup", { label: text }, entries.map(option)) : null);
  fill($("scenario"), group(w("own_scenarios"), scenarios.filter((one) => !one.read_only)),
    group(w("shipped_scenarios"), scenarios.filter((one) => one.read_only)));
  if (scenarios.some((one) => one.name === "reference")) $("scenario").value = "reference";
  await base();
  list();
  $("new").open = !batches.length;
  tabs($("tabs"));
  const asked = new URLSearchParams(location.search).get("batch");
  if (asked) await show(asked);
  else if (batches.length) await show(batches[0].id);
}
async function base() {
  values = (await api.get(path`/api/scenarios/${$("scenario").value}`)).values;
  if (!axes.length) axes = [{ path: "weights.workforce", text: "" }];
  drawAxes();
}

// ---- the grid ---------------------------------------------------------------------------------

function drawAxes(focus = null) {
  fill($("axes"), axes.map((axis, n) => {
    const key = keys.find((one) => one.path === axis.path);
    const now = valueAt(values, axis.path);
    const fault = h("p", { class: "fault", id: `axis-fault-${n}`, hidden: true });
    const groups = [...new Set(keys.map((one) => one.group))];
    const select = h("select", { id: `axis-${n}`, onchange: ({ target }) => { axis.path = target.value; axis.text = ""; drawAxes(n); } },
      groups.map((group) => h("optgroup", { label: w(`group.${group}`).replace(/^group\./, "") }, keys.filter((one) => one.group === group)
        .map((one) => h("option", { value: one.path, selected: one.path === axis.path }, label(one.path) + (one.unit ? ` (${one.unit})` : ""))))));
    const input = choices(key) ? h("div", { class: "chips", id: `axis-values-${n}`, role: "group", "aria-label": `${w("axis", { n: n + 1 })}: ${label(axis.path)}` }, choices(key).map(([value, text]) => h("label", { class: "check" },
      h("input", { type: "checkbox", checked: axis.text.split(";").includes(value), onchange: ({ target }) => {
        const kept = new Set(axis.text.split(";").filter(Boolean));
        if (target.checked) kept.add(value); else kept.delete(value);
        axis.text = choices(key).map(([one]) => one).filter((one) => kept.has(one)).join(";");
        count();
      } }), ` ${text}`)))
      : h("input", { type: "text", id: `axis-values-${n}`, value: axis.text, size: 26, "aria-describedby": `axis-fault-${n} axis-hint-${n}`, placeholder: example(key, now),
        oninput: ({ target }) => { axis.text = target.value; count(); } });
    axis.fault = (text) => { fault.hidden = !text; fault.textContent = text ?? ""; };
    return h("div", { class: "entry", role: "group", "aria-label": w("axis", { n: n + 1 }) },
      h("div", { class: "filters" },
        h("label", {}, w("axis_key"), select), h("label", { for: `axis-values-${n}` }, w("axis_values"), input),
        axes.length > 1 ? h("button", { type: "button", class: "button small", "aria-label": w("axis_remove", { n: n + 1 }), onclick: () => { axes.splice(n, 1); drawAxes(Math.max(0, n - 1)); } }, w("remove")) : null),
      h("p", { class: "help small soft", id: `axis-hint-${n}` }, `${key.meaning} · ${w("axis_hint", { value: shown(now), example: example(key, now) })}`), fault);
  }));
  if (focus !== null) $(`axis-${focus}`)?.focus();
  count();
}
const choices = (key) => (key.type === "boolean" ? [["true", w("yes")], ["false", w("no")]]
  : key.type === "choice" ? key.choices.map((one) => [one, has(`choice.${one}`) ? w(`choice.${one}`) : one]) : null);
const shown = (value) => (value === null || value === undefined ? w("none") : typeof value === "number" ? short(value)
  : typeof value === "boolean" ? w(value ? "yes" : "no") : has(`choice.${value}`) ? w(`choice.${value}`) : String(value));
function example(key, now) {
  const middle = Number.isFinite(now) && now !== 0 ? now : key.type === "integer" ? 10 : 1;
  const round = (value) => short(key.type === "integer" ? Math.max(1, Math.round(value)) : Number(value.toPrecision(2)));
  return choices(key)?.map(([, text]) => text).join(" ; ") ?? [0.5, 1, 1.5].map((part) => round(middle * part)).join(" ; ");
}
/** The values of one axis; throws a text that says what is wrong. */
function read(axis) {
  const key = keys.find((one) => one.path === axis.path);
  const parts = axis.text.split(";").map((one) => one.trim()).filter(Boolean);
  if (!parts.length) throw w("no_value");
  return parts.map((part) => {
    if (key.type === "boolean") return part === "true";
    if (key.type === "choice") return part;
    const value = Number(part.replace(/\s/g, "").replace(",", "."));
    if (!Number.isFinite(value) || (key.type === "integer" && !Number.isInteger(value))) throw w("bad_value", { value: part });
    return value;
  });
}
function sweep({ say = false } = {}) {
  const found = {};
  let good = true;
  for (const axis of axes) {
    let text = null;
    try {
      if (axis.path in found) throw w("twice");
      found[axis.path] = read(axis);
    } catch (problem) { text = problem; good = false; }
    axis.fault(say || (text && axis.text.trim()) ? text : null);
  }
  return good ? found : null;
}
function count() {
  const found = sweep();
  $("total").textContent = found ? plural(Object.values(found).reduce((all, one) => all * one.length, 1), "total") : "";
}
/** TOML of the grid: JSON writes the same numbers, truths and texts. */
function toml(found) {
  const { name, title } = scenarios.find((one) => one.name === $("scenario").value);
  return [`extends = ${JSON.stringify(name)}`, `title = ${JSON.stringify(w("title", { title }))}`, "", "[sweep]",
    ...Object.entries(found).map(([key, list]) => `${JSON.stringify(key)} = ${JSON.stringify(list)}`), ""].join("\n");
}
async function plan() {
  const found = sweep({ say: true });
  if (!found) return;
  const answer = await api.post("/api/batches/plan", { toml: toml(found) });
  fill($("plan-trouble"));
  const missing = answer.filter((one) => one.state === "to_run").length;
  fill($("plan-list"), h("h3", { id: "plan-title", tabindex: -1 }, w("plan_title")),
    h("p", {}, plural(answer.length, "plan_text", { missing: number(missing) })),
    h("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-labelledby": "plan-title" }, h("table", {}, h("thead", {}, h("tr", {},
      ["plan_name", "plan_changes", "plan_state"].map((key) => h("th", { scope: "col" }, w(key))))),
    h("tbody", {}, answer.map((one) => h("tr", {}, h("th", { scope: "row" }, one.name),
      h("td", {}, Object.entries(one.keys ?? {}).map(([key, value]) => h("div", {}, `${label(key)} : ${shown(value)}`))),
      h("td", {}, w(one.state), faults(one.faults))))))));
  $("plan-title").focus();
}
async function launch() {
  const found = sweep({ say: true });
  if (!found) return;
  const { id } = await api.post("/api/jobs", { kind: "batch", scenario: null, toml: toml(found) });
  live(w("started"));
  location.assign(path`/calcul?job=${id}`);
}

// ---- batches ----------------------------------------------------------------------------------

function list() {
  $("none").hidden = batches.length > 0;
  fill($("list"), batches.map((one) => h("li", {}, h("button", { type: "button", class: "choice", dataset: { batch: one.id },
    "aria-current": one.id === chosen ? "true" : null, onclick: act(async () => { await show(one.id); $("batch-title").focus(); }) },
  h("strong", {}, one.title || one.id), h("span", { class: "soft small" }, `${moment(one.created)} · ${plural(one.scenarios, "batch_scenarios")}`)))));
}
async function show(id) {
  const batch = await api.get(path`/api/batches/${id}`);
  chosen = id;
  history.replaceState(null, "", path`/lots?batch=${id}`);
  list();
  $("batch").hidden = false;
  $("batch-title").textContent = batch.title || id;
  const states = batch.runs.map((one) => one.status);
  const n = (...wanted) => states.filter((one) => wanted.includes(one)).length;
  const core = batch.sites.filter((one) => one.core);
  const figure = (key, value, unit = "") => h("div", {}, h("dt", {}, w(key)), h("dd", {}, number(value), unit ? h("small", {}, ` ${unit}`) : null));
  fill($("batch-state"), batch.finished === false ? h("span", { class: "tag warn" }, w("batch_interrupted")) : null);
  fill($("figures"), figure("figure_done", n("optimal", "within_gap", "limit")), figure("figure_infeasible", n("infeasible")),
    n("failed", "lost") ? figure("figure_failed", n("failed", "lost")) : null,
    figure("figure_core", core.length, w("sites_unit")), figure("figure_sites", batch.sites.length, w("sites_unit")));
  fill($("files"), batch.files.map((one) => h("a", { class: "button small", href: one.url, download: true }, `${one.name} (${number(Math.max(1, one.size / 1024))}\u00a0${w("kilobytes")})`)));
  $("core-text").textContent = batch.sites.length ? (core.length ? plural(core.length, "core_text") : w("core_none")) : w("no_runs");
  runs(batch);
  regions(batch);
  await notices(batch.pack);
  await sites(batch);
}
/** What is simulated or assumed in the data that the batch rests on. */
async function notices(pack) {
  const said = pack ? (await api.get(path`/api/packs/${pack}`).catch(() => ({ assumed: [] }))).assumed : [];
  $("notices").hidden = !said.length;
  $("notices-title").textContent = `⚠ ${plural(said.length, "notices")}`;
  fill($("notices-list"), said.map((text) => h("li", {}, text)));
}
const COLUMNS = ["selected", "objective", "gap", "usable_ha", "new_artificialisation_ha", "net_ha", "brownfield_share", "total_cost_keur"];
function runs(batch) {
  const cell = { objective: (v) => number(v, 3), gap: (v) => percent(v, 2), usable_ha: (v) => number(v, 0), new_artificialisation_ha: (v) => number(v, 2),
    net_ha: (v) => signed(v, 2), brownfield_share: (v) => percent(v), total_cost_keur: (v) => number(v), selected: (v) => number(v) };
  const sign = { optimal: ["ok", "✓"], within_gap: ["ok", "✓"], limit: ["warn", "!"], infeasible: ["bad", "✗"], failed: ["bad", "✗"], lost: ["bad", "✗"] };
  fill($("runs"), h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, w("column.name")), h("th", { scope: "col" }, w("column.status")),
    batch.keys.map((key) => h("th", { scope: "col", class: "num" }, label(key))),
    COLUMNS.map((key) => h("th", { scope: "col", class: "num" }, w(`column.${key}`))))),
  h("tbody", {}, batch.runs.map((one) => h("tr", {},
    h("th", { scope: "row" }, one.run && cellOf(one.objective) ? h("a", { href: path`/resultat?run=${one.run}`, "aria-label": w("see_run_label", { name: one.name }) }, one.name) : one.name),
    h("td", {}, h("span", { class: `tag ${sign[one.status]?.[0] ?? ""}` }, `${sign[one.status]?.[1] ?? ""} ${has(`status.${one.status}`) ? w(`status.${one.status}`) : one.status}`),
      one.reason ? h("div", { class: "small soft" }, one.reason) : null),
    batch.keys.map((key) => h("td", { class: "num" }, shown(one.keys?.[key]))),
    COLUMNS.map((key) => h("td", { class: "num" }, cellOf(one[key]) ? cell[key](one[key]) : "—")))))));
}
const cellOf = (value) => value !== null && value !== undefined;
function regions(batch) {
  const names = batch.regions?.regions ?? [];
  fill($("regions"), h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, w("column.name")), names.map((name) => h("th", { scope: "col", class: "num" }, name)))),
    h("tbody", {}, (batch.regions?.rows ?? []).map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), row.counts.map((n) => h("td", { class: "num" }, number(n))))))));
}
async function sites(batch) {
  const found = batch.sites, total = Math.max(1, ...found.map((one) => Math.round(one.chosen_in / (one.share || 1))));
  const of = (key) => (i) => found[i][key];
  const table = createTable($("core-table"), { caption: w("map_core"), count: found.length, sort: ["chosen_in", -1], empty: w("no_runs"), columns: [
    { key: "core", label: w("core_column"), width: 13, text: (i) => (found[i].core ? `✓ ${w("core")}` : "") },
    { key: "name", label: w("site"), width: 34, head: true, text: of("name") },
    { key: "kind", label: w("kind"), width: 20, text: (i) => w(`kind_${found[i].kind}`), node: (i) => h("span", {}, kindMark(found[i].kind), w(`kind_${found[i].kind}`)) },
    { key: "commune", label: w("commune"), width: 24, text: of("commune") },
    { key: "departement", label: w("departement"), width: 9, text: of("departement") },
    { key: "region", label: w("region"), width: 24, text: (i) => found[i].region_name ?? found[i].region },
    { key: "chosen_in", label: w("chosen_in"), width: 13, numeric: true, value: of("chosen_in"), text: (i) => `${number(found[i].chosen_in)} / ${number(total)}` },
    { key: "share", label: w("share"), width: 10, numeric: true, value: of("share"), text: (i) => percent(found[i].share) },
    { key: "reserve_in", label: w("reserve_in"), width: 12, numeric: true, value: of("reserve_in"), text: (i) => number(found[i].reserve_in) },
    { key: "best_rank", label: w("best_rank"), width: 12, numeric: true, value: of("best_rank"), text: (i) => (cellOf(found[i].best_rank) ? number(found[i].best_rank) : "—") },
    { key: "mean_rank", label: w("mean_rank"), width: 12, numeric: true, value: of("mean_rank"), text: (i) => (cellOf(found[i].mean_rank) ? number(found[i].mean_rank, 1) : "—") },
  ], onSelect: (i) => map?.show(i), onHover: (i) => map?.hover(i ?? -1) });
  const tip = (i) => w("tip", { name: found[i].name, commune: found[i].commune, n: found[i].chosen_in, total });
  map ??= await createMap($("core-map"), { label: w("map_core"), tip: (i) => map.says(i), onPick: (i) => map.picks(i), onHover: (i) => map.lights(i) });
  Object.assign(map, { says: tip, picks: (i) => table.select(i), lights: (i) => table.hover(i) });
  if (batch.pack) map.base(batch.pack);
  map.points({ lon: found.map((one) => one.lon), lat: found.map((one) => one.lat), shape: Uint8Array.from(found, (one) => SHAPES[one.kind] ?? 0) });
  found.forEach((one, i) => {
    if (map.failed) return;
    map.look.colour[i] = Math.min(PALETTE.high, Math.floor(one.share * 5));
    map.look.size[i] = one.core ? 2 : 1;
    if (one.core) map.ring(i, PALETTE.ink);
  });
  map.update();
  fill($("core-legend"),
    h("li", {}, h("span", { class: "ramp", "aria-hidden": "true" }, [0, 1, 2, 3, 4].map((k) => h("i", { class: `s${k}` }))), w("legend_share")),
    h("li", {}, w("legend_core")), ["brownfield", "extension", "greenfield"].map((kind) => h("li", {}, kindMark(kind), w(`kind_${kind}`))));
}

$("scenario").addEventListener("change", act(base));
$("add-axis").addEventListener("click", () => {
  const used = new Set(axes.map((axis) => axis.path));
  axes.push({ path: (["count", "constraints.budget_keur", "constraints.separation_km"].find((one) => !used.has(one))) ?? keys.find((key) => !used.has(key.path)).path, text: "" });
  drawAxes(axes.length - 1);
});
$("plan").addEventListener("click", act(plan, () => $("plan-trouble")));
$("grid").addEventListener("submit", act(launch, () => $("plan-trouble")));
start().catch(fail);
