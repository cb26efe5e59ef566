// Résultat: one run, from its headline to its files.
import { $, all, faults, fill, h, live } from "./lib/dom.js";
import { api, path } from "./lib/api.js";
import { date, w } from "./lib/words.js";
import { showHeadline } from "./result/headline.js";
import { indexed, showSites } from "./result/sites.js";
import { showCard } from "./result/card.js";
import { showLedger } from "./result/ledger.js";
import { showDecisions } from "./result/decisions.js";
import { showExports } from "./result/exports.js";

const address = new URLSearchParams(location.search);
const asked = new Map(); // what is surely needed is asked for before it is known to be there
const ask = (url) => {
  if (!asked.has(url)) asked.set(url, api.get(url));
  return asked.get(url);
};

async function start() {
  const wanted = address.get("run");
  if (wanted) for (const part of ["", "/sites"]) ask(path`/api/runs/${wanted}` + part).catch(() => {});
  const runs = await api.get("/api/runs");
  const chosen = runs.find((one) => one.id === wanted) ?? (wanted ? null : runs[0]);
  fill($("run"), runs.map((one) => h("option", { value: one.id, selected: one === chosen },
    `${one.title} — ${date(one.created)} · ${one.id}`)));
  $("choose").hidden = !runs.length;
  $("none").hidden = runs.length > 0;
  $("run").addEventListener("change", () => { location.search = new URLSearchParams({ run: $("run").value }).toString(); });
  $("choose").addEventListener("submit", (event) => event.preventDefault());
  if (wanted && !chosen) fill($("trouble"), faults([{ message: w("no_such_run"), value: wanted }]));
  if (chosen) await show(chosen.id, runs.length > 1);
  $("loading").hidden = true;
}

async function show(id, comparable) {
  const told = await ask(path`/api/runs/${id}`);
  const run = { ...told, id };
  document.title = `${run.title} — siteselect`;
  showHeadline($("headline"), run);
  $("compare").hidden = !comparable;
  $("compare").href = `/comparaison?run=${encodeURIComponent(id)}`;
  $("result").hidden = false;
  $("loading").hidden = true;
  await Promise.all([
    part("list", () => showList(run)),
    part("ledger-body", async (place) => showLedger(place, await api.get(path`/api/runs/${id}/ledger`), run.regime)),
    part("decisions-body", (place) => showDecisions(place, run)),
    part("exports-body", (place) => showExports(place, run)),
  ]);
  live(w("result_shown", { title: run.title }));
}

/** One part of the page that fails leaves the others alone. */
async function part(name, make) {
  try {
    await make($(name));
  } catch (error) {
    fill($(name), faults(error.faults ?? [{ message: String(error.message ?? error) }]));
  }
}

async function showList(run) {
  const [answer, restored] = await Promise.all([
    ask(path`/api/runs/${run.id}/sites`),
    api.get(path`/api/runs/${run.id}/restoration.geojson`).catch(() => null)]);
  const sites = indexed({ criteria: run.criteria ?? [], ...answer });
  const pick = (i) => {
    history.replaceState(null, "", `?${new URLSearchParams({ run: run.id, site: sites.site_id[i] })}`);
    showCard($("card"), { run, sites, i, pick: go, back,
      seen: { outline: list.outline, show: () => { list.near(i); $("map").scrollIntoView({ block: "center" }); } } });
  };
  const list = await showSites(sites, run.pack?.name, { onPick: pick, restoration: restored });
  function go(i) { list.pick(i); $("sheet-title").focus(); }
  function back() { $("sites").scrollIntoView(); list.table.focus(); }
  keys(back);
  const first = sites.at.get(address.get("site"));
  if (first !== undefined) list.pick(first);
}

/** Enter on a row opens the sheet and goes there; Escape in the sheet comes back to the row. */
function keys(back) {
  $("list").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("tr[data-row]")) setTimeout(() => $("sheet-title").focus());
  });
  $("sheet").addEventListener("keydown", (event) => {
    if (event.key === "Escape") back();
  });
  all("nav.within a").forEach((link) => link.addEventListener("click", () => {
    const title = document.querySelector(`${link.getAttribute("href")} h2`);
    title?.setAttribute("tabindex", "-1");
    setTimeout(() => title?.focus({ preventScroll: true }));
  }));
}

start().catch((error) => {
  $("loading").hidden = true;
  fill($("trouble"), faults(error.faults ?? [{ message: String(error.message ?? error) }]));
});
