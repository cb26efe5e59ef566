// Caps per territory of one ledger rule: every region or département of the pack, or codes.
import { fill, h } from "../lib/dom.js";
import { w } from "../lib/words.js";

export function capsEditor(territories, entry, put) {
  let caps = { ...(entry.caps_ha ?? {}) };
  const known = territories[entry.level] ?? [];
  const names = new Map(known.map((one) => [one.code, one.name]));
  const place = h("div", { class: "field wide" });
  const say = (code, value) => {
    caps = { ...caps };
    if (value === null) delete caps[code]; else caps[code] = value;
    put(caps);
  };
  const line = (code) => {
    const name = names.get(code) ?? code;
    return h("tr", {}, h("th", { scope: "row" }, name === code ? name : `${name} (${code})`),
      h("td", { class: "num" }, h("input", { type: "number", step: "any", size: 8, value: caps[code] ?? "",
        "aria-label": w("caps_of", { name }), oninput: ({ target }) => {
          if (target.value === "") say(code, null);
          else if (Number.isFinite(target.valueAsNumber)) say(code, target.valueAsNumber);
        } })));
  };
  const draw = () => {
    const codes = [...new Set([...known.map((one) => one.code), ...Object.keys(caps)])];
    const code = h("input", { type: "text", size: 10, "aria-label": w("caps_code") });
    fill(place, h("details", { open: Object.keys(caps).length > 0 },
      h("summary", {}, `${w("key.zan.ledgers[].caps_ha")} (${Object.keys(caps).length})`),
      h("p", { class: "help" }, w("caps_help")),
      codes.length ? h("div", { class: "scroll tall" }, h("table", {}, h("thead", {}, h("tr", {},
        h("th", { scope: "col" }, w("caps_territory")), h("th", { scope: "col", class: "num" }, w("caps_cap")))),
      h("tbody", {}, codes.map(line)))) : null,
      h("p", { class: "actions" }, code, h("button", { type: "button", class: "button small", onclick: () => {
        const name = code.value.trim();
        if (!name) { code.focus(); return; }
        say(name, caps[name] ?? 0);
        draw();
        place.querySelector("details").open = true;
      } }, w("caps_add")))));
  };
  draw();
  return place;
}
