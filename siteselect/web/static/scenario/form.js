// The form of every parameter, made from /api/scenario/keys: unit, bounds, help, base value, fault.
import { add, fill, h, live, later } from "../lib/dom.js";
import { has, plain, plural, short, w } from "../lib/words.js";
import { isTree } from "./state.js";
import { capsEditor } from "./caps.js";

const ORDER = ["weights", "general", "constraints", "candidates", "zan", "locks", "objective", "catchment",
  "variants", "costs", "land", "network", "ranking", "solve"];
const KINDS = ["brownfield", "extension", "greenfield"];
const KIND_TABLES = /^(land\.assumed_|costs\.)/;

export const labelOf = (path) =>
  w(has(`key.${path}`) ? `key.${path}` : `key.${path.replace(/^criteria\.\w+/, "criteria.access")}`)
    .replace(/^key\./, "");
export const choiceOf = (value) => (has(`choice.${value}`) ? w(`choice.${value}`) : String(value));
const groupOf = (path) => (path.startsWith("criteria.") ? "weights" : path.includes(".") ? path.split(".")[0] : "general");

/** A value in words, for « Base : … ». */
export function shown(value) {
  if (value === null || value === undefined || value === "") return w("none");
  if (typeof value === "boolean") return w(value ? "yes" : "no");
  if (typeof value === "number") return short(value);
  if (Array.isArray(value)) return value.length ? value.map((one) => (isTree(one) ? one.name ?? one.level ?? "…" : shown(one))).join(", ") : w("none");
  if (isTree(value)) return Object.entries(value).map(([key, one]) => `${entryName("", key)} ${shown(one)}`).join(", ") || w("none");
  return choiceOf(value);
}
function entryName(path, name) {
  const family = path.includes("speed") ? "road" : path.includes("vehicle") ? "facility" : null;
  if (family && has(`entry.${family}_${name}`)) return w(`entry.${family}_${name}`);
  return has(`choice.${name}`) ? w(`choice.${name}`) : name;
}

let number = 0;
const newId = () => `f${++number}`;

