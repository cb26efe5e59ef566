// What a reader must know of a run before its list: status, figures, limits, law, changes.
import { h, fill } from "../lib/dom.js";
import { ha, moment, number, percent, plural, signed, w } from "../lib/words.js";
import { plainTable } from "./tables.js";

const MANY = 3; // more notices than this are folded

export const points = (value, digits = 3) => number(value, digits);
export const millions = (keur) =>
  Number.isFinite(keur) ? `${number(keur / 1000, 1)}\u00a0M€` : number(keur);

export function showHeadline(place, run) {
  fill(place,
    h("h2", { id: "run-title", tabindex: "-1" }, run.title),
    run.description ? h("p", { class: "lead" }, run.description) : null,
    h("p", { class: "meta" },
      badge(run),
      h("span", {}, moment(run.created)),
      h("span", {}, w("of_pack", { pack: run.pack.title })),
      h("span", {}, w("run_named", { run: run.run_id }))),
    limits(run),
    figures(run),
    run.facts.length ? h("dl", { class: "pairs told" }, run.facts.map((one) =>
      h("div", {}, h("dt", {}, one.label), h("dd", {}, one.value)))) : null,
    law(run),
    changes(run),
    overrides(run));
}

const badge = (run) =>
  h("span", { class: `badge ${run.proven ? "ok" : "warn"}` },
    h("span", { "aria-hidden": "true" }, run.proven ? "✓ " : "! "), run.status_text);

function limits(run) {
  const texts = run.notices ?? [];
  if (!texts.length) return null;
  const list = h("ul", {}, texts.map((text) => h("li", {}, text)));
  const title = [h("span", { "aria-hidden": "true" }, "⚠ "), h("strong", {}, w("limits")),
    run.simulated?.length ? ` — ${w("simulated_short")} ` : " "];
  return h("div", { class: "box warn limits", role: "note", "aria-label": w("limits") },
    texts.length > MANY
      ? h("details", {}, h("summary", {}, title, h("span", { class: "nowrap" }, `(${plural(texts.length, "notices")})`)), list)
      : [h("p", {}, title), list]);
}

function figures(run) {
  const { totals, counts } = run;
  const one = (label, value, ...more) => h("div", {}, h("dt", {}, label), h("dd", {}, value),
    more.filter(Boolean).map((text) => h("dd", { class: "sub" }, text)));
  return h("dl", { class: "figures" },
    one(w("selected_sites"), number(counts.selected + (counts.forced_in ?? 0)),
      w("of_candidates", { n: number(counts.sites ?? counts.considered) }),
      counts.reserve ? plural(counts.reserve, "in_reserve") : null),
    one(run.objective_label, points(run.objective),
      w("bound_gap", { bound: points(run.bound), gap: percent(run.gap, run.gap ? 4 : 0) })),
    "usable_ha" in totals ? one(w("usable_area"), ha(totals.usable_ha, 0)) : null,
    "net_ha" in totals
      ? one(w("net_balance"), `${signed(totals.net_ha)}\u00a0ha`,
        w("gross_restored", { gross: ha(totals.new_artificialisation_ha), restored: ha(totals.restored_ha) }))
      : null,
    "brownfield_share" in totals ? one(w("brownfield_share"), percent(totals.brownfield_share)) : null,
    "cost_keur" in totals
      ? one(w("cost_sites"), millions(totals.cost_keur),
        totals.restoration_cost_keur
          ? w("and_restoration", { cost: millions(totals.restoration_cost_keur) }) : null) : null,
    "price_of_zan" in totals
      ? one(w("price_of_zan"), points(totals.price_of_zan / 1e6),
        w("price_help")) : null);
}

const law = (run) =>
  h("p", { class: "note" }, h("strong", {}, w("regime")), ` ${run.regime.title} (${run.regime.version})`,
    run.regime.note ? ` — ${run.regime.note}` : "");

function changes(run) {
  if (!run.changes?.length) return null;
  return h("details", { class: "changes" },
    h("summary", {}, plural(run.changes.length, "changes")),
    plainTable({ caption: w("changes_caption"),
      columns: [
        { label: w("key"), head: true, text: (one) => h("code", {}, one.key) },
        { label: w("before"), text: (one) => shown(one.old) },
        { label: w("after"), text: (one) => shown(one.new) }],
      rows: run.changes }));
}

function overrides(run) {
  if (!run.overrides?.length) return null;
  return h("details", { class: "overrides", open: true },
    h("summary", {}, plural(run.overrides.length, "overrides")),
    plainTable({ caption: w("overrides_caption"),
      columns: [
        { label: w("site"), head: true, text: (one) => h("a", { href: `?${new URLSearchParams({ run: run.id, site: one.site_id })}` }, one.site_id) },
        { label: w("override"), text: (one) => w(`direction_${one.direction}`) },
        { label: w("why"), text: (one) => one.reason || w("no_reason_given") },
        { label: w("cost_objective"), numeric: true,
          text: (one) => (one.cost === null || one.cost === undefined ? w("not_computed") : points(one.cost, 6)) }],
      rows: run.overrides }));
}

const shown = (value) =>
  value === null || value === undefined ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value);
