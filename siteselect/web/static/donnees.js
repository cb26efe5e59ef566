// The screen Données: packs, what is in them, what is simulated or assumed, the check, an upload.
import { api, path, waitFor } from "./lib/api.js";
import { $, faults, fill, h, live } from "./lib/dom.js";
import { has, number, percent, plain, plural, w } from "./lib/words.js";

const MOST_BYTES = 50 * 1024 * 1024;
let packs = [], chosen = null;
const checking = new Map(); // pack → progress text

const fail = (error, place = $("trouble")) => {
  if (!error.faults) console.warn(error);
  fill(place, faults(error.faults ?? [{ message: String(error) }]));
  live(place.textContent, { urgent: true });
};

async function start() {
  await load(new URLSearchParams(location.search).get("pack"));
  $("loading").hidden = true;
  $("work").hidden = false;
}
async function load(name) {
  packs = await api.get("/api/packs");
  fill($("upload-base"), packs.filter((one) => !one.faults.length).map((one) => h("option", { value: one.name }, one.title)));
  show(packs.find((one) => one.name === name) ?? packs[0]);
}

function list() {
  fill($("packs"), packs.map((pack) => h("li", {}, h("button", { type: "button", class: "choice", dataset: { pack: pack.name },
    "aria-current": pack === chosen ? "true" : null, onclick: () => { show(pack); $("pack-title").focus(); } },
  h("strong", {}, pack.title), h("span", { class: "soft small" }, [pack.name, w(pack.embedded ? "embedded" : "own_pack"),
    pack.faults?.length ? null : plural(pack.layers.length, "layers")].filter(Boolean).join(" · ")),
  h("span", {}, nature(pack))))));
}
const nature = (pack) => (pack.faults?.length ? h("span", { class: "tag bad" }, `✗ ${w("unreadable")}`)
  : pack.simulated ? h("span", { class: "tag warn" }, `⚠ ${w("some_simulated")}`)
    : pack.layers.some((layer) => layer.assumed) ? h("span", { class: "tag warn" }, `⚠ ${w("assumed")}`)
      : h("span", { class: "tag ok" }, `✓ ${w("real")}`));

function show(pack) {
  if (!pack) return;
  chosen = pack;
  history.replaceState(null, "", path`/donnees?pack=${pack.name}`);
  list();
  $("pack-title").textContent = pack.title;
  $("pack-note").textContent = pack.note ?? "";
  fill($("pack-trouble"), faults(pack.faults, w("unreadable")));
  fill($("pack-actions"), pack.faults?.length ? null
    : h("a", { class: "button main", id: "use", href: path`/scenario?pack=${pack.name}` }, w("choose")));
  warning(pack);
  layers(pack);
  $("check").hidden = Boolean(pack.faults?.length);
  report(pack);
}
function warning(pack) {
  const simulated = pack.layers.filter((layer) => layer.simulated).map((layer) => layer.title);
  const said = [...pack.assumed];
  if (simulated.length && !said.length) said.push(w("simulated_layers", { titles: simulated.join(" ; ") }));
  fill($("pack-warning"), said.length ? h("div", { class: "box warn", role: "note" },
    h("h3", {}, h("span", { "aria-hidden": "true" }, "⚠ "), w("warning_title")), h("ul", {}, said.map((text) => h("li", {}, text)))) : null);
}
function layers(pack) {
  fill($("layers"), h("table", {}, h("thead", {}, h("tr", {}, ["layer", "nature", "rows", "vintage", "origin", "note"].map((key) =>
    h("th", { scope: "col", class: key === "rows" ? "num" : null }, w(key))))),
  h("tbody", {}, pack.layers.map((layer) => h("tr", {},
    h("th", { scope: "row" }, layer.title, h("br"), h("span", { class: "soft small" }, has(`role.${layer.role}`) ? w(`role.${layer.role}`) : layer.role)),
    h("td", {}, layer.simulated ? h("span", { class: "tag warn" }, `⚠ ${w("simulated")}`)
      : layer.assumed ? h("span", { class: "tag warn" }, `⚠ ${w("assumed")}`) : w("measured")),
    h("td", { class: "num" }, layer.rows === null ? "—" : number(layer.rows)),
    h("td", { class: "nowrap" }, layer.vintage),
    h("td", { class: "wrap" }, [layer.source, layer.attribution, layer.licence].filter(Boolean).join(" · ")),
    h("td", { class: "wrap small" }, layer.note))))));
}

