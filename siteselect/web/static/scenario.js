// The screen Scénario: choose one, change it, see scores move, save it as TOML, compute it.
import { api, path } from "./lib/api.js";
import { $, ask, faults, fill, h, later, live } from "./lib/dom.js";
import { plain, plural, w } from "./lib/words.js";
import { Candidates } from "./scenario/candidates.js";
import { Form, labelOf, shown } from "./scenario/form.js";
import { locksGroup } from "./scenario/locks.js";
import { State, copy, defaultsOf } from "./scenario/state.js";
import { weightsGroup } from "./scenario/weights.js";

const query = new URLSearchParams(location.search);
let keys, packs, list, state, form, seen;
const candidates = new Candidates();

const fail = (error) => {
  if (!error.faults) console.warn(error);
  $("loading").hidden = true;
  fill($("trouble"), faults(error.faults ?? [{ message: String(error) }]));
  live($("trouble").textContent, { urgent: true });
};

async function start() {
  [keys, packs, list] = await Promise.all([api.get("/api/scenario/keys"), api.get("/api/packs"), api.get("/api/scenarios")]);
  const names = list.map((one) => one.name);
  const wanted = query.get("name") ?? (names.includes("reference") ? "reference" : names[0]);
  drawList(wanted);
  await open(wanted);
}

function drawList(chosen) {
  const option = (one) => h("option", { value: one.name, selected: one.name === chosen },
    `${one.title}${one.title === one.name ? "" : ` (${one.name})`}${one.faults.length ? ` — ${w("unreadable")}` : ""}`);
  const group = (title, entries) => (entries.length ? h("optgroup", { label: title }, entries.map(option)) : null);
  fill($("name"), group(w("own_scenarios"), list.filter((one) => !one.read_only)),
    group(w("shipped_scenarios"), list.filter((one) => one.read_only)));
}

async function open(name) {
  $("work").hidden = $("about").hidden = true;
  $("loading").hidden = false;
  fill($("trouble"));
  const answer = await api.get(path`/api/scenarios/${name}`);
  $("loading").hidden = true;
  if (answer.faults.length) {
    fill($("trouble"), faults(answer.faults, w("scenario_faulty")));
    return;
  }
  const base = answer.base && !answer.read_only ? (await api.get(path`/api/scenarios/${answer.base}`)).values : defaultsOf(keys);
  state = new State(keys, answer, base);
  if (query.get("pack") && query.get("pack") !== state.get("pack")) {
    state.set("pack", query.get("pack"));
    live(w("pack_from", { name: query.get("pack") }));
  }
  seen = null;
  candidates.bind(state);
  form = new Form($("form"), state, { packs, territories: await territories(state.get("pack")),
    special: { weights: weightsGroup, locks: locksGroup((id) => candidates.nameOf(id), (id) => candidates.showId(id)) },
    found: (n) => { $("found").textContent = $("find").value.trim() ? plural(n, "found") : ""; } });
  $("find").value = "";
  state.onChange(changed);
  $("about").hidden = $("work").hidden = false;
  about(answer);
  differences();
  check();
  measure();
}

async function territories(pack) {
  const of = async (level) => {
    try {
      const found = await api.get(`${path`/api/packs/${pack}/outlines.geojson`}?level=${level}`);
      return found.features.map(({ properties }) => ({ code: String(properties.code), name: properties.name }))
        .sort((a, b) => a.code.localeCompare(b.code));
    } catch { return []; }
  };
  const [region, departement] = await Promise.all([of("region"), of("departement")]);
  return { region, departement };
}

function about(answer) {
  // the form writes the file anew
  $("comments").hidden = state.readOnly || !/^\s*#/m.test(answer.toml);
  fill($("about-text"), state.get("description"));
  $("remove").hidden = state.readOnly;
  drawState();
}
function drawState() {
  const saved = state.unsaved ? h("span", { class: "tag warn" }, w("unsaved")) : h("span", { class: "tag ok" }, w("saved_state"));
  fill($("about-state"),
    h("span", { class: "tag" }, w(state.readOnly ? "shipped" : "yours")), " ", saved, " ",
    state.baseName && !state.readOnly ? h("span", { class: "soft" }, w("extends", { name: state.baseName })) : null,
    state.readOnly ? h("span", { class: "soft" }, w("read_only_state")) : null);
  $("save").disabled = state.readOnly || !state.unsaved;
  $("about-title").textContent = state.get("title");
}

const check = later(async () => {
  const asked = state;
  try {
    const answer = await api.post("/api/scenarios/check", state.body());
    if (asked !== state) return;
    const homeless = form.faults(answer.faults);
    fill($("trouble"), faults(homeless));
    $("toml").textContent = answer.toml ?? "";
  } catch (error) { if (asked === state) fail(error); }
}, 500);

function differences() {
  const base = state.baseName ?? w("the_defaults");
  const found = Object.entries(state.body().values);
  $("differences-title").textContent = found.length
    ? plural(found.length, "differences", { base }) : w("differences_none", { base });
  fill($("differences-list"), found.length ? h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {},
    ["difference_key", "difference_old", "difference_new"].map((key) => h("th", { scope: "col" }, w(key))))),
  h("tbody", {}, found.map(([path, value]) => h("tr", {}, h("th", { scope: "row" },
    h("button", { type: "button", class: "plain", onclick: () => form.go(fieldOf(path)) }, named(path))),
  h("td", { class: "wrap" }, shown(state.was(path))), h("td", { class: "wrap" }, shown(value))))))) : null);
}
const fieldOf = (key) => {
  let at = key;
  while (at && !form.fields.has(at)) at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "";
  return at;
};
function named(key) {
  const label = labelOf(key);
  if (key.startsWith("weights.")) return w("weight_of", { name: label });
  if (label !== key) return label;
  const parent = fieldOf(key);
  const last = key.split(".").at(-1);
  const name = key.startsWith("criteria.") ? `${w(`measure.${key.split(".")[2]}`)}, ${labelOf(`criteria.access.*.${last}`)}` : `${labelOf(parent)}: ${last}`;
  return name.replace(/^measure\./, "");
}

