// The screen Calcul: the queue, its progress, what went wrong, what makes the impossible possible.
import { ENDED, api, onJobs, path } from "./lib/api.js";
import { $, ask, faults, fill, h, live } from "./lib/dom.js";
import { duration, has, moment, percent, plural, short, w } from "./lib/words.js";

const query = new URLSearchParams(location.search);
const jobs = new Map(); // id → job
const cards = new Map(); // id → {element, key}
let scenarios = [], shown = 20, wanted = query.get("job");

const fail = (error) => {
  if (!error.faults) console.warn(error);
  fill($("trouble"), faults(error.faults ?? [{ message: String(error) }]));
  live($("trouble").textContent, { urgent: true });
};
const act = (action) => async (event) => {
  event?.preventDefault?.(); // of a form
  fill($("trouble"));
  try { await action(event); } catch (error) { fail(error); }
};
const kindName = (kind) => (has(`kind.${kind}`) ? w(`kind.${kind}`) : kind);
const seconds = (from, to) => (new Date(to).getTime() - new Date(from).getTime()) / 1000;
const scenarioOf = (job) => job.scenario;

async function start() {
  const [found, list] = await Promise.all([api.get("/api/jobs"), api.get("/api/scenarios")]);
  scenarios = list.filter((one) => !one.faults.length);
  const last = query.get("scenario") ?? found.find((job) => job.scenario)?.scenario ?? "reference";
  const option = (one) => h("option", { value: one.name, selected: one.name === last },
    one.title === one.name ? one.name : `${one.title} (${one.name})`);
  const group = (label, entries) => (entries.length ? h("optgroup", { label }, entries.map(option)) : null);
  fill($("scenario"), group(w("own_scenarios"), scenarios.filter((one) => !one.read_only)),
    group(w("shipped_scenarios"), scenarios.filter((one) => one.read_only)));
  for (const job of found) jobs.set(job.id, job);
  draw();
  if (wanted) cards.get(wanted)?.element.scrollIntoView({ block: "nearest" });
  onJobs(seen, {
    onLost: () => fill($("lost"), h("p", { class: "box warn" }, w("connection_lost"))),
    onOpen: act(async (again) => {
      fill($("lost"));
      if (again) live(w("connection_back"));
      for (const job of await api.get("/api/jobs")) jobs.set(job.id, job);
      draw();
    }),
  });
}

function seen(job) {
  const before = jobs.get(job.id);
  jobs.set(job.id, job);
  if (before && before.state !== job.state && ENDED.has(job.state)) {
    live(job.state === "done" ? w("said_done", { title: job.title })
      : w("said_other", { title: job.title, state: w(`state_${job.state}`) }));
  }
  draw();
}

const newest = (a, b) => (a.id < b.id ? 1 : -1);
function draw() {
  const open = [...jobs.values()].filter((job) => !ENDED.has(job.state)).sort((a, b) =>
    (a.state === "running" ? 0 : 1) - (b.state === "running" ? 0 : 1) || -newest(a, b));
  const ended = [...jobs.values()].filter((job) => ENDED.has(job.state)).sort(newest);
  $("now-none").hidden = open.length > 0;
  $("now-count").hidden = !open.length;
  $("now-count").textContent = String(open.length);
  $("ended-none").hidden = ended.length > 0;
  place($("now"), open);
  place($("ended"), ended.slice(0, shown));
  $("more").hidden = ended.length <= shown;
}
/** The cards of a list, in order; a card is drawn again only when what it says changed. */
function place(list, entries) {
  const waiting = entries.filter((job) => job.state === "queued");
  entries.forEach((job, n) => {
    const before = waiting.indexOf(job);
    const key = JSON.stringify([job, before]);
    const now = cards.get(job.id);
    let element = now?.element;
    if (!now) {
      element = card(job, before);
      cards.set(job.id, { element, key });
    } else if (now.key !== key) {
      now.key = key;
      if (job.state === "running" && element.update) element.update(job);
      else {
        const held = element.contains(document.activeElement);
        const fresh = card(job, before);
        element.replaceWith(fresh);
        now.element = element = fresh;
        if (held) fresh.querySelector("h3").focus();
      }
    }
    element.classList.toggle("on", job.id === wanted);
    if (list.children[n] !== element) list.insertBefore(element, list.children[n] ?? null);
  });
  while (list.children.length > entries.length) list.lastChild.remove();
}

