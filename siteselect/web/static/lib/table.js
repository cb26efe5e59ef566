// A table of tens of thousands of rows: only those in view are in the page.
//
//   const table = createTable(place, {
//     caption: w("candidates"), count: 24000,
//     columns: [{ key: "name", label: w("site"), width: 18, text: (i) => name[i] },
//               { key: "score", label: w("score"), width: 6, numeric: true,
//                 value: (i) => score[i], text: (i) => number(score[i], 3) },
//               { key: "locks", label: w("locks"), width: 8, sortable: false, node: (i) => h(…) }],
//     sort: ["score", -1],
//     onSelect: (i) => …, onHover: (i | null) => …, rowClass: (i) => "forced" });
//   table.filter((i) => kept[i]);  table.refresh({ sorted: true });  table.select(i);
//   table.count(rows, options);    // other rows, same columns
//
// A grid for assistive techniques (aria-rowcount, aria-rowindex): ↑ ↓ PageUp PageDown Home End move
// between rows, Enter or Space chooses one, Tab reaches the controls inside the row in focus.
// `text(i)` is a string; `value(i)` (number, string or null = unknown, always last) is what sorts,
// `text` when absent. Widths are in ch-like units of rem/2. Filtering 24,000 rows takes some ms.
import { h, fill, perFrame } from "./dom.js";
import { collator, number, w } from "./words.js";

const AROUND = 8; // rows kept above and below those in view

