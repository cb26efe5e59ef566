// Weights and criteria: a slider and a number for each; every move is shown at once.
import { add, fill, h } from "../lib/dom.js";
import { has, percent, short, w } from "../lib/words.js";
import { GROUPS, shares } from "../lib/scoring.js";
import { labelOf } from "./form.js";

export const measureOf = (name) => (has(`measure.${name}`) ? w(`measure.${name}`) : name);

export function weightsGroup(body, form) {
  const { state } = form;
  const outputs = new Map(); // path or measure → output
  const note = h("p", { class: "fault", role: "alert", hidden: true }, w("no_weight"));
  const controls = [];

  function line(path, label, inner, key) {
    const id = `w-${path.replace(/\W/g, "-")}`;
    const range = h("input", { type: "range", id, min: 0, max: 1, step: 0.01, "aria-label": w("weight_of", { name: label }),
      oninput: () => set(range.valueAsNumber, range) });
    const box = h("input", { type: "number", min: 0, step: 0.01, "aria-label": w("weight_number", { name: label }),
      oninput: () => { if (box.value !== "" && box.valueAsNumber >= 0) set(box.valueAsNumber, box); } });
    const output = h("output", { for: id });
    outputs.set(key, output);
    const set = (value, from) => {
      state.set(path, value);
      show(value, from);
    };
    const show = (value, from = null) => {
      range.max = Math.max(1, value);
      if (from !== range) range.value = value;
      if (from !== box) box.value = short(value, 4).replace(/\s/g, "").replace(",", ".");
    };
    show(state.get(path));
    controls.push(() => show(state.get(path)));
    const element = h("div", { class: `slider${inner ? " inner" : ""}`, dataset: { path } },
      h("label", { for: id }, label), range, box, output);
    const fault = h("p", { class: "fault", hidden: true });
    const home = inner ? path.replace(/\.weight$/, "") : path;
    form.fields.set(home, { element, fault, mark: () => {} });
    return [element, fault];
  }
  function bound(path, label) {
    const input = h("input", { type: "number", step: "any", size: 7, value: state.get(path), "aria-label": label,
      oninput: () => { if (Number.isFinite(input.valueAsNumber) && input.value !== "") state.set(path, input.valueAsNumber); } });
    controls.push(() => { if (document.activeElement !== input) input.value = state.get(path); });
    return input;
  }

  add(body, [h("p", { class: "help soft small" }, w("weights_help")), note,
    GROUPS.map((group) => {
      const measures = Object.keys(state.get(`criteria.${group}`) ?? {});
      return h("fieldset", {}, h("legend", {}, w(`group_${group}`)),
        line(`weights.${group}`, labelOf(`weights.${group}`), false, group),
        measures.map((measure) => line(`criteria.${group}.${measure}.weight`, measureOf(measure), true, measure)),
        h("details", {}, h("summary", { class: "small" }, w("bounds")),
          h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, w("card_measure")),
            h("th", { scope: "col", class: "num" }, w("best")), h("th", { scope: "col", class: "num" }, w("worst")))),
          h("tbody", {}, measures.map((measure) => h("tr", {}, h("th", { scope: "row" }, measureOf(measure)),
            ["best", "worst"].map((end) => h("td", { class: "num" },
              bound(`criteria.${group}.${measure}.${end}`, `${measureOf(measure)}, ${w(end)}`)))))))));
    }),
    h("p", { class: "actions" }, h("button", { type: "button", class: "button small", onclick: () => {
      for (const group of GROUPS) {
        state.set(`weights.${group}`, state.was(`weights.${group}`));
        for (const measure of Object.keys(state.was(`criteria.${group}`) ?? {})) {
          for (const part of ["weight", "best", "worst"]) {
            const path = `criteria.${group}.${measure}.${part}`;
            state.set(path, state.was(path));
          }
        }
      }
      for (const control of controls) control();
    } }, w("weights_back")))]);

  function show() {
    const parts = shares(state.get("weights"), state.get("criteria"));
    note.hidden = parts !== null;
    if (!parts) { for (const output of outputs.values()) fill(output, "—"); return; }
    for (const group of GROUPS) {
      const all = parts.filter((one) => one.group === group);
      const sum = all.reduce((total, one) => total + one.share, 0);
      outputs.get(group).textContent = percent(sum);
      outputs.get(group).title = w("share_of_score", { percent: percent(sum, 1) });
      for (const one of all) {
        const output = outputs.get(one.measure);
        if (output) { output.textContent = percent(one.share); output.title = w("share_of_score", { percent: percent(one.share, 1) }); }
      }
    }
  }
  show();
  state.onChange((path) => { if (/^(weights|criteria)\b/.test(path)) show(); });
}
