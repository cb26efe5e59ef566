// The HTTP API, and what happens to jobs.
//
//   import { api, onJobs, waitFor } from "./lib/api.js";
//   const packs = await api.get("/api/packs");
//   const job = await api.post("/api/jobs", { scenario: "reference", kind: "run" });
//   const done = await waitFor(job.id, (now) => draw(now.progress));
//   const stop = onJobs((job) => …);     // server-sent events; polled where they fail
//
// A refusal is an ApiError with `faults` in the planner's words.
import { w } from "./words.js";

export class ApiError extends Error {
  constructor(status, body) {
    const faults = Array.isArray(body?.faults) && body.faults.length
      ? body.faults : [{ message: w(status ? "error_answer" : "error_network") }];
    super(faults.map((one) => one.message).join(" · "));
    this.status = status;
    this.body = body;
    this.faults = faults;
  }
}

async function call(method, path, body, { signal } = {}) {
  const options = { method, signal, headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  const content = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, content);
  return content;
}

export const api = {
  get: (path, options) => call("GET", path, undefined, options),
  post: (path, body, options) => call("POST", path, body ?? {}, options),
  put: (path, body, options) => call("PUT", path, body, options),
  del: (path, options) => call("DELETE", path, undefined, options),
};
/** A path with its parts escaped: path`/api/runs/${id}`. */
export const path = (parts, ...values) =>
  parts.reduce((so, part, i) => so + part + (i < values.length ? encodeURIComponent(values[i]) : ""), "");

export const ENDED = new Set(["done", "failed", "infeasible", "limit", "cancelled"]);

/** Calls ``seen`` with each job that changes. ``onOpen(again)`` comes once changes are told, and
    again each time the application is back: read the list then, nothing falls between. Returns
    what stops it. */
export function onJobs(seen, { onLost = () => {}, onOpen = () => {} } = {}) {
  let lost = false, source = null;
  const leave = () => { source?.close(); source = null; };
  const listen = () => {
    if (source) return;
    source = new EventSource("/api/jobs/events");
    source.addEventListener("job", (event) => seen(JSON.parse(event.data)));
    source.addEventListener("open", () => { onOpen(lost); lost = false; });
    source.addEventListener("error", () => {
      if (!lost) { lost = true; onLost(); }
      if (source?.readyState === EventSource.CLOSED) { leave(); setTimeout(look, 2000); }
    });
  };
  // a browser has few connections to one server: pages that nobody sees hold none
  const look = () => (document.hidden ? leave() : listen());
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", look);
  look();
  return () => {
    leave();
    document.removeEventListener("visibilitychange", look);
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", look);
  };
}

/** The job once it has ended, ``seen`` at every look. Rejects when the server stays away. */
export async function waitFor(id, seen = () => {}, { every = 400, signal } = {}) {
  for (let failures = 0; ;) {
    try {
      const job = await api.get(path`/api/jobs/${id}`, { signal });
      failures = 0;
      seen(job);
      if (ENDED.has(job.state)) return job;
    } catch (error) {
      if (error.status !== 0 || ++failures > 20) throw error;
    }
    await new Promise((go) => setTimeout(go, every));
  }
}