async function report(pack) {
  const place = $("check-report");
  const button = (text) => h("p", { class: "actions" }, h("button", { type: "button", class: "button", id: "check-now", onclick: () => check(pack) }, text));
  if (checking.has(pack.name)) { fill(place, h("p", { role: "status" }, checking.get(pack.name))); return; }
  let found = null;
  try { found = await api.get(path`/api/packs/${pack.name}/check`); } catch (error) { if (error.status !== 404) { fail(error, place); return; } }
  if (pack !== chosen) return;
  const problems = found?.problems;
  if (!problems) { fill(place, h("p", { class: "soft" }, w("check_none")), button(w("check_now"))); return; }
  const severity = (one) => (has(`severity_${one}`) ? w(`severity_${one}`) : one);
  const sign = { error: "✗", warning: "⚠" };
  fill(place, found.current ? null : h("p", { class: "box warn" }, w("check_old")), problems.length
    ? [h("p", {}, plural(problems.length, "check")), h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {},
      ["severity", "what", "count", "examples", "remedy"].map((key) => h("th", { scope: "col", class: key === "count" ? "num" : null }, w(key))))),
    h("tbody", {}, problems.map((one) => h("tr", {},
      h("td", {}, h("span", { class: `tag ${one.severity === "error" ? "bad" : "warn"}` }, `${sign[one.severity] ?? "·"} ${severity(one.severity)}`)),
      h("th", { scope: "row" }, one.what), h("td", { class: "num" }, number(one.count)),
      h("td", { class: "wrap small" }, [].concat(one.examples ?? []).join(", ")), h("td", { class: "small" }, one.remedy))))))]
    : h("p", {}, h("span", { class: "tag ok" }, `✓ ${w("check_good")}`)), button(w("check_again")));
}
async function check(pack) {
  const say = (text) => {
    checking.set(pack.name, text);
    if (pack === chosen) fill($("check-report"), h("p", { role: "status" }, text));
  };
  say(w("check_running"));
  try {
    const made = await api.post(path`/api/packs/${pack.name}/check`);
    const done = await waitFor(made.id, (job) => {
      if (Number.isFinite(job.progress)) say(`${w("check_running")} ${percent(job.progress)}`);
    });
    checking.delete(pack.name);
    if (done.state !== "done") throw Object.assign(new Error(w("check_failed")), { faults: done.faults?.length ? done.faults : [{ message: w("check_failed") }] });
    if (pack === chosen) { await report(pack); live($("check-report").textContent); }
  } catch (error) {
    checking.delete(pack.name);
    if (pack === chosen) fail(error, $("check-report"));
  }
}

$("upload-file").addEventListener("change", () => {
  const file = $("upload-file").files[0];
  $("upload-file").setCustomValidity(file && file.size > MOST_BYTES ? w("upload_too_large") : "");
  if (file && !$("upload-name").value) {
    $("upload-name").value = plain(file.name.replace(/\..*$/, "")).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  }
});
$("upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const place = $("upload-state"), name = $("upload-name").value;
  fill(place, h("p", { class: "loading" }, w("uploading")));
  try {
    const body = new FormData();
    body.append("file", $("upload-file").files[0]);
    const { id } = await api.post(`/api/uploads?${new URLSearchParams({ pack: name, base: $("upload-base").value })}`, body);
    fill(place, h("p", { class: "loading" }, w("reading")));
    const done = await waitFor(id);
    if (done.state !== "done") throw Object.assign(new Error(""), { faults: done.faults.length ? done.faults : [{ message: w("upload_failed") }] });
    fill(place, h("p", {}, h("span", { class: "tag ok" }, "✓"), " ", w("upload_done", { name })));
    $("upload").reset();
    await load(name);
  } catch (error) {
    if (!error.faults) console.warn(error);
    fill(place, faults(error.faults ?? [{ message: String(error) }], w("upload_failed")));
  }
});
start().catch(fail);
