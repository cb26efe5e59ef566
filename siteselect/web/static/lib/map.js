// The map: outlines and roads by MapLibre (vendored, no tile server), points on a canvas above.
//
//   import { createMap, SHAPES } from "./lib/map.js";
//   const map = await createMap(place, { label: w("map_candidates"),
//     tip: (i) => "Friche X", onPick: (i) => table.select(i), onHover: (i | null) => table.hover(i) });
//   map.base("france");                      // outlines and roads of a pack, in the background
//   map.points({ lon, lat, shape: Uint8Array });   // SHAPES.brownfield … by kind of site
//   map.look.colour[i] = 3;  map.look.size[i] = 1;  map.look.shown[i] = 1;   // then:
//   map.update();                            // drawn at the next frame; 24,000 points: some ms
//   map.label(i, "12"); map.clearLabels();   // a number in the mark (the selected ones)
//   map.select(i); map.show(i); map.hover(i); map.whole();
//   map.shapes("restored", geojson, "restored");   // polygons in longitude and latitude
//   map.inView(i); map.onMove(() => …);
//
// Colours are numbers in the palette: 0–4 a scale from low to high, then PALETTE.* by name; read
// from style.css, so that light and dark follow. Colour never speaks alone: kinds differ by shape,
// what matters more is larger, what is chosen carries its number, and the table says it all.
// Without WebGL `map.failed` is true, the place says so, and every call does nothing.
import { api } from "./api.js";
import { h, perFrame } from "./dom.js";
import { w } from "./words.js";

export const SHAPES = { brownfield: 0, extension: 1, greenfield: 2, up: 3, down: 4 };
export const PALETTE = { low: 0, high: 4, brownfield: 5, extension: 6, greenfield: 7, out: 8, in: 9, paper: 10, ink: 11, both: 12 };
const VARIABLES = ["--scale-0", "--scale-1", "--scale-2", "--scale-3", "--scale-4", "--brownfield",
  "--extension", "--greenfield", "--dim", "--ok", "--paper", "--ink", "--accent"];
const RADII = [[1.7, 3.5, 6], [3.2, 5.5, 8], [6, 7.5, 9], [11, 11, 12]]; // at zoom 5, 8, 12, by size

const MOST_APART = 200; // more numbered marks than this stay where they are

let library = null;
function loadLibrary() {
  library ??= new Promise((done, fail) => {
    document.head.append(h("link", { rel: "stylesheet", href: "/static/vendor/maplibre-gl.css" }));
    document.head.append(h("script", { src: "/static/vendor/maplibre-gl.js",
      onload: () => done(globalThis.maplibregl), onerror: () => fail(new Error("maplibre")) }));
  });
  return library;
}
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const absolute = (path) => new URL(path, location.href).href;
const empty = { type: "FeatureCollection", features: [] };

function style() {
  return {
    version: 8,
    sources: {},
    layers: [{ id: "sea", type: "background", paint: { "background-color": css("--paper") } }],
  };
}

const locale = () => ({
  "NavigationControl.ZoomIn": w("map_zoom_in"),
  "NavigationControl.ZoomOut": w("map_zoom_out"),
  "Map.Title": w("map_title"),
  "CooperativeGesturesHandler.WindowsHelpText": w("map_ctrl"),
  "CooperativeGesturesHandler.MacHelpText": w("map_cmd"),
  "CooperativeGesturesHandler.MobileHelpText": w("map_fingers"),
  "ScaleControl.Meters": "m",
  "ScaleControl.Kilometers": "km",
});

