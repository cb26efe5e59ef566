// The scenario on the screen: its base, its values, what differs; nothing here touches the page.

export const isTree = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
export const copy = (value) => (value === undefined ? undefined : structuredClone(value));

/** Value at a dotted path; undefined where there is none. */
export function valueAt(tree, dotted) {
  let here = tree;
  for (const part of dotted.split(".")) {
    if (!isTree(here)) return undefined;
    here = here[part];
  }
  return here;
}
export function setAt(tree, dotted, value) {
  const parts = dotted.split(".");
  let here = tree;
  for (const part of parts.slice(0, -1)) here = isTree(here[part]) ? here[part] : (here[part] = {});
  here[parts.at(-1)] = value;
}

/** The tree of defaults, from the keys of the model. */
export function defaultsOf(keys) {
  const tree = {};
  for (const key of keys) if (!/[*[]/.test(key.path)) setAt(tree, key.path, copy(key.default));
  return tree;
}

/** What `now` says and `base` does not, as dotted keys: the values of a file that extends it.
    Tables of free names stay one value (their names may hold dots); lists are replaced whole. */
export function difference(base, now, tables, above = "") {
  const found = {};
  for (const [name, value] of Object.entries(now)) {
    const path = above ? `${above}.${name}` : name;
    const was = base?.[name];
    if (same(value, was)) continue;
    if (!isTree(value) || !isTree(was)) found[path] = value;
    else if (tables.has(path)) {
      found[path] = Object.fromEntries(Object.entries(value).filter(([key, one]) => !same(one, was[key])));
    } else Object.assign(found, difference(was, value, tables, path));
  }
  return found;
}

/** Paths whose value is a table of free names. */
export const tablesOf = (keys) =>
  new Set(keys.filter((key) => key.type === "table" && key.of !== "tables").map((key) => key.path));

/** Parameters that change which sites are candidates, or what is measured on them. */
export const measuresDepend = (path) =>
  /^(pack$|candidates\.|land\.|network\.|variants\.|catchment\.)/.test(path);

export class State {
  /** `answer` as GET /api/scenarios/{name}; `base` its base's values or the defaults. */
  constructor(keys, answer, base) {
    this.keys = keys;
    this.tables = tablesOf(keys);
    this.name = answer.name;
    this.version = answer.version; // of its file: nobody's changes are written over unseen
    this.readOnly = answer.read_only;
    this.baseName = this.readOnly ? answer.name : answer.base;
    this.base = this.readOnly ? copy(answer.values) : base;
    this.opened = copy(answer.values);
    this.values = copy(answer.values);
    this.listeners = [];
  }
  get(path) { return valueAt(this.values, path); }
  was(path) { return valueAt(this.base, path); }
  set(path, value, from = null) {
    if (same(this.get(path), value)) return;
    setAt(this.values, path, value);
    for (const one of this.listeners) one(path, from);
  }
  onChange(action) { this.listeners.push(action); }
  changed(path) { return !same(this.get(path), this.was(path)); }
  get unsaved() { return !same(this.values, this.opened); }
  /** The body of PUT and of the check. */
  body() {
    const values = difference(this.base, this.values, this.tables);
    return this.baseName ? { extends: this.baseName, values } : { values };
  }
  /** Parameters that make the candidates on the screen out of date, against `seen`. */
  stale(seen) {
    return Object.keys(difference(seen, this.values, this.tables)).filter(measuresDepend);
  }
}
