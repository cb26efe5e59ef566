// Candidates on the map and in the table, in step, scored here as the weights move.
import { $, fill, h, later, perFrame } from "../lib/dom.js";
import { collator, ha, number, plain, plural, w } from "../lib/words.js";
import { PALETTE, SHAPES, createMap, kindMark } from "../lib/map.js";
import { createTable } from "../lib/table.js";
import { ranks, scores, shares, worth } from "../lib/scoring.js";
import { force, lockOf } from "./locks.js";
import { measureOf } from "./weights.js";

export class Candidates {
  constructor() {
    this.state = null;
    this.data = null;
    this.selected = -1;
    this.map = null;
    this.table = null;
    this.rescore = perFrame(() => this.#rescore());
    this.say = later((text) => { $("moves-live").textContent = text; }, 700);
  }
  /** Another scenario; its candidates come with ``set``. */
  bind(state) {
    this.state = state;
    this.data = null;
    this.selected = -1;
    $("card").hidden = true;
    state.onChange((path) => {
      if (!this.data || state !== this.state) return;
      if (/^(weights|criteria|count)/.test(path)) this.rescore();
      else if (/^locks\.(include|exclude)/.test(path)) this.#marked();
    });
  }

  nameOf(id) { const i = this.data?.index.get(id); return i === undefined ? null : this.data.name[i]; }
  showId(id) { const i = this.data?.index.get(id); if (i !== undefined) this.pick(i, { show: true }); }

  /** `data` as the columnar answer of the server; `base` names the pack of the background. */
  async set(data, pack) {
    const { state } = this;
    const n = data.site_id.length;
    this.data = data;
    data.index = new Map(data.site_id.map((id, i) => [id, i]));
    data.kept = Uint8Array.from(data.excluded_reason, (reason) => (reason === null || reason === "" ? 1 : 0));
    data.search = data.site_id.map((id, i) => plain(`${id} ${data.name[i]} ${data.commune[i]} ${data.departement[i]} ${data.region[i]}`));
    this.score = new Float64Array(n);
    this.before = ranks(this.#scores(new Float64Array(n)), data.kept).rank;
    this.rank = this.before;
    this.locks = new Array(n).fill(null);
    fill($("moves"), h("span", { id: "moves-text" }), h("span", { id: "moves-live", class: "sr", role: "status" }));
    const notices = data.notices ?? [];
    $("notices").hidden = !notices.length;
    $("notices-title").textContent = `⚠ ${plural(notices.length, "notices")}`;
    fill($("notices-list"), notices.map((text) => h("li", {}, text)));
    this.#table();
    this.#filters();
    this.#marked(false);
    this.#rescore();
    if (!this.map) {
      this.map = await createMap($("map"), { label: w("map_candidates"), tip: (i) => this.#tip(i),
        onPick: (i) => { if (this.data) this.pick(i); }, onHover: (i) => this.table.hover(i) });
      this.map.onMove?.(() => { if (this.data && $("filters").elements.view.checked) this.#filter(); });
      if (state !== this.state || this.data !== data) return; // another scenario was opened meanwhile
    }
    if (pack !== this.pack) { this.pack = pack; this.map.base(pack); }
    this.map.points({ lon: data.lon, lat: data.lat, shape: Uint8Array.from(data.kind, (kind) => SHAPES[kind] ?? 0) });
    this.#paint();
  }

  #scores(out) {
    const parts = shares(this.state.get("weights"), this.state.get("criteria"));
    return parts ? scores(parts, this.data.measures, out.length, out) : null;
  }
  #rescore() {
    if (!this.data || !this.#scores(this.score)) return;
    const { order, rank } = ranks(this.score, this.data.kept);
    this.order = order;
    this.rank = rank;
    this.count = this.state.get("count");
    let entered = 0;
    for (let k = 0; k < Math.min(this.count, order.length); k++) entered += this.before[order[k]] > this.count;
    const text = entered ? plural(entered, "moves", { count: this.count }) : w("moves_none", { count: this.count });
    $("moves-text").textContent = `${text} ${w("moves_note")}`;
    this.say(text);
    if (this.shownMode === "top" || this.shownMode === "moved") this.#filter(true);
    else this.table.refresh({ sorted: true });
    this.#paint();
    if (this.selected >= 0) this.#card();
  }
  #moved(i) {
    const now = this.rank[i], was = this.before[i];
    return now > 0 && (now <= this.count) !== (was <= this.count);
  }

  #paint() {
    if (!this.map || this.map.failed || !this.map.look.colour.length) return;
    const { colour, size } = this.map.look, n = this.order.length;
    colour.fill(PALETTE.out);
    size.fill(0);
    for (let k = 0; k < n; k++) colour[this.order[k]] = PALETTE.high - Math.min(4, Math.floor((5 * k) / n));
    for (let k = 0; k < Math.min(this.count, n); k++) size[this.order[k]] = 2;
    this.map.clearRings();
    this.locks.forEach((lock, i) => { if (lock) { size[i] = 2; this.map.ring(i, lock === "in" ? PALETTE.in : PALETTE.ink); } });
    this.map.update();
    this.#legend();
  }
  #legend() {
    const key = `${this.count}/${this.locks.some(Boolean)}`;
    if (this.legend === key) return;
    this.legend = key;
    fill($("legend"),
      h("li", {}, h("span", { class: "ramp", "aria-hidden": "true" }, [0, 1, 2, 3, 4].map((k) => h("i", { class: `s${k}` }))), w("legend_score")),
      h("li", {}, w("legend_top", { count: this.count })),
      ["brownfield", "extension", "greenfield"].map((kind) => h("li", {}, kindMark(kind), w(`kind_${kind}`))),
      this.locks.some(Boolean) ? [h("li", {}, w("legend_in")), h("li", {}, w("legend_out"))] : null);
  }
  #tip(i) {
    const { name, commune, kept } = this.data;
    const said = { name: name[i], commune: commune[i], rank: number(this.rank[i]), score: number(this.score[i], 3) };
    return kept[i] ? w("tip_rank", said) : w("tip_plain", said);
  }

  #table() {
    const d = this.data;
    const move = (i) => (this.rank[i] ? this.before[i] - this.rank[i] : 0);
    const columns = [
      { key: "rank", label: w("rank"), width: 9, numeric: true, changes: true, value: (i) => this.rank[i] || null, text: (i) => (this.rank[i] ? number(this.rank[i]) : "—") },
      { key: "move", label: w("move"), help: w("move_help"), width: 13, numeric: true, value: move,
        text: (i) => { const n = move(i); return n > 0 ? w("up", { n: number(n) }) : n < 0 ? w("down", { n: number(-n) }) : w("same"); } },
      { key: "name", label: w("site"), width: 42, head: true, text: (i) => d.name[i] },
      { key: "kind", label: w("kind"), width: 18, text: (i) => w(`kind_${d.kind[i]}`), node: (i) => h("span", {}, kindMark(d.kind[i]), w(`kind_${d.kind[i]}`)) },
      { key: "commune", label: w("commune"), width: 24, text: (i) => d.commune[i] },
      { key: "departement", label: w("departement"), width: 9, text: (i) => d.departement[i] },
      { key: "score", label: w("score"), width: 11, numeric: true, changes: true, value: (i) => (d.kept[i] ? this.score[i] : null), text: (i) => (d.kept[i] ? number(this.score[i], 3) : "—") },
      { key: "usable", label: w("usable"), width: 13, numeric: true, value: (i) => d.usable_ha[i], text: (i) => number(d.usable_ha[i], 2) },
      { key: "artificialised", label: w("artificialised"), width: 16, numeric: true, value: (i) => d.artificialised_ha[i], text: (i) => number(d.artificialised_ha[i], 2) },
      { key: "lock", label: w("lock"), width: 11, changes: true, text: (i) => (this.locks[i] ? w(`lock_${this.locks[i]}`) : "") },
      ...Object.keys(d.measures).map((measure) => ({ key: measure, label: measureOf(measure), width: 28, numeric: true,
        value: (i) => (d.measures[measure][i] === "inf" ? Infinity : d.measures[measure][i]),
        text: (i) => number(d.measures[measure][i], /_(min|km)$/.test(measure) ? 1 : 0) })),
      { key: "region", label: w("region"), width: 24, text: (i) => d.region[i] },
      { key: "reason", label: w("reason"), width: 40, text: (i) => d.excluded_reason[i] ?? "" },
    ];
    this.table = createTable($("table"), { caption: w("candidates"), count: d.site_id.length, columns, sort: ["rank", 1],
      rowClass: (i) => (this.locks[i] ? `locked-${this.locks[i]}` : ""),
      onSelect: (i) => this.pick(i, { show: true }), onHover: (i) => this.map?.hover(i ?? -1) });
  }

  #filters() {
    const form = $("filters"), d = this.data;
    const option = (value, text) => h("option", { value }, text);
    const kinds = [...new Set(d.kind)], regions = [...new Set(d.region)].sort(collator.compare);
    const keep = [form.elements.kind.value, form.elements.region.value];
    fill(form.elements.kind, option("", w("all")), kinds.map((kind) => option(kind, w(`kind_${kind}`))));
    fill(form.elements.region, option("", w("all")), regions.map((region) => option(region, region)));
    [form.elements.kind.value, form.elements.region.value] = keep.map((value) => value || "");
    if (!this.listening) {
      this.listening = true;
      form.addEventListener("input", () => { if (this.data) this.#filter(); });
      form.addEventListener("submit", (event) => event.preventDefault());
    }
    this.#filter();
  }
  #filter(sorted = false) {
    const { text, kind, region, show, view } = $("filters").elements, d = this.data;
    const wanted = plain(text.value.trim()), mode = show.value;
    this.shownMode = mode;
    const asked = {
      kept: (i) => d.kept[i], excluded: (i) => !d.kept[i], locked: (i) => this.locks[i],
      top: (i) => this.rank[i] > 0 && this.rank[i] <= this.count, moved: (i) => this.#moved(i),
    }[mode];
    const test = (i) => asked(i) && (!kind.value || d.kind[i] === kind.value) && (!region.value || d.region[i] === region.value)
      && (!wanted || d.search[i].includes(wanted));
    if (this.map && !this.map.failed) {
      const { shown } = this.map.look;
      for (let i = 0; i < shown.length; i++) shown[i] = test(i) ? 1 : 0;
      this.map.update();
    }
    if (sorted) this.table.refresh({ sorted: true });
    this.table.filter(view.checked && this.map ? (i) => test(i) && this.map.inView(i) : test);
    $("shown").textContent = this.table.described();
  }

  #marked(redraw = true) {
    const include = new Set(this.state.get("locks.include")), exclude = new Set(this.state.get("locks.exclude"));
    this.locks = this.data.site_id.map((id) => (include.has(id) ? "in" : exclude.has(id) ? "out" : null));
    if (!redraw) return;
    this.table.refresh();
    this.#paint();
    if (this.selected >= 0) this.#card();
  }

  pick(i, { show = false } = {}) {
    this.selected = i;
    if (show) { this.table.select(i, { scroll: true }); this.map.select(i); } else { this.table.select(i); }
    this.#card();
  }
  #card() {
    const i = this.selected, d = this.data, card = $("card");
    const site = { id: d.site_id[i], name: d.name[i] };
    const lock = lockOf(this.state, site.id);
    const parts = shares(this.state.get("weights"), this.state.get("criteria")) ?? [];
    const button = (way, text) => h("button", { type: "button", class: "button small", dataset: { way: way ?? "free" },
      onclick: async () => { if (await force(this.state, site, way)) card.querySelector("[data-way]")?.focus(); } }, text);
    const unit = (measure) => (measure.endsWith("_min") ? "min" : measure.endsWith("_km") ? "km" : "");
    card.hidden = false;
    fill(card,
      h("h3", { id: "card-title" }, kindMark(d.kind[i]), site.name, " ", lock ? h("span", { class: `tag ${lock === "in" ? "ok" : "bad"}` }, w(`lock_${lock}`)) : null),
      h("p", { class: "soft" }, `${d.commune[i]} (${d.departement[i]}), ${d.region[i]} · ${w(`kind_${d.kind[i]}`)} · ${site.id}`),
      h("p", {}, `${w("usable")} : ${ha(d.usable_ha[i])} · ${w("artificialised")} : ${ha(d.artificialised_ha[i])}`.replaceAll(" (ha)", "")),
      d.kept[i] ? h("p", {}, `${w("rank")} ${number(this.rank[i])} · ${w("score")} ${number(this.score[i], 3)}`)
        : h("p", { class: "box warn" }, w("card_excluded", { reason: d.excluded_reason[i] })),
      h("p", { class: "actions" },
        lock !== "in" ? button("in", w("force_in")) : null, lock !== "out" ? button("out", w("force_out")) : null,
        lock ? button(null, w("free")) : null,
        h("button", { type: "button", class: "button small", onclick: () => { this.map.show(i); $("map").scrollIntoView({ block: "nearest" }); } }, w("card_show"))),
      h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["card_measure", "card_value", "card_worth", "card_part"].map((key, c) =>
        h("th", { scope: "col", class: c ? "num" : null }, w(key))))),
      h("tbody", {}, parts.map((one) => {
        const measured = d.measures[one.measure]?.[i] ?? null;
        const value = worth(measured, one);
        return h("tr", {}, h("th", { scope: "row" }, measureOf(one.measure)),
          h("td", { class: "num" }, `${number(measured, unit(one.measure) ? 1 : 0)}${Number.isFinite(measured) && unit(one.measure) ? ` ${unit(one.measure)}` : ""}`),
          h("td", { class: "num" }, number(value, 2)), h("td", { class: "num" }, number(value * one.share, 3)));
      })))));
  }
}