export async function createMap(place, settings = {}) {
  place.classList.add("map");
  let gl;
  try {
    const maplibregl = await loadLibrary();
    gl = new maplibregl.Map({
      container: place, style: style(), bounds: settings.bounds ?? [-5.2, 41.3, 9.6, 51.2],
      fitBoundsOptions: { padding: 16 }, minZoom: 3.2, maxZoom: 17, maxPitch: 0, dragRotate: false,
      pitchWithRotate: false, attributionControl: false, cooperativeGestures: true,
      renderWorldCopies: false, fadeDuration: 0, locale: locale(),
    });
    gl.touchZoomRotate.disableRotation();
    gl.keyboard.disableRotation();
    gl.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    gl.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
  } catch {
    place.replaceChildren(h("p", { class: "box" }, w("map_no_webgl")));
    return nothing();
  }
  return new PointMap(place, gl, settings);
}

class PointMap {
  constructor(place, gl, { label, tip, onPick, onHover }) {
    this.failed = false;
    this.gl = gl;
    this.place = place;
    this.tip = tip;
    this.at = { x: new Float64Array(0), y: new Float64Array(0), shape: new Uint8Array(0) };
    this.look = { colour: new Uint8Array(0), size: new Uint8Array(0), shown: new Uint8Array(0) };
    this.labels = new Map();
    this.shift = { x: new Float32Array(0), y: new Float32Array(0), key: "" }; // pixels, of marks with a label
    this.rings = new Map(); // i → palette colour: a ring around marks that changed, or are forced
    this.selected = -1;
    this.lit = -1;
    this.sprites = new Map();
    this.bounds = gl.getBounds();
    this.movers = [];
    place.setAttribute("role", "region");
    if (label) place.setAttribute("aria-label", label);
    this.canvas = h("canvas", { class: "points", "aria-hidden": "true" });
    gl.getCanvasContainer().append(this.canvas);
    this.bubble = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.credits = h("p", { class: "credits" });
    place.append(this.bubble, this.credits);
    place.append(h("button", { type: "button", class: "whole", onclick: () => this.whole() }, w("map_whole")));
    this.update = perFrame(() => this.#draw());
    this.ready = new Promise((done) => (gl.loaded() ? done() : gl.once("load", done)));
    gl.on("move", () => this.#draw());
    gl.on("resize", () => this.#draw());
    gl.on("moveend", () => this.movers.forEach((action) => action()));
    gl.on("mousemove", ({ point }) => {
      const i = this.#under(point);
      gl.getCanvas().style.cursor = i >= 0 ? "pointer" : "";
      if (i !== this.lit) { this.hover(i); onHover?.(i >= 0 ? i : null); }
    });
    gl.on("mouseout", () => { if (this.lit >= 0) { this.hover(-1); onHover?.(null); } });
    gl.on("click", ({ point }) => {
      const i = this.#under(point);
      if (i >= 0) { this.select(i); onPick?.(i); }
    });
    const again = () => { this.sprites.clear(); this.#recolour(); this.update(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  }

  /** Outlines and roads of a pack; finer roads come when the reader is near. */
  async base(pack) {
    const root = `/api/packs/${encodeURIComponent(pack)}`;
    this.#credits(root);
    await this.ready;
    for (const id of ["land", "borders", "outline", "roads", "roads-near"]) {
      if (this.gl.getLayer(id)) this.gl.removeLayer(id);
    }
    for (const id of ["land", "borders", "roads", "roads-near"]) {
      if (this.gl.getSource(id)) this.gl.removeSource(id);
    }
    const add = (id, file) => this.gl.addSource(id, { type: "geojson", data: absolute(`${root}/${file}`) });
    add("land", "outlines.geojson?level=region");
    add("borders", "outlines.geojson?level=departement");
    add("roads", "roads.geojson?zoom=low");
    const width = ["interpolate", ["linear"], ["zoom"], 5, 0.8, 12, 3];
    this.#under_points([
      { id: "land", type: "fill", source: "land", paint: { "fill-color": css("--land") } },
      { id: "borders", type: "line", source: "borders", paint: { "line-color": css("--border"), "line-width": 0.6 } },
      { id: "outline", type: "line", source: "land", paint: { "line-color": css("--border"), "line-width": 1.4 } },
      { id: "roads", type: "line", source: "roads", maxzoom: 8, paint: { "line-color": css("--road"), "line-width": width } },
    ]);
    const near = () => {
      if (this.gl.getZoom() < 7.5 || this.gl.getSource("roads-near")) return;
      add("roads-near", "roads.geojson?zoom=high");
      this.#under_points([{ id: "roads-near", type: "line", source: "roads-near", minzoom: 8,
        paint: { "line-color": css("--road"), "line-width": width } }]);
    };
    this.gl.on("zoomend", near);
    near();
  }
  /** Whom the drawn layers come from: their licences ask for it. */
  async #credits(root) {
    const drawn = ["outlines", "road_edges"];
    const { layers } = await api.get(root).catch(() => ({ layers: [] }));
    const said = layers.filter((one) => drawn.includes(one.role)).map((one) => one.attribution);
    this.credits.textContent = [...new Set(said)].filter(Boolean).join(" · ");
  }
  #under_points(layers) {
    const first = this.gl.getStyle().layers.find((one) => one.id.startsWith("shapes-"))?.id;
    for (const layer of layers) if (!this.gl.getLayer(layer.id)) this.gl.addLayer(layer, first);
  }
  #recolour() {
    const paints = { sea: ["background-color", "--paper"], land: ["fill-color", "--land"],
      borders: ["line-color", "--border"], outline: ["line-color", "--border"],
      roads: ["line-color", "--road"], "roads-near": ["line-color", "--road"] };
    for (const [id, [property, variable]] of Object.entries(paints)) {
      if (this.gl.getLayer(id)) this.gl.setPaintProperty(id, property, css(variable));
    }
  }

  /** Places and shapes; `look` starts as small, dim, shown. The view goes to them. */
  points({ lon, lat, shape, fit = true }) {
    const n = lon.length;
    this.lon = lon; this.lat = lat;
    this.at = { x: new Float64Array(n), y: new Float64Array(n), shape: shape ?? new Uint8Array(n) };
    for (let i = 0; i < n; i++) {
      const s = Math.sin((lat[i] * Math.PI) / 180);
      this.at.x[i] = lon[i] / 360 + 0.5;
      this.at.y[i] = 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
    }
    this.look = { colour: new Uint8Array(n).fill(PALETTE.out), size: new Uint8Array(n), shown: new Uint8Array(n).fill(1) };
    this.shift = { x: new Float32Array(n), y: new Float32Array(n), key: "" };
    this.labels.clear();
    this.rings.clear();
    this.selected = this.lit = -1;
    const box = boxOf(lon, lat);
    if (box) { this.bounds = box; if (fit) this.gl.fitBounds(box, { padding: 24, animate: false, maxZoom: 12 }); }
    this.update();
  }
  label(i, text) { this.labels.set(i, text); }
  clearLabels() { this.labels.clear(); }
  ring(i, colour = PALETTE.ink) { this.rings.set(i, colour); }
  clearRings() { this.rings.clear(); }
  select(i) { this.selected = i ?? -1; this.update(); }
  hover(i) {
    this.lit = i ?? -1;
    this.bubble.hidden = this.lit < 0;
    if (this.lit >= 0) this.bubble.textContent = this.tip?.(this.lit) ?? "";
    this.update();
  }
  /** To one point, or to many. */
  show(i, zoom = 10.5) {
    if (this.lon?.[i] === undefined) return;
    const view = { center: [this.lon[i], this.lat[i]], zoom: Math.max(this.gl.getZoom(), zoom) };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.gl.jumpTo(view);
    else this.gl.easeTo({ ...view, duration: 500 });
    this.select(i);
  }
  whole() { this.gl.fitBounds(this.bounds, { padding: 24, animate: false, maxZoom: 12 }); }
  inView(i) { return this.gl.getBounds().contains([this.lon[i], this.lat[i]]); }
  onMove(action) { this.movers.push(action); }
  /** Polygons under the points; `kind` is restored, site or area (colour and edge of each). */
  async shapes(id, geojson, kind = "area") {
    await this.ready;
    const name = `shapes-${id}`;
    const source = this.gl.getSource(name);
    if (source) { source.setData(geojson ?? empty); return; }
    const colour = css({ restored: "--ok", site: "--brownfield", area: "--accent" }[kind]);
    this.gl.addSource(name, { type: "geojson", data: geojson ?? empty });
    this.gl.addLayer({ id: name, type: "fill", source: name, paint: { "fill-color": colour, "fill-opacity": 0.35 } });
    this.gl.addLayer({ id: `${name}-edge`, type: "line", source: name, paint: { "line-color": colour,
      "line-width": 1.5, ...(kind === "restored" ? { "line-dasharray": [2, 1.5] } : {}) } });
  }

  #view() {
    const { clientWidth: width, clientHeight: height } = this.place;
    const centre = this.gl.getCenter(), world = 512 * 2 ** this.gl.getZoom();
    const s = Math.sin((centre.lat * Math.PI) / 180);
    return { width, height, world, left: (centre.lng / 360 + 0.5) * world - width / 2,
      top: (0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)) * world - height / 2 };
  }
  #radius(size, zoom = this.gl.getZoom()) {
    const [far, middle, near] = RADII[size];
    if (zoom <= 8) return far + (middle - far) * Math.min(1, Math.max(0, (zoom - 5) / 3));
    return middle + (near - middle) * Math.min(1, (zoom - 8) / 4);
  }
  #draw() {
    const { width, height, world, left, top } = this.#view();
    if (!width || !height) return;
    const dpr = Math.min(2, devicePixelRatio || 1), canvas = this.canvas;
    const wide = Math.round(width * dpr), high = Math.round(height * dpr);
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    this.#part();
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.putImageData(this.#stamped(wide, high, dpr), 0, 0);
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    const { x, y } = this.at, { size, shown } = this.look;
    const radii = RADII.map((_, k) => this.#radius(k));
    const { shift } = this;
    const spot = (i) => [x[i] * world - left + shift.x[i], y[i] * world - top + shift.y[i]];
    this.#leaders(pen, spot);
    for (const [i, ink] of this.rings) if (shown[i]) this.#circle(pen, spot(i), radii[size[i]] + 3, css(VARIABLES[ink]), 2);
    pen.font = "700 11px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = css("--on-kind");
    for (const [i, text] of this.labels) if (shown[i]) pen.fillText(text, ...spot(i));
    for (const i of new Set([this.lit, this.selected])) {
      if (i < 0 || i >= x.length) continue;
      this.#circle(pen, spot(i), radii[size[i]] + 4, css("--paper"), 5);
      this.#circle(pen, spot(i), radii[size[i]] + 4, css("--ink"), 2.5);
    }
    if (!this.bubble.hidden && this.lit >= 0 && this.lit < x.length) {
      const [px, py] = spot(this.lit);
      this.bubble.style.left = `${Math.min(Math.max(px, 80), width - 80)}px`;
      this.bubble.style.top = `${py < 60 ? py + 18 : py - 14}px`;
      this.bubble.classList.toggle("below", py < 60);
    }
  }
  /** No mark with a number hides another: they move apart, a line leads back to the place. */
  #part() {
    const { shift, labels } = this, { shown, size } = this.look, zoom = this.gl.getZoom();
    const marks = [...labels.keys()].filter((i) => shown[i]);
    const key = `${zoom.toFixed(2)}/${marks.length}/${marks[0]}/${marks.at(-1)}`;
    if (key === shift.key || this.gl.isZooming() || labels.size > MOST_APART) return;
    shift.key = key;
    const { world } = this.#view();
    const at = marks.map((i) => [this.at.x[i] * world, this.at.y[i] * world]);
    const now = at.map((p) => [...p]), r = marks.map((i) => this.#radius(size[i], zoom) * 1.1);
    for (let turn = 0, moved = 1; turn < 300 && moved > 0.1; turn++) {
      moved = 0;
      for (let a = 0; a < now.length; a++) {
        let dx = 0.04 * (at[a][0] - now[a][0]), dy = 0.04 * (at[a][1] - now[a][1]);
        for (let b = 0; b < now.length; b++) {
          const gap = r[a] + r[b];
          let x = now[a][0] - now[b][0], y = now[a][1] - now[b][1];
          if (a === b || Math.abs(x) >= gap || Math.abs(y) >= gap) continue;
          let far = Math.hypot(x, y);
          if (far >= gap) continue;
          if (far < 0.01) { x = Math.cos(a * 2.4); y = Math.sin(a * 2.4); far = 1; }
          dx += (0.5 * (gap - far) * x) / far;
          dy += (0.5 * (gap - far) * y) / far;
        }
        now[a][0] += dx;
        now[a][1] += dy;
        moved = Math.max(moved, Math.abs(dx), Math.abs(dy));
      }
    }
    shift.x.fill(0);
    shift.y.fill(0);
    marks.forEach((i, a) => { shift.x[i] = now[a][0] - at[a][0]; shift.y[i] = now[a][1] - at[a][1]; });
  }
  #leaders(pen, spot) {
    const { shift } = this;
    pen.globalCompositeOperation = "destination-over"; // under the marks
    pen.strokeStyle = css("--ink");
    pen.lineWidth = 1;
    pen.beginPath();
    for (const i of this.labels.keys()) {
      if (!this.look.shown[i] || Math.hypot(shift.x[i], shift.y[i]) < 6) continue;
      const [px, py] = spot(i);
      pen.moveTo(px, py);
      pen.lineTo(px - shift.x[i], py - shift.y[i]);
    }
    pen.stroke();
    pen.globalCompositeOperation = "source-over";
  }
  /** Every mark as pixels: stamping 24,000 small pictures takes some ms, drawing them ten times more. */
  #stamped(wide, high, dpr) {
    if (this.image?.width !== wide || this.image?.height !== high) this.image = new ImageData(wide, high);
    const pixels = new Uint32Array(this.image.data.buffer).fill(0);
    const { world, left, top } = this.#view();
    const { x, y, shape } = this.at, { colour, size, shown } = this.look, { shift } = this;
    const stamps = new Map();
    for (let level = 0; level < RADII.length; level++) {
      const radius = this.#radius(level);
      for (let i = 0; i < x.length; i++) {
        if (!shown[i] || size[i] !== level) continue;
        const px = (x[i] * world - left + shift.x[i]) * dpr, py = (y[i] * world - top + shift.y[i]) * dpr;
        if (!(px > -24 && py > -24 && px < wide + 24 && py < high + 24)) continue;
        const key = (shape[i] << 12) | (colour[i] << 4) | level;
        let stamp = stamps.get(key);
        if (!stamp) { stamp = this.#sprite(shape[i], colour[i], radius, dpr); stamps.set(key, stamp); }
        const { side, ink } = stamp, x0 = Math.round(px) - (side >> 1), y0 = Math.round(py) - (side >> 1);
        const from = Math.max(0, -x0), to = Math.min(side, wide - x0);
        for (let r = Math.max(0, -y0), end = Math.min(side, high - y0); r < end; r++) {
          const line = (y0 + r) * wide + x0, row = r * side;
          for (let c = from; c < to; c++) {
            const dot = ink[row + c], alpha = dot >>> 24;
            if (alpha === 255 || (alpha > 0 && pixels[line + c] === 0)) pixels[line + c] = dot;
            else if (alpha > 0) pixels[line + c] = mixed(dot, alpha, pixels[line + c]);
          }
        }
      }
    }
    return this.image;
  }
  #circle(pen, [px, py], r, ink, line) {
    pen.beginPath();
    pen.arc(px, py, r, 0, 2 * Math.PI);
    pen.lineWidth = line;
    pen.strokeStyle = ink;
    pen.stroke();
  }
  #sprite(shape, colour, r, dpr) {
    const key = `${shape}/${colour}/${r.toFixed(2)}/${dpr}`;
    if (this.sprites.has(key)) return this.sprites.get(key);
    if (this.sprites.size > 400) this.sprites.clear(); // zooming makes many radii
    const side = Math.round(2 * (Math.ceil(r * 1.3) + 2) * dpr);
    const canvas = h("canvas", {});
    canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.setTransform(dpr, 0, 0, dpr, side / 2, side / 2);
    pen.beginPath();
    if (shape === SHAPES.extension) pen.rect(-r * 0.9, -r * 0.9, 1.8 * r, 1.8 * r);
    else if (shape === SHAPES.greenfield) {
      const d = r * 1.2;
      pen.moveTo(0, -d); pen.lineTo(d, 0); pen.lineTo(0, d); pen.lineTo(-d, 0); pen.closePath();
    } else if (shape === SHAPES.up || shape === SHAPES.down) {
      const way = shape === SHAPES.up ? -1 : 1, d = r * 1.15;
      pen.moveTo(0, way * d); pen.lineTo(d, -way * d); pen.lineTo(-d, -way * d); pen.closePath();
    } else pen.arc(0, 0, r, 0, 2 * Math.PI);
    pen.fillStyle = css(VARIABLES[colour]);
    pen.fill();
    if (r > 2.5) {
      pen.lineWidth = r > 6 ? 1.5 : 0.8;
      pen.strokeStyle = colour === PALETTE.paper ? css("--ink") : css("--paper");
      pen.stroke();
    }
    const sprite = { side, ink: new Uint32Array(pen.getImageData(0, 0, side, side).data.buffer) };
    this.sprites.set(key, sprite);
    return sprite;
  }
  #under(point) {
    const { world, left, top } = this.#view();
    const { x, y } = this.at, { size, shown } = this.look, { shift } = this;
    const radii = RADII.map((_, k) => this.#radius(k) + 4);
    let best = -1, nearest = Infinity;
    for (let i = 0; i < x.length; i++) {
      if (!shown[i]) continue;
      const dx = x[i] * world - left + shift.x[i] - point.x, dy = y[i] * world - top + shift.y[i] - point.y;
      const far = Math.hypot(dx, dy);
      if (far <= radii[size[i]] && far - 2 * size[i] < nearest) { nearest = far - 2 * size[i]; best = i; }
    }
    return best;
  }
}

