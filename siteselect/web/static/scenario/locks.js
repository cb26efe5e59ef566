// Sites forced in or out: who and why is asked each time and kept with the scenario.
import { ask, fill, h, live } from "../lib/dom.js";
import { w } from "../lib/words.js";

export const lockOf = (state, id) =>
  state.get("locks.include")?.includes(id) ? "in" : state.get("locks.exclude")?.includes(id) ? "out" : null;

function put(state, id, way) {
  const without = (path) => (state.get(path) ?? []).filter((one) => one !== id);
  const include = without("locks.include"), exclude = without("locks.exclude");
  if (way === "in") include.push(id);
  if (way === "out") exclude.push(id);
  state.set("locks.include", include);
  state.set("locks.exclude", exclude);
}

/** Asks who and why, then forces; resolves to whether it was done. */
export async function force(state, site, way) {
  if (way === null) {
    put(state, site.id, null);
    live(w("freed", { name: site.name }));
    return true;
  }
  const answer = await ask({
    title: w(`lock_title_${way}`, { name: site.name }),
    body: [h("p", { class: "small soft" }, w("lock_note")),
      h("p", {}, h("label", { for: "lock-who" }, w("lock_who")), h("br"),
        h("input", { id: "lock-who", name: "who", required: true, size: 30, autocomplete: "name" })),
      h("p", {}, h("label", { for: "lock-why" }, w("lock_why")), h("br"),
        h("textarea", { id: "lock-why", name: "why", required: true, rows: 3, cols: 38 }))],
    confirm: w(`force_${way}`),
  });
  if (!answer) return false;
  const reasons = { ...(state.get("locks.reasons") ?? {}) };
  reasons[site.id] = w("lock_reason", { who: answer.get("who").trim(), why: answer.get("why").trim() });
  state.set("locks.reasons", reasons);
  put(state, site.id, way);
  live(w(`locked_${way}`, { name: site.name }));
  return true;
}

/** The group of the form: every forced site, its reason, its variant. `nameOf(id)` may be null. */
export function locksGroup(nameOf, show) {
  return (body, form) => {
    const { state } = form;
    const place = h("div", { class: "field wide", dataset: { path: "locks.include" } });
    const fault = h("p", { class: "fault", hidden: true });
    body.append(place, fault);
    for (const path of ["locks.include", "locks.exclude", "locks.reasons", "locks.variants", "locks"]) {
      form.fields.set(path, { element: place, fault, mark: () => {} });
    }
    const row = (id, way) => {
      const name = nameOf(id) ?? id;
      const reason = state.get("locks.reasons")?.[id] ?? "";
      const variant = state.get("locks.variants")?.[id] ?? "";
      return h("li", { class: "entry" },
        h("p", {}, h("span", { class: `tag ${way === "in" ? "ok" : "bad"}` }, w(`lock_${way}`)), " ",
          h("button", { type: "button", class: "plain", onclick: () => show(id) }, name), ` (${id})`,
          nameOf(id) === null ? h("span", { class: "soft" }, ` — ${w("locks_missing")}`) : null),
        h("input", { type: "text", value: reason, size: 34, "aria-label": w("lock_reason_label", { name }),
          onchange: ({ target }) => state.set("locks.reasons", { ...state.get("locks.reasons"), [id]: target.value }) }),
        way === "in" ? h("select", { "aria-label": w("variant_label", { name }), onchange: ({ target }) => {
          const variants = { ...(state.get("locks.variants") ?? {}) };
          if (target.value) variants[id] = target.value; else delete variants[id];
          state.set("locks.variants", variants);
        } }, ["", "full", "reuse"].map((one) => h("option", { value: one, selected: one === variant }, one ? w(`choice.${one}`) : w("variant_any")))) : null,
        " ", h("button", { type: "button", class: "button small", onclick: () => force(state, { id, name }, null) }, w("free")));
    };
    const draw = () => {
      const include = state.get("locks.include") ?? [], exclude = state.get("locks.exclude") ?? [];
      fill(place, include.length + exclude.length
        ? h("ul", { class: "plain-list" }, include.map((id) => row(id, "in")), exclude.map((id) => row(id, "out")))
        : h("p", { class: "soft" }, w("locks_empty")));
    };
    draw();
    state.onChange((path) => { if (/^locks\.(include|exclude)/.test(path)) draw(); });
    return draw;
  };
}