const TAGS = { queued: "", running: "run", done: "ok", failed: "bad", infeasible: "bad", limit: "warn", cancelled: "" };
const SIGNS = { queued: "…", running: "▸", done: "✓", failed: "✗", infeasible: "✗", limit: "!", cancelled: "■" };

function card(job, before) {
  const element = h("article", { class: "card", "aria-labelledby": `t-${job.id}`, dataset: { job: job.id, state: job.state } });
  const name = scenarioOf(job);
  fill(element,
    h("div", { class: "card-head" }, h("h3", { id: `t-${job.id}`, tabindex: -1 }, job.title, " ",
      h("span", { class: `tag ${TAGS[job.state] ?? ""}` }, h("span", { "aria-hidden": "true" }, `${SIGNS[job.state] ?? ""} `), w(`state_${job.state}`))),
    actions(job)),
    h("p", { class: "soft small" }, [kindName(job.kind), name, ...when(job), before === 0 ? w("position_one") : before > 0 ? plural(before, "position") : null].filter(Boolean).join(" · ")),
    job.state === "running" ? running(job, element) : null,
    job.faults?.length ? faults(job.faults, w("failed_title")) : null,
    job.state === "infeasible" ? impossible(job) : null,
    job.state === "limit" ? h("p", {}, w("limit_text")) : null,
    job.state === "failed" ? log(job) : null);
  return element;
}
function when(job) {
  const said = [];
  if (job.created) said.push(w("asked", { moment: moment(job.created) }));
  if (job.started && job.ended) said.push(w("took", { duration: duration(seconds(job.started, job.ended)) }));
  return said;
}

function log(job) {
  const text = h("pre", { class: "log", tabindex: 0, role: "region", "aria-label": w("log") });
  return h("details", { ontoggle: act(async ({ target }) => {
    if (target.open) text.textContent = (await api.get(path`/api/jobs/${job.id}`)).log || w("none");
  }) }, h("summary", { class: "small" }, w("log")), text);
}

function running(job, element) {
  const bar = h("progress", { max: 1, "aria-label": w("progress_label", { title: job.title }) });
  const text = h("p", { class: "small" });
  const stages = h("ol", { class: "stages" });
  element.update = (now) => {
    // a stage says 0 when it cannot tell how far it is, 1 when the next one has not spoken yet
    const known = now.progress > 0 && now.progress < 1;
    if (known) bar.value = now.progress; else bar.removeAttribute("value");
    const name = now.progress < 1 && now.stage ? now.stage : w("working");
    text.textContent = [name, known ? percent(now.progress) : null,
      now.started ? w("since", { duration: duration(seconds(now.started, Date.now())) }) : null].filter(Boolean).join(" · ");
    const last = now.stages.length - 1;
    const done = new Map(now.stages.map((one, n) => [one.text, n < last || one.progress >= 1]));
    fill(stages, [...done].map(([stage, is]) => h("li", { class: is ? "done" : "now" }, stage)));
  };
  element.update(job);
  return [bar, text, stages];
}

function actions(job) {
  const open = !ENDED.has(job.state), name = scenarioOf(job);
  return h("p", { class: "actions" },
    open ? h("button", { type: "button", class: "button small danger", "aria-label": w("cancel_label", { title: job.title }), onclick: act(() => cancel(job)) }, w("cancel_job")) : null,
    job.run_id && ["run", "report", "rank", "robustness", "tradeoffs"].includes(job.kind) && !open
      ? h("a", { class: "button main", href: path`/resultat?run=${job.run_id}` }, w("see_result")) : null,
    job.batch_id ? h("a", { class: "button main", href: path`/lots?batch=${job.batch_id}` }, w("see_batch")) : null,
    ["check", "upload"].includes(job.kind) && job.state === "done" ? h("a", { class: "button", href: path`/donnees?pack=${job.pack}` }, w("see_data")) : null,
    !open && name && job.state !== "done" ? h("a", { class: "button small", href: path`/scenario?name=${name}` }, w("edit")) : null,
    !open && name && ["failed", "cancelled", "limit"].includes(job.state)
      ? h("button", { type: "button", class: "button small", "aria-label": w("again_label", { title: job.title }), onclick: act(() => add(name, job.kind)) }, w("again")) : null);
}
async function cancel(job) {
  if (job.state === "running" && !await ask({ title: w("cancel_title"), body: h("p", {}, w("cancel_text")), confirm: w("cancel_yes") })) return;
  await api.del(path`/api/jobs/${job.id}`);
  seen(await api.get(path`/api/jobs/${job.id}`));
  live(w("cancelled", { title: job.title }));
}
async function add(name, kind = "run") {
  const made = await api.post("/api/jobs", { scenario: name, kind });
  const { id } = made;
  wanted = id;
  if (!jobs.has(id)) jobs.set(id, made);
  draw();
  live(w("started"));
  cards.get(id)?.element.scrollIntoView({ block: "nearest" });
}

