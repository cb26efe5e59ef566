// Robustness, replacement costs, trade-offs and alternatives: what exists, or a button that asks.
import { h, fill, faults, live } from "../lib/dom.js";
import { api, path, waitFor } from "../lib/api.js";
import { number, percent, plural, w } from "../lib/words.js";
import { cell, foreignTable } from "./tables.js";

const ROWS = 60; // of a table on the page; the files have them all
const OPTIONS = {
  rank: () => [],
  robustness: () => [field("draws", "number", { value: 100, min: 10, max: 2000, step: 10 })],
  tradeoffs: () => [
    choice("against", ["zan", "groups", "new_ha", "cost", "brownfields"], "against"),
    field("points", "number", { value: 6, min: 2, max: 30, step: 1 })],
  alternatives: () => [
    field("loss_share", "number", { value: 1, min: 0.1, max: 20, step: 0.1 }),
    field("min_different", "number", { value: 5, min: 1, max: 50, step: 1 })],
};
const KIND_OF = [["ranking", "rank"], ["robustness", "robustness"], ["tradeoffs", "tradeoffs"], ["alternatives", "alternatives"]];
const SHARES = new Set(["frequency", "low", "high", "jaccard"]);
const HIDDEN = new Set(["sites", "replaces_sites", "unit"]);

const field = (name, type, settings) =>
  h("label", {}, w(`option_${name}`), " ", h("input", { name, type, required: true, ...settings }));
const choice = (name, values, word) =>
  h("label", {}, w(`option_${name}`), " ", h("select", { name }, values.map((value) => h("option", { value }, w(`${word}_${value}`)))));

export async function showDecisions(place, run) {
  const draw = async () => {
    const found = await api.get(path`/api/runs/${run.id}/decisions`);
    fill(place, KIND_OF.map(([name, kind]) => analysis(name, kind, found, run, draw)));
  };
  await draw();
}

function analysis(name, kind, every, run, again) {
  const found = every.filter((one) => one.name === name || one.name.startsWith(`${name}-`));
  const id = `decision-${name}`;
  return h("article", { class: "analysis", "aria-labelledby": id },
    h("h3", { id }, w(`analysis_${name}`)),
    h("p", { class: "soft" }, w(`analysis_${name}_help`)),
    found.map((one) => shown(one, name)),
    launcher(kind, run, again, found.length > 0));
}

function launcher(kind, run, again, repeated) {
  const said = h("div", { "aria-live": "polite" });
  const button = h("button", { class: "button" }, w(repeated ? "compute_again" : "compute"));
  const form = h("form", { class: "filters launch", "aria-label": w(`analysis_${kind === "rank" ? "ranking" : kind}`) },
    OPTIONS[kind](), button, said);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const job = await asked(kind, form, run, said);
      if (job.state === "done") { live(w("computed")); await again(); return; }
      fill(said, faults(job.faults?.length ? job.faults : [{ message: w(`state_${job.state}`) }]));
    } catch (error) {
      fill(said, faults(error.faults ?? [{ message: String(error.message ?? error) }]));
    }
    button.disabled = false;
  });
  return form;
}

async function asked(kind, form, run, said) {
  const options = {};
  for (const [name, value] of new FormData(form)) {
    options[name] = form.elements[name].type === "number" ? Number(value) : value;
  }
  if ("loss_share" in options) options.loss_share /= 100; // said in percent
  const made = await api.post("/api/jobs", { kind, run: run.id, options });
  const bar = h("progress", { max: 1, "aria-label": w("progress") });
  const text = h("span", {}, w("state_queued"));
  fill(said, bar, " ", text, " ", h("a", { href: "/calcul" }, w("see_queue")));
  return waitFor(made.id, (now) => {
    if (now.progress === null || now.progress === undefined) bar.removeAttribute("value");
    else bar.value = now.progress;
    text.textContent = now.state === "queued" || !now.stage ? w(`state_${now.state}`)
      : [now.stage, Number.isFinite(now.progress) ? percent(now.progress) : ""].filter(Boolean).join(" — ");
  });
}

function shown(one, name) {
  const tables = one.tables.filter((table) => table.rows.length);
  return h("div", { class: one.plots.length ? "found drawn" : "found" },
    one.name === name ? null : h("h4", {}, one.title),
    summary(one),
    h("div", { class: "plots", hidden: !one.plots.length }, one.plots.map((plot) =>
      h("figure", {}, h("a", { href: plot.url, target: "_blank", rel: "noopener", "aria-label": w("enlarge", { title: plot.title }) },
        h("img", { src: plot.url, alt: plot.alt, loading: "lazy" })),
      h("figcaption", {}, plot.title)))),
    h("div", {}, tables.map((table) => h("details", { open: table === tables[0] },
      h("summary", {}, `${table.title} (${number(table.total)})`),
      foreignTable(table, { caption: table.title, text: shareText, skip: HIDDEN, most: ROWS }),
      table.total > ROWS
        ? h("p", { class: "soft" }, w("table_first", { shown: number(ROWS), total: number(table.total) })) : null))));
}

const shareText = (key, value) => {
  if (SHARES.has(key) || /^rank_\d/.test(key)) {
    return typeof value === "number" ? percent(value, 0) : cell(value);
  }
  if (key === "enter" || key === "leave") {
    const ids = value ? value.split(" ") : [];
    return ids.length < 2 ? value || "—"
      : h("details", { class: "few" }, h("summary", {}, plural(ids.length, "sites")), h("small", {}, value));
  }
  if (key === "name") return h("span", { class: "named" }, value ?? "—");
  if (key === "site_id") return h("span", { class: "nowrap" }, value);
  return null;
};

/** One sentence of figures, where the facts give them. */
function summary({ facts = {} }) {
  const parts = [];
  if (facts.classes) {
    parts.push(w("robust_classes", { always: number(facts.classes.always ?? 0), often: number(facts.classes.often ?? 0),
      sometimes: number(facts.classes.sometimes ?? 0) }));
  }
  if (Number.isFinite(facts.mean_jaccard)) parts.push(w("mean_jaccard", { share: percent(facts.mean_jaccard) }));
  if (facts.uncertainty?.draws) parts.push(w("draws_proven", { proven: number(facts.proven ?? 0), draws: number(facts.uncertainty.draws) }));
  if (typeof facts.proven === "boolean") parts.push(w(facts.proven ? "all_proven" : "some_open"));
  if (facts.common?.length) parts.push(w("common_sites", { n: number(facts.common.length), loss: percent(facts.loss_share, 1) }));
  if (facts.open) parts.push(w("open_points", { n: number(facts.open) }));
  return parts.length ? h("p", {}, parts.join(" ")) : null;
}
