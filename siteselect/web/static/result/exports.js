// The files of a run: those that are there to be taken, the others made when asked for.
import { h, fill, faults, live } from "../lib/dom.js";
import { api, path, waitFor } from "../lib/api.js";
import { number, percent, w } from "../lib/words.js";
import { plainTable } from "./tables.js";

export async function showExports(place, run) {
  const draw = async () => {
    const found = await api.get(path`/api/runs/${run.id}/exports`);
    fill(place, plainTable({ caption: w("files_caption"), kind: "files",
      columns: [
        { label: w("file"), head: true, text: (one) => one.title },
        { label: w("file_name"), text: (one) => h("code", {}, one.name) },
        { label: w("size"), numeric: true, text: (one) => (made(one) ? bytes(one.size) : "—") },
        { label: w("take"), text: (one) => (made(one) ? link(one, run) : maker(one, run, draw)) }],
      rows: found }));
  };
  await draw();
}

const made = (one) => one.made;

const link = (one, run) =>
  h("a", { class: "button", href: one.url, download: "",
    "aria-label": w("download_file", { file: one.title }) }, w("download"));

function maker(one, run, again) {
  const said = h("span", { "aria-live": "polite" });
  const button = h("button", { type: "button", class: "button", "aria-label": w("make_file", { file: one.title }),
    onclick: async () => {
      button.disabled = true;
      said.textContent = ` ${w("state_queued")}`;
      try {
        const answer = await api.post("/api/jobs", { kind: "report", run: run.id, options: { parts: [one.part] } });
        const job = await waitFor(answer.id, (now) => {
          said.textContent = ` ${now.stage ?? w(`state_${now.state}`)} ${Number.isFinite(now.progress) ? percent(now.progress) : ""}`;
        });
        if (job.state === "done") { live(w("file_made", { file: one.title })); await again(); return; }
        fill(said, faults(job.faults?.length ? job.faults : [{ message: w(`state_${job.state}`) }]));
      } catch (error) {
        fill(said, faults(error.faults ?? [{ message: String(error.message ?? error) }]));
      }
      button.disabled = false;
    } }, w("make"));
  return h("span", {}, button, said);
}

export function bytes(size) {
  if (!Number.isFinite(size)) return "—";
  if (size < 1000) return `${number(size)}\u00a0${w("bytes")}`;
  if (size < 1e6) return `${number(size / 1e3, 0)}\u00a0${w("kilobytes")}`;
  return `${number(size / 1e6, 1)}\u00a0${w("megabytes")}`;
}