// ---- impossible scenarios ---------------------------------------------------------------------

function impossible(job) {
  const remedies = job.remedies ?? [];
  return [h("div", { class: "box bad" }, h("h4", { class: "tight" }, w("conflict_title")),
    job.conflict?.length ? h("ul", {}, job.conflict.map((text) => h("li", {}, text))) : h("p", {}, w("conflict_none"))),
  remedies.length ? h("div", { class: "box good" }, h("h4", { class: "tight" }, w("remedies_title")),
    h("p", { class: "small soft" }, w("remedies_text")),
    h("ul", {}, remedies.map((remedy) => h("li", {}, remedy.text, " ",
      Object.keys(remedy.edits ?? {}).length && scenarioOf(job)
        ? h("button", { type: "button", class: "button small", "aria-label": w("apply_label", { text: remedy.text }), onclick: act(() => apply(job, remedy)) }, w("apply"))
        : null)))) : null];
}
const valueAt = (tree, dotted) => dotted.split(".").reduce((here, part) => here?.[part], tree);
const said = (value) => (value === null || value === undefined || value === "none" ? w("none")
  : typeof value === "number" ? short(value) : typeof value === "boolean" ? w(value ? "yes" : "no")
    : typeof value === "object" ? JSON.stringify(value) : String(value));

async function apply(job, remedy) {
  const name = scenarioOf(job);
  const known = scenarios.find((one) => one.name === name);
  if (!known) throw new Error(w("no_scenario"));
  const now = await api.get(path`/api/scenarios/${name}`);
  const target = now.read_only ? free(`${name}-possible`) : name;
  const answer = await ask({
    title: w("apply_title"), confirm: w("apply_yes"),
    body: [h("p", {}, remedy.text), h("ul", {}, Object.entries(remedy.edits).map(([key, value]) => h("li", {},
      w("change_line", { key: has(`key.${key}`) ? w(`key.${key}`) : key, old: said(valueAt(now.values, key)), new: said(value) })))),
    h("p", { class: "soft" }, w(now.read_only ? "apply_shipped" : "apply_own", { name: target }))],
  });
  if (!answer) return;
  if (now.read_only) {
    await api.put(path`/api/scenarios/${target}`, { extends: name, values: { title: w("title_remedied", { title: now.title }), ...remedy.edits } });
  } else {
    const kept = await ownValues(now);
    await api.put(path`/api/scenarios/${target}`, { ...(now.base ? { extends: now.base } : {}), values: { ...kept, ...remedy.edits }, version: now.version });
  }
  scenarios = (await api.get("/api/scenarios")).filter((one) => !one.faults.length);
  await add(target);
}
const free = (wish) => {
  const names = new Set(scenarios.map((one) => one.name));
  let name = wish, n = 2;
  while (names.has(name)) name = `${wish}-${n++}`;
  return name;
};
/** What the file of a scenario says by itself, as dotted values. */
async function ownValues(now) {
  const { State, defaultsOf } = await import("./scenario/state.js");
  const keys = await api.get("/api/scenario/keys");
  const base = now.base ? (await api.get(path`/api/scenarios/${now.base}`)).values : defaultsOf(keys);
  return new State(keys, now, base).body().values;
}

$("start").addEventListener("submit", act(() => add($("scenario").value)));
$("scenario").addEventListener("change", () => { $("open").href = path`/scenario?name=${$("scenario").value}`; });
$("more").addEventListener("click", () => { shown += 50; draw(); });
setInterval(() => { for (const job of jobs.values()) if (job.state === "running") cards.get(job.id)?.element.update?.(job); }, 1000);
start().then(() => { $("go").disabled = false; $("open").href = path`/scenario?name=${$("scenario").value}`; }).catch(fail);