export function createTable(place, settings) {
  const { columns, rowClass = () => "", onSelect = () => {}, onHover = () => {}, onCount = () => {} } = settings;
  let total = settings.count;
  let kept = () => true;
  let [sortKey, direction] = settings.sort ?? [null, 1];
  let order = new Int32Array(0); // rows shown, in order
  let position = new Int32Array(0); // row → place in order, -1 when filtered away
  let selected = -1, focused = 0, rowHeight = 0, first = 0, last = 0;
  const drawn = new Map();
  const textRanks = new Map(); // sorting by text compares once, not at every filter

  const body = h("tbody", {});
  const top = h("tr", { class: "gap", "aria-hidden": "true" }, h("td", { colspan: columns.length }));
  const bottom = top.cloneNode(true);
  const heads = columns.map((column) => h("th", { scope: "col", role: "columnheader",
    class: column.numeric ? "num" : null, title: column.help ?? null },
  column.sortable === false ? column.label
    : h("button", { type: "button", onclick: () => sortBy(column.key) }, column.label)));
  const table = h("table", { class: "virtual", role: "grid", "aria-label": settings.caption },
    h("colgroup", {}, columns.map(() => h("col"))),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row", "aria-rowindex": "1" }, heads)), body);
  columns.forEach((column, c) => { table.querySelectorAll("col")[c].style.width = `${column.width / 2}rem`; });
  table.style.minWidth = `${columns.reduce((sum, one) => sum + one.width, 0) / 2}rem`;
  const view = h("div", { class: "virtual-view" }, table);
  const note = h("p", { class: "none-found soft", hidden: true }, settings.empty ?? w("no_row"));
  fill(place, view, note);

  const column = (key) => columns.find((one) => one.key === key);
  const valueOf = (one) => one.value ?? one.text;

  function compareBy(one) {
    if (!one) return (a, b) => a - b;
    const value = valueOf(one), sign = direction;
    const sample = firstKnown(value);
    if (typeof sample !== "string") {
      const keys = new Float64Array(total);
      for (let i = 0; i < total; i++) { const v = value(i); keys[i] = v === null || v === undefined ? NaN : Number(v); }
      return (a, b) => {
        const x = keys[a], y = keys[b];
        if (x !== x || y !== y) return (x !== x) - (y !== y) || a - b; // unknown stays last
        return x === y ? a - b : sign * (x < y ? -1 : 1);
      };
    }
    const rank = ranksOfText(one, value);
    return (a, b) => (rank[a] < 0 || rank[b] < 0 ? (rank[a] < 0) - (rank[b] < 0) : sign * (rank[a] - rank[b])) || a - b;
  }
  function firstKnown(value) {
    for (let i = 0; i < total; i++) { const v = value(i); if (v !== null && v !== undefined) return v; }
    return null;
  }
  function ranksOfText(one, value) {
    if (!one.changes && textRanks.has(one.key)) return textRanks.get(one.key);
    const texts = Array.from({ length: total }, (_, i) => value(i) ?? null);
    const known = [...new Set(texts.filter((text) => text !== null))].sort(collator.compare);
    const place = new Map(known.map((text, r) => [text, r]));
    const rank = Int32Array.from(texts, (text) => (text === null ? -1 : place.get(text)));
    textRanks.set(one.key, rank);
    return rank;
  }

  let sorted = new Int32Array(0); // every row in order, filtered or not
  function sortAll() {
    sorted = Int32Array.from({ length: total }, (_, i) => i);
    sorted.sort(compareBy(column(sortKey)));
  }
  function keep() {
    const next = new Int32Array(total);
    position = new Int32Array(total).fill(-1);
    let n = 0;
    for (let k = 0; k < total; k++) {
      const i = sorted[k];
      if (kept(i)) { position[i] = n; next[n++] = i; }
    }
    order = next.subarray(0, n);
    focused = Math.max(0, Math.min(focused, n - 1));
    table.setAttribute("aria-rowcount", String(n + 1));
    table.tabIndex = -1;
    note.hidden = n > 0;
    onCount(n, total);
  }

  function draw() {
    if (!rowHeight) measure();
    const height = view.clientHeight || 400;
    const start = Math.max(0, Math.floor((view.scrollTop - headHeight()) / rowHeight) - AROUND);
    first = Math.min(start, Math.max(0, order.length - 1));
    last = Math.min(order.length, Math.ceil((view.scrollTop + height) / rowHeight) + AROUND);
    const wanted = new Set();
    for (let p = first; p < last; p++) wanted.add(order[p]);
    const inside = body.contains(document.activeElement);
    for (const [i, row] of drawn) if (!wanted.has(i) && !row.contains(document.activeElement)) { row.remove(); drawn.delete(i); }
    top.firstChild.style.height = `${first * rowHeight}px`;
    bottom.firstChild.style.height = `${Math.max(0, order.length - last) * rowHeight}px`;
    if (body.firstChild !== top) body.prepend(top);
    let before = top;
    for (let p = first; p < last; p++) {
      const i = order[p];
      let row = drawn.get(i);
      if (!row) { row = newRow(i); drawn.set(i, row); }
      if (before.nextSibling !== row) before.after(row);
      row.setAttribute("aria-rowindex", String(p + 2));
      row.tabIndex = p === focused ? 0 : -1;
      before = row;
    }
    if (before.nextSibling !== bottom) before.after(bottom);
    if (focused < first || focused >= last) table.tabIndex = inside ? -1 : 0; // one way in with Tab
  }
  function newRow(i) {
    const row = h("tr", { role: "row", dataset: { row: i }, class: rowClass(i) || null,
      "aria-selected": String(i === selected) });
    for (const one of columns) {
      row.append(one.node
        ? h("td", { role: "gridcell", class: one.numeric ? "num" : null }, one.node(i))
        : cell(one, i));
    }
    return row;
  }
  function cell(one, i) {
    const text = one.text(i) ?? "";
    return h(one.head ? "th" : "td", { role: one.head ? "rowheader" : "gridcell",
      class: one.numeric ? "num" : null, title: String(text).length * 0.95 > one.width ? text : null },
    one.icon ? h("span", { class: one.icon(i) }, text) : text);
  }
  function measure() {
    if (!order.length) { rowHeight = 32; return; }
    const row = newRow(order[0]);
    body.append(row);
    rowHeight = row.getBoundingClientRect().height || 32;
    row.remove();
  }
  const headHeight = () => table.tHead.offsetHeight;

  function redrawAll() {
    for (const row of drawn.values()) row.remove();
    drawn.clear();
    draw();
  }
  /** The cells in view, after what they show changed; ``sorted`` also sorts again. */
  function refresh({ sorted: again = false } = {}) {
    const held = body.contains(document.activeElement) ? order[focused] : -1;
    if (again) { sortAll(); keep(); }
    if (held >= 0 && position[held] >= 0) focused = position[held];
    redrawAll();
    if (held >= 0) reach(focused);
  }
  function filter(test) {
    kept = test;
    keep();
    view.scrollTop = 0;
    focused = 0;
    redrawAll();
  }
  function sortBy(key, wanted = null) {
    direction = wanted ?? (sortKey === key ? -direction : column(key).numeric ? -1 : 1);
    sortKey = key;
    heads.forEach((head, c) => {
      if (columns[c].key === key) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    sortAll();
    keep();
    view.scrollTop = 0;
    focused = 0;
    redrawAll();
  }

  function bring(p) { // into view, under the heading
    const above = p * rowHeight, under = view.clientHeight - headHeight() - rowHeight;
    if (above < view.scrollTop) view.scrollTop = above;
    else if (above > view.scrollTop + under) view.scrollTop = above - under;
    draw();
  }
  function reach(p) {
    if (!order.length) return;
    focused = Math.max(0, Math.min(order.length - 1, p));
    bring(focused);
    drawn.get(order[focused])?.focus({ preventScroll: true });
  }
  /** Marks row ``i`` and brings it into view (``scroll: false`` leaves the view alone). */
  function select(i, { scroll = true } = {}) {
    const before = drawn.get(selected);
    selected = i ?? -1;
    before?.setAttribute("aria-selected", "false");
    if (selected >= 0 && position[selected] >= 0) {
      focused = position[selected];
      if (scroll) bring(focused);
    }
    for (const [row, element] of drawn) {
      element.tabIndex = position[row] === focused ? 0 : -1;
      element.setAttribute("aria-selected", String(row === selected));
    }
  }
  /** Lights a row that the map points at. */
  function hover(i) {
    for (const [row, element] of drawn) element.classList.toggle("lit", row === i);
  }

  const rowOf = (target) => target.closest?.("tr[data-row]");
  body.addEventListener("click", (event) => {
    const row = rowOf(event.target);
    if (!row || event.target.closest("button, a, input, select")) return;
    select(Number(row.dataset.row), { scroll: false });
    row.focus({ preventScroll: true });
    onSelect(selected);
  });
  body.addEventListener("focusin", ({ target }) => {
    const row = rowOf(target);
    if (!row) return;
    const p = position[Number(row.dataset.row)];
    if (p >= 0 && p !== focused) { focused = p; draw(); }
    onHover(Number(row.dataset.row));
  });
  body.addEventListener("mouseover", ({ target }) => { const row = rowOf(target); if (row) onHover(Number(row.dataset.row)); });
  body.addEventListener("mouseleave", () => onHover(null));
  table.addEventListener("focus", () => reach(focused));
  body.addEventListener("keydown", (event) => {
    const row = rowOf(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((view.clientHeight - headHeight()) / rowHeight) - 1);
    const to = { ArrowDown: focused + 1, ArrowUp: focused - 1, PageDown: focused + page,
      PageUp: focused - page, Home: 0, End: order.length - 1 }[event.key];
    const inControl = event.target !== row;
    if (inControl && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (to !== undefined) { event.preventDefault(); reach(to); return; }
    if (!inControl && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(order[focused], { scroll: false });
      onSelect(selected);
    }
  });
  const onScroll = perFrame(draw);
  view.addEventListener("scroll", onScroll, { passive: true });
  new ResizeObserver(() => { rowHeight = 0; redrawAll(); }).observe(view);

  /** Other rows under the same columns. */
  function setCount(n) {
    total = n;
    textRanks.clear();
    selected = -1;
    sortAll();
    keep();
    redrawAll();
  }
  if (sortKey) {
    heads[columns.indexOf(column(sortKey))]?.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  }
  sortAll();
  keep();
  draw();
  return { element: table, filter, refresh, sortBy, select, hover, count: setCount,
    focus: () => reach(focused), get shown() { return order; }, get selected() { return selected; },
    described: (n = order.length) => w("rows_shown", { shown: number(n), total: number(total) }) };
}