function changed(at) {
  drawState();
  differences();
  check();
  stale();
  if (at === "pack") territories(state.get("pack")).then((found) => { Object.assign(form.territories, found); });
}
function stale() {
  const names = seen ? state.stale(seen) : [];
  fill($("stale"), names.length ? h("div", { class: "box warn" },
    h("p", {}, w("stale", { names: [...new Set(names.map((one) => labelOf(fieldOf(one) || one)))].join(", ") })),
    h("p", { class: "actions" }, h("button", { type: "button", class: "button small", onclick: measure }, w("stale_update")))) : null);
}

async function measure() {
  const asked = state, values = copy(state.values);
  fill($("stale"), h("p", { class: "loading", role: "status" }, w("measuring")));
  try {
    const pack = state.get("pack");
    const found = state.unsaved
      ? await api.post(path`/api/packs/${pack}/sites`, state.body())
      : await api.get(`${path`/api/packs/${pack}/sites`}?scenario=${encodeURIComponent(state.name)}`);
    if (asked !== state) return;
    seen = values;
    fill($("stale"));
    await candidates.set(found, pack);
    live(w("measured"));
    stale();
  } catch (error) {
    if (asked === state) fill($("stale"), faults(error.faults ?? [{ message: String(error) }], w("no_candidates")));
    if (!error.faults) console.warn(error);
  }
}

async function save(name) {
  const version = name === state.name ? { version: state.version } : {};
  const answer = await api.put(path`/api/scenarios/${name}`, { ...state.body(), ...version });
  list = await api.get("/api/scenarios");
  drawList(name);
  if (name === state.name) {
    state.opened = copy(state.values);
    state.version = answer.version;
    drawState();
  } else {
    query.delete("pack");
    history.replaceState(null, "", path`/scenario?name=${name}`);
    await open(name);
  }
  live(w("saved", { name }));
}

const slug = (text) => plain(text).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "scenario";

async function saveAs(title = w("save_as_title"), confirm = w("save")) {
  const own = new Set(list.filter((one) => !one.read_only).map((one) => one.name));
  const shipped = new Set(list.filter((one) => one.read_only).map((one) => one.name));
  const suggestion = (() => { let n = 2, name = `${state.name}-${n}`; while (own.has(name) || shipped.has(name)) name = `${state.name}-${++n}`; return name; })();
  const note = h("p", { class: "small soft", role: "status" });
  const file = h("input", { id: "as-name", name: "name", value: suggestion, required: true, pattern: "[A-Za-z0-9_][A-Za-z0-9._\\-]*", size: 30,
    oninput: () => {
      file.setCustomValidity(shipped.has(file.value) ? w("taken") : "");
      note.textContent = shipped.has(file.value) ? w("taken") : own.has(file.value) ? w("overwrite") : "";
    } });
  const label = h("input", { id: "as-title", name: "title", value: state.get("title"), required: true, size: 40 });
  label.addEventListener("input", () => { if (file.value === suggestion || file.dataset.auto) { file.dataset.auto = "1"; file.value = slug(label.value); file.dispatchEvent(new Event("input")); } });
  const answer = await ask({ title, confirm, body: [
    h("p", {}, h("label", { for: "as-title" }, w("save_as_label")), h("br"), label),
    h("p", {}, h("label", { for: "as-name" }, w("save_as_name")), h("br"), file), note] });
  if (!answer) return null;
  state.set("title", answer.get("title"));
  await save(answer.get("name"));
  return answer.get("name");
}

async function run() {
  let name = state.name;
  if (state.unsaved) {
    if (state.readOnly) name = await saveAs(w("run_title"), w("run_title"));
    else await save(name);
  }
  if (!name) return;
  const { id } = await api.post("/api/jobs", { scenario: name, kind: "run" });
  live(w("started"));
  location.assign(path`/calcul?job=${id}`);
}

const act = (action) => async () => { try { await action(); } catch (error) { fail(error); } };
$("save").addEventListener("click", act(() => save(state.name)));
$("save-as").addEventListener("click", act(() => saveAs()));
$("run").addEventListener("click", act(run));
$("find").addEventListener("input", () => form?.search($("find").value));
$("choose").addEventListener("submit", (event) => event.preventDefault());
$("remove").addEventListener("click", act(async () => {
  const sure = await ask({ title: w("delete_title", { name: state.name }), body: h("p", {}, w("delete_text")), confirm: w("delete_yes") });
  if (!sure) return;
  await api.del(path`/api/scenarios/${state.name}`);
  live(w("deleted"));
  location.assign("/scenario");
}));
$("name").addEventListener("change", act(async () => {
  const name = $("name").value;
  if (state?.unsaved && !await ask({ title: w("leave"), body: null, confirm: w("leave_yes") })) {
    $("name").value = state.name;
    return;
  }
  query.delete("pack");
  history.replaceState(null, "", path`/scenario?name=${name}`);
  await open(name);
}));
addEventListener("beforeunload", (event) => { if (state?.unsaved) event.preventDefault(); });
start().catch(fail);
