// Elements, announcements, faults. Every text goes through textContent: a hostile name stays text.
//
//   import { h, fill, live, faults, ask } from "./lib/dom.js";
//   h("button", { class: "button", onclick: go, "aria-pressed": "false" }, "Lancer")
//   live(w("saved"))                     // read out by screen readers
//   fill(place, faults(error.faults))    // what is wrong, where, how to mend it
import { w } from "./words.js";

export const $ = (id) => document.getElementById(id);
export const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

/** An element; ``on…`` are listeners, null and false attributes are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "class") element.className = value;
    else if (name in PROPERTIES) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}
const PROPERTIES = { value: 1, checked: 1, selected: 1, disabled: 1, hidden: 1, htmlFor: 1 };

export function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}
/** Empties an element, then fills it. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

/** Said by screen readers, politely; ``urgent`` interrupts. */
export function live(text, { urgent = false } = {}) {
  const place = $(urgent ? "alert" : "live");
  if (!place) return;
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50); // the same text twice is said twice
}

/** One fault as a list item: place, message, value, remedy. */
export function fault(one) {
  const place = [one.file, one.row, one.key].filter((part) => part !== null && part !== undefined && part !== "");
  return h("li", {},
    place.length ? h("code", {}, place.join(" · ")) : null,
    place.length ? " " : null,
    h("span", {}, one.message),
    one.value !== null && one.value !== undefined && one.value !== ""
      ? h("span", { class: "soft" }, ` (${w("fault_value")} ${one.value})`) : null,
    one.remedy ? h("span", { class: "remedy" }, ` — ${one.remedy}`) : null);
}
/** A box with every fault; nothing where there is none. */
export function faults(list, title = w("faults_title")) {
  if (!list?.length) return null;
  return h("div", { class: "box bad", role: "group", "aria-label": title },
    h("h3", {}, h("span", { "aria-hidden": "true" }, "✗ "), title), h("ul", {}, list.map(fault)));
}

/** Waits until nothing came for ``ms``. */
export function later(action, ms = 250) {
  let timer = 0;
  const waiting = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), ms);
  };
  waiting.cancel = () => clearTimeout(timer);
  return waiting;
}
/** Once a frame at most, with the last arguments. */
export function perFrame(action) {
  let asked = null;
  return (...given) => {
    if (asked === null) requestAnimationFrame(() => { const last = asked; asked = null; action(...last); });
    asked = given;
  };
}

/** A question in a dialog of the browser's own kind: focus is kept inside, Escape leaves.
    Resolves to the FormData of the form, or null. */
export function ask({ title, body, confirm = w("confirm"), cancel = w("cancel") }) {
  return new Promise((answer) => {
    const form = h("form", { method: "dialog" },
      h("h2", { id: "ask-title" }, title), body,
      h("p", { class: "actions" },
        h("button", { class: "button main", value: "yes" }, confirm),
        h("button", { class: "button", value: "no", formnovalidate: true }, cancel)));
    const dialog = h("dialog", { "aria-labelledby": "ask-title" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes" ? new FormData(form) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Tabs by the pattern of ARIA: arrows move, one panel is shown. Buttons carry aria-controls. */
export function tabs(list, onChange = () => {}) {
  const buttons = all("[role=tab]", list);
  const show = (chosen, focus = true) => {
    for (const button of buttons) {
      const on = button === chosen;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
      $(button.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) chosen.focus();
    onChange(chosen.id);
  };
  list.addEventListener("click", ({ target }) => {
    const button = target.closest("[role=tab]");
    if (button) show(button);
  });
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    show(buttons[(to + buttons.length) % buttons.length]);
  });
  const first = buttons.find((button) => button.getAttribute("aria-selected") === "true") || buttons[0];
  if (first) show(first, false);
  return { show: (id) => show($(id), false) };
}