/** A half transparent pixel over another one, both ABGR; what is under stays at least as opaque. */
function mixed(over, alpha, under) {
  const keep = 255 - alpha;
  const part = (shift) => ((((over >>> shift) & 255) * alpha + ((under >>> shift) & 255) * keep) / 255) & 255;
  return (((Math.max(alpha, under >>> 24) << 24) | (part(16) << 16) | (part(8) << 8) | part(0)) >>> 0);
}

function boxOf(lon, lat) {
  let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
  for (let i = 0; i < lon.length; i++) {
    if (!Number.isFinite(lon[i]) || !Number.isFinite(lat[i])) continue;
    west = Math.min(west, lon[i]); east = Math.max(east, lon[i]);
    south = Math.min(south, lat[i]); north = Math.max(north, lat[i]);
  }
  return west > east ? null : [[west, south], [east, north]];
}

function nothing() {
  const look = { colour: [], size: [], shown: [] };
  const calls = ["base", "points", "update", "label", "clearLabels", "ring", "clearRings", "select",
    "hover", "show", "whole", "onMove", "shapes"];
  return { failed: true, look, ready: Promise.resolve(), inView: () => true,
    ...Object.fromEntries(calls.map((name) => [name, () => {}])) };
}
/** The mark of a kind of site beside text (legends, table cells): shape and colour together. */
export const kindMark = (kind) => h("span", { class: `mark-${kind}`, "aria-hidden": "true" });