export class Form {
  /** `special` = {group: (body, form) => …} draws a group its own way; `packs`, `territories`. */
  constructor(place, state, { special = {}, packs = [], territories = {}, found }) {
    Object.assign(this, { place, state, special, packs, territories });
    this.fields = new Map(); // path → {element, mark()}
    this.groups = new Map();
    const keys = state.keys.filter((key) => !/[*[]/.test(key.path));
    for (const key of keys) {
      const name = groupOf(key.path);
      if (!this.groups.has(name)) this.groups.set(name, []);
      this.groups.get(name).push(key);
    }
    const names = [...new Set([...ORDER, ...this.groups.keys()])].filter((name) => this.groups.has(name));
    fill(place, names.map((name, i) => this.#group(name, i === 0)));
    state.onChange((path) => { this.mark(path); this.#counts(); });
    this.#counts();
    const search = later((text) => found(this.find(text)), 120);
    this.search = (text) => search(text);
  }

  #group(name, open) {
    const count = h("span", { class: "tag run", hidden: true });
    const body = h("div", { class: "group-body" });
    const details = h("details", { class: "card", open, dataset: { group: name } },
      h("summary", {}, w(`group.${name}`).replace(/^group\./, ""), " ", count), body);
    details.count = count;
    if (this.special[name]) this.special[name](body, this);
    else add(body, this.groups.get(name).map((key) => this.field(key)));
    return details;
  }
  #counts() {
    for (const details of this.place.children) {
      const n = this.groups.get(details.dataset.group).filter((key) => this.state.changed(key.path)).length;
      details.count.hidden = !n;
      details.count.textContent = plural(n, "changed");
    }
  }
  /** Only the parameters that say `text`; an empty text shows all. Returns how many. */
  find(text) {
    const wanted = plain(text.trim());
    let n = 0;
    for (const details of this.place.children) {
      let here = 0;
      for (const field of details.querySelectorAll(".field[data-path], .slider[data-path]")) {
        const hit = !wanted || plain(field.textContent + field.dataset.path).includes(wanted);
        field.hidden = !hit;
        here += hit;
      }
      details.hidden = Boolean(wanted) && !here;
      if (wanted) details.open = here > 0;
      n += here;
    }
    return n;
  }

  /** One parameter, with all that is said about it. */
  field(key) {
    const { path } = key, id = newId();
    const helpId = `${id}-help`, faultId = `${id}-fault`;
    const fault = h("p", { class: "fault", id: faultId, hidden: true });
    const was = h("p", { class: "was", hidden: true });
    const control = h("div", { class: "control" });
    const composite = ["list", "table", "tables"].includes(key.type);
    const label = composite
      ? h("span", { class: "label", id: `${id}-label` }, labelOf(path))
      : h("label", { for: id }, labelOf(path));
    const wide = composite || (key.type === "text" && !["pack", "land.regime"].includes(path));
    const element = h("div", { class: `field${wide ? " wide" : ""}`, dataset: { path },
      ...(composite ? { role: "group", "aria-labelledby": `${id}-label`, "aria-describedby": `${helpId} ${faultId}` } : {}) },
    label, control, h("p", { class: "help", id: helpId }, this.#help(key)), was, fault);
    const describe = { id, "aria-describedby": `${helpId} ${faultId}` };
    const draw = () => fill(control, this.editor(key, this.state.get(path), (value) => this.state.set(path, value, element), describe));
    draw();
    const mark = (from = null) => {
      const changed = this.state.changed(path);
      element.classList.toggle("changed", changed);
      was.hidden = !changed;
      if (changed && from !== element) draw();
      if (changed) {
        const base = shown(this.state.was(path));
        fill(was, w("base_value", { value: base }), " · ", h("button", { type: "button", class: "plain",
          "aria-label": w("put_back_label", { name: labelOf(path), value: base }),
          onclick: () => { this.state.set(path, structuredClone(this.state.was(path) ?? null)); draw(); element.querySelector("input, select, textarea, button")?.focus(); } }, w("put_back")));
      } else if (from !== element) draw();
    };
    this.fields.set(path, { element, fault, mark });
    if (this.state.changed(path)) mark(element);
    return element;
  }
  mark(path) { this.fields.get(path)?.mark(document.activeElement?.closest(`[data-path="${CSS.escape(path)}"]`)); }

  #help(key) {
    const bounds = [];
    if (key.minimum !== null) bounds.push(w(key.exclusive ? "bound_above" : "bound_least", { value: short(key.minimum) }));
    if (key.maximum !== null) bounds.push(w("bound_most", { value: short(key.maximum) }));
    if (!["list", "table", "tables"].includes(key.type) && key.default !== null && key.default !== "") {
      bounds.push(w("default_value", { value: shown(key.default) }));
    }
    return [key.meaning.replace(/`/g, ""), ...bounds].join(" · ");
  }

  /** What edits one value; `put` takes the new one. */
  editor(key, value, put, describe) {
    if (key.path === "pack") return this.#pack(value, put, describe);
    if (key.optional && !["table", "list"].includes(key.type)) return this.#optional(key, value, put, describe);
    if (key.type === "number" || key.type === "integer") return this.number(key, value, put, describe);
    if (key.type === "boolean") {
      return h("input", { type: "checkbox", ...describe, checked: value === true, onchange: ({ target }) => put(target.checked) });
    }
    if (key.type === "choice") return this.#select(key.choices, value, put, describe);
    if (key.type === "list") return this.#list(key, value ?? [], put, describe);
    if (key.type === "table") return this.#table(key, value, put, describe);
    if (key.type === "tables") return this.#tables(key, value ?? [], put);
    if (key.path === "description") {
      return h("textarea", { ...describe, rows: 3, cols: 60, value: value ?? "", onchange: ({ target }) => put(target.value) });
    }
    return h("input", { type: "text", ...describe, value: value ?? "", onchange: ({ target }) => put(target.value) });
  }
  number(key, value, put, describe) {
    const said = h("span", { class: "fault", hidden: true }, w("not_a_number"));
    const input = h("input", { type: "number", step: key.type === "integer" ? 1 : "any", ...describe,
      min: key.minimum, max: key.maximum, required: true, value: value ?? "",
      oninput: () => {
        const good = input.value !== "" && Number.isFinite(input.valueAsNumber);
        input.setAttribute("aria-invalid", String(!good));
        said.hidden = good;
        if (good) put(input.valueAsNumber);
      } });
    return [input, key.unit ? h("span", { class: "unit" }, key.unit) : null, said];
  }
  #optional(key, value, put, describe) {
    const inner = h("span", { class: "control" });
    const draw = (now) => fill(inner, now === null ? null
      : this.editor({ ...key, optional: false }, now, put, describe));
    const box = h("input", { type: "checkbox", checked: value !== null && value !== undefined,
      "aria-label": `${labelOf(key.path)}: ${w("has_value")}`, ...(value === null ? describe : {}),
      onchange: () => {
        const next = box.checked ? key.default ?? key.minimum ?? 0 : null;
        put(next);
        draw(next);
        if (box.checked) { inner.querySelector("input")?.focus(); inner.querySelector("input")?.select?.(); }
        none.hidden = box.checked;
      } });
    const none = h("span", { class: "soft", hidden: box.checked }, w("no_limit"));
    if (value !== null && value !== undefined) draw(value);
    return [box, none, inner];
  }
  #select(choices, value, put, describe, name = choiceOf) {
    const known = choices.includes(value) ? choices : [value, ...choices];
    return h("select", { ...describe, onchange: ({ target }) => put(target.value) },
      known.map((one) => h("option", { value: one, selected: one === value }, name(one))));
  }
  #pack(value, put, describe) {
    const name = (one) => this.packs.find((pack) => pack.name === one)?.title
      ? `${this.packs.find((pack) => pack.name === one).title} (${one})` : w("other_pack", { name: one });
    return this.#select(this.packs.map((pack) => pack.name), value, put, describe, name);
  }
  #list(key, value, put, describe) {
    const places = { "constraints.groups[].regions": "region", "constraints.groups[].departements": "departement" }[key.path];
    const options = places ? this.territories[places] ?? [] : (key.choices ?? []).map((one) => ({ code: one, name: choiceOf(one) }));
    if (options.length) {
      let now = [...value];
      const boxes = options.map(({ code, name }) => h("label", { class: "check" },
        h("input", { type: "checkbox", checked: now.includes(code), onchange: ({ target }) => {
          now = options.map((one) => one.code).filter((one) => (one === code ? target.checked : now.includes(one)));
          put(now);
        } }), ` ${name}`));
      return places
        ? h("details", {}, h("summary", {}, `${value.length || w("none")}`), h("div", { class: "chips" }, boxes))
        : h("div", { class: "chips" }, boxes);
    }
    return [h("textarea", { ...describe, rows: Math.min(6, value.length + 1), cols: 30, value: value.join("\n"),
      "aria-label": labelOf(key.path),
      onchange: ({ target }) => put(target.value.split("\n").map((one) => one.trim()).filter(Boolean)) }),
    h("span", { class: "unit" }, w("one_per_line"))];
  }
  /** A table: the names known of it; where none is by default, the planner adds names. */
  #table(key, value, put, describe) {
    const objectives = /^objective\.(floors|caps)$/.test(key.path)
      ? this.state.keys.find((one) => one.path === "objective.order[].by")?.choices ?? [] : [];
    const offered = [...(KIND_TABLES.test(key.path) ? KINDS : []), ...objectives, ...Object.keys(key.default ?? {})];
    const free = !offered.length;
    let now = { ...(value ?? {}) };
    const place = h("div", {});
    const say = (name, next) => {
      now = { ...now };
      if (next === null) delete now[name]; else now[name] = next;
      put(key.optional && !Object.keys(now).length ? null : now);
    };
    const input = (name, id) => (key.of === "choice"
      ? this.#select(key.choices, now[name], (next) => say(name, next), { id })
      : [h("input", { type: key.of === "number" || key.of === "integer" ? "number" : "text", step: "any", id,
        min: key.minimum, max: key.maximum, value: now[name] ?? "", oninput: ({ target }) => {
          if (target.type !== "number") say(name, target.value);
          else if (target.value === "") { if (!(name in (key.default ?? {}))) say(name, null); }
          else if (Number.isFinite(target.valueAsNumber)) say(name, target.valueAsNumber);
        } }), key.unit ? h("span", { class: "unit" }, key.unit) : null]);
    const draw = () => {
      const names = [...new Set([...offered, ...Object.keys(now)])];
      const fresh = h("input", { type: "text", size: 12, "aria-label": w("new_name") });
      fill(place, names.map((name) => h("div", { class: "field" },
        h("label", { for: `${describe.id}-${name}` }, entryName(key.path, name)),
        h("div", { class: "control" }, input(name, `${describe.id}-${name}`)))),
      free ? h("p", { class: "actions" }, fresh, h("button", { type: "button", class: "button small", onclick: () => {
        const name = fresh.value.trim();
        if (!name) { fresh.focus(); return; }
        say(name, key.of === "choice" ? key.choices[0] : key.of === "number" ? 1 : "");
        draw();
        place.querySelector(`[id="${CSS.escape(`${describe.id}-${name}`)}"]`)?.focus();
      } }, w("add_entry"))) : null);
    };
    draw();
    return place;
  }
  /** A list of tables: size classes, groups, ledgers, edits of the roads. */
  #tables(key, value, put) {
    const inner = this.state.keys.filter((one) => one.path.startsWith(`${key.path}[].`) && !one.path.slice(key.path.length + 3).includes("["));
    const place = h("div", {});
    let now = structuredClone(value);
    const draw = (focus = null) => {
      fill(place, now.map((entry, n) => h("div", { class: "entry", role: "group", "aria-label": w("entry", { name: labelOf(key.path), n: n + 1 }) },
        inner.map((one) => {
          const name = one.path.slice(key.path.length + 3);
          const say = (next) => { now = now.map((old, m) => (m === n ? { ...old, [name]: next } : old)); put(now); };
          if (one.path === "zan.ledgers[].caps_ha") return capsEditor(this.territories, entry, (caps) => say(caps));
          const id = newId();
          const redraw = one.path === "zan.ledgers[].level" ? (next) => { say(next); now[n].caps_ha = {}; put(now); draw(); } : say;
          return h("div", { class: `field${one.type === "list" ? " wide" : ""}` }, h("label", { for: id }, labelOf(one.path)),
            h("div", { class: "control" }, this.editor(one, entry[name] ?? one.default, redraw, { id })),
            h("p", { class: "help" }, this.#help(one)));
        }),
        h("button", { type: "button", class: "button small", "aria-label": w("remove_entry_label", { n: n + 1, name: labelOf(key.path) }),
          onclick: () => { now = now.filter((_, m) => m !== n); put(now); draw(); place.lastChild.focus(); } }, w("remove_entry")))),
      h("button", { type: "button", class: "button small", onclick: () => {
        const fresh = Object.fromEntries(inner.map((one) => [one.path.slice(key.path.length + 3),
          one.default ?? (one.choices?.[0] ?? (one.optional ? null : ""))]));
        now = [...now, fresh];
        put(now);
        draw(now.length - 1);
      } }, w("add_entry")));
      if (focus !== null) place.children[focus]?.querySelector("input, select")?.focus();
    };
    draw();
    return place;
  }

  /** Faults of the server at their fields; those without a field are returned. */
  faults(list) {
    for (const { element, fault } of this.fields.values()) {
      fault.hidden = true;
      for (const input of element.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    }
    const homeless = [];
    for (const one of list) {
      const path = this.#home(String(one.key ?? ""));
      if (!path) { homeless.push(one); continue; }
      const { element, fault } = this.fields.get(path);
      fill(fault, h("span", { "aria-hidden": "true" }, "✗ "), one.message, one.remedy ? ` — ${one.remedy}` : "");
      fault.hidden = false;
      element.closest("details")?.setAttribute("open", "");
      element.querySelector("input, select, textarea")?.setAttribute("aria-invalid", "true");
    }
    if (list.length) live(list.map((one) => one.message).join(" · "));
    return homeless;
  }
  #home(where) {
    let path = where.split(":")[0].trim();
    while (path) {
      if (this.fields.has(path)) return path;
      path = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "";
    }
    return null;
  }
  /** Opens a group and puts the focus on a parameter. */
  go(path) {
    const found = this.fields.get(path);
    if (!found) return;
    found.element.closest("details")?.setAttribute("open", "");
    found.element.scrollIntoView({ block: "center" });
    found.element.querySelector("input, select, textarea, button")?.focus();
  }
}
