"use strict";
// Adds to a page that is complete without it: sorting, filters, map and list in step.
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  function value(cell) {
    if ("v" in cell.dataset) {
      return cell.dataset.v === "" ? null : Number(cell.dataset.v.replace("inf", "Infinity"));
    }
    return cell.textContent.trim();
  }

  function sort(table, column, ascending) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => [value(row.cells[column]), row]);
    const compare = (a, b) =>
      typeof a === "number" && typeof b === "number"
        ? (a === b ? 0 : a < b ? -1 : 1)
        : String(a).localeCompare(String(b), document.documentElement.lang, { numeric: true });
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // unknown stays last
      return ascending ? compare(a, b) : compare(b, a);
    });
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of all("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      head.dataset.label = head.textContent; // printed: repeated headings do not paint buttons
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table, column, ascending);
      });
    });
  }

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  for (const form of all("form.filters")) {
    const rows = all("tbody tr", document.getElementById(form.dataset.table));
    const output = form.querySelector("output");
    const apply = () => {
      const { text, kind, region, view } = form.elements;
      const wanted = plain(text.value.trim());
      let shown = 0;
      for (const row of rows) {
        const kept =
          (!kind.value || row.dataset.kind === kind.value) &&
          (!region.value || row.dataset.region === region.value) &&
          plain(row.textContent).includes(wanted) &&
          (!view?.checked || inView(row.dataset.site));
        row.hidden = !kept;
        shown += kept;
        for (const mark of markers(row.dataset.site)) mark.classList.toggle("dim", !kept);
      }
      output.textContent = form.dataset.count
        .replace("{shown}", shown)
        .replace("{total}", rows.length);
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    document.addEventListener("siteselect:moved", () => { if (form.elements.view?.checked) apply(); });
    apply();
  }

  function markers(site) {
    return all(`.map a[data-site="${site}"], .mark a[data-site="${site}"]`);
  }

  function inView(site) {
    const asked = new CustomEvent("siteselect:ask", { detail: { site: Number(site), inView: true } });
    document.dispatchEvent(asked);
    return asked.detail.inView;
  }

  function light(site, on) {
    for (const part of [...markers(site), document.getElementById(`row-${site}`)]) {
      part?.classList.toggle("on", on);
    }
  }

  // Marks of the interactive map come later: the document listens for all of them.
  for (const [event, on] of [
    ["mouseover", true],
    ["focusin", true],
    ["mouseout", false],
    ["focusout", false],
  ]) {
    document.addEventListener(event, ({ target }) => {
      const part = target.closest?.("a[data-site], table.sites tr[data-site]");
      if (part) light(part.dataset.site, on);
    });
  }

  function reveal() {
    const target = document.getElementById(location.hash.slice(1));
    const sheet = target?.closest("details");
    if (sheet) sheet.open = true;
    if (sheet) target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
})();
