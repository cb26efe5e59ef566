"use strict";
// The interactive map. Without WebGL, or on paper, the drawing stays.
(() => {
  const figure = document.getElementById("map-figure");
  const source = document.getElementById("map-data");
  const place = document.getElementById("gl");
  if (!figure || !source || !place || typeof maplibregl === "undefined") return;
  const data = JSON.parse(source.textContent);

  const points = (flat, scale) => {
    const out = [];
    let x = 0, y = 0;
    for (let i = 0; i < flat.length; i += 2) {
      x += flat[i];
      y += flat[i + 1];
      out.push([x / scale, y / scale]);
    }
    return out;
  };
  const feature = (geometry, properties, id) => ({ type: "Feature", id, geometry, properties });
  const collection = (features) => ({ type: "FeatureCollection", features });
  const lines = (parts) => collection(parts.filter((part) => part.length > 2).map((part) =>
    feature({ type: "LineString", coordinates: points(part, data.coarse) }, {})));
  const polygon = (rings, scale) => ({
    type: "MultiPolygon",
    coordinates: rings.map((part) => part.map((ring) => points(ring, scale))),
  });

  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(name).trim();
  const kindColour = () => ["match", ["get", "kind"],
    "extension", colour("--extension"), "greenfield", colour("--greenfield"), colour("--brownfield")];
  const KINDS = { b: "brownfield", e: "extension", g: "greenfield" };

  const NONE = ["==", ["get", "i"], -1];
  const FADE = ["interpolate", ["linear"], ["zoom"], 5.5, 0, 7, 1]; // too fine for the country

  const style = () => ({
    version: 8,
    sources: {
      land: { type: "geojson", data: collection(data.land.map((rings) =>
        feature(polygon(rings, data.coarse), {}))) },
      borders: { type: "geojson", data: lines(data.borders) },
      roads: { type: "geojson", data: lines(data.roads) },
      candidates: { type: "geojson", data: collection(
        points(data.candidates.at, data.coarse).map((at, i) =>
          feature({ type: "Point", coordinates: at }, { i, kind: KINDS[data.candidates.kind[i]] }))) },
      isochrones: { type: "geojson", data: collection(data.isochrones.map((one) =>
        feature(polygon(one.rings, data.coarse), { i: one.i, minutes: one.minutes,
          spare: data.sites[one.i].spare }))) },
      restored: { type: "geojson", data: collection(data.restored.map((one, i) =>
        feature(polygon(one.rings, data.fine), { i }))) },
      sites: { type: "geojson", data: collection(data.sites.map((site) =>
        feature(polygon(site.rings, data.fine), { kind: site.kind, spare: site.spare }))) },
      places: { type: "geojson", data: collection(data.sites.map((site) =>
        feature({ type: "Point", coordinates: site.at.map((v) => v / data.fine) }, {}))) },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": colour("--paper") } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": colour("--land") } },
      { id: "borders", type: "line", source: "borders",
        paint: { "line-color": colour("--border"), "line-width": 0.6 } },
      { id: "outline", type: "line", source: "land",
        paint: { "line-color": colour("--border"), "line-width": 1.4 } },
      { id: "roads", type: "line", source: "roads", paint: { "line-color": colour("--road"),
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.8, 12, 3] } },
      { id: "isochrones", type: "fill", source: "isochrones", filter: NONE,
        paint: { "fill-color": colour("--accent"), "fill-opacity": 0.08 } },
      { id: "isochrones-30", type: "line", source: "isochrones", filter: NONE,
        paint: { "line-color": colour("--accent"), "line-width": 1.6, "line-opacity": FADE } },
      { id: "isochrones-45", type: "line", source: "isochrones", filter: NONE,
        paint: { "line-color": colour("--accent"), "line-width": 1.2, "line-dasharray": [3, 2],
          "line-opacity": FADE } },
      { id: "candidates", type: "circle", source: "candidates", paint: {
        "circle-color": kindColour(), "circle-opacity": 0.55,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 5, 1.6, 9, 4, 13, 7] } },
      { id: "restored", type: "fill", source: "restored",
        paint: { "fill-color": colour("--ok"), "fill-opacity": 0.45 } },
      { id: "restored-edge", type: "line", source: "restored",
        paint: { "line-color": colour("--ok"), "line-width": 1.5, "line-dasharray": [2, 1.5] } },
      { id: "sites", type: "fill", source: "sites", paint: {
        "fill-color": kindColour(), "fill-opacity": ["case", ["get", "spare"], 0.12, 0.35] } },
      { id: "sites-edge", type: "line", source: "sites",
        paint: { "line-color": kindColour(), "line-width": 2 } },
      { id: "places", type: "circle", source: "places", maxzoom: 12,
        paint: { "circle-radius": 2, "circle-color": colour("--ink") } },
    ],
  });

  let map;
  try {
    figure.classList.add("has-gl"); // the map needs a visible place to measure itself
    map = new maplibregl.Map({
      container: place,
      style: style(),
      bounds: data.bounds,
      fitBoundsOptions: { padding: 12 },
      minZoom: 3.5,
      maxZoom: 17,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      cooperativeGestures: true,
      locale: data.controls,
    });
  } catch {
    figure.classList.remove("has-gl"); // no WebGL: the drawing stays
    return;
  }
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 140 }), "bottom-left");

  const whole = document.createElement("button");
  whole.type = "button";
  whole.className = "whole";
  whole.textContent = data.words.whole;
  whole.addEventListener("click", () => map.fitBounds(data.bounds, { padding: 12 }));
  place.append(whole);

  // Marks of the sites: links, so that the keyboard reaches them in the order of the ranks.
  const size = (site) => (site.spare ? 9 : 12);
  const marks = data.sites.map((site) => {
    const element = document.createElement("div");
    element.className = "mark";
    const leader = document.createElement("i");
    const link = document.createElement("a");
    link.href = `#row-${site.index}`;
    link.className = `${site.kind}${site.spare ? " spare" : ""}`;
    link.dataset.site = site.index;
    link.setAttribute("aria-label", `${site.rank}. ${site.name}, ${site.place}`);
    link.title = `${site.rank}. ${site.name}, ${site.place}`;
    const number = document.createElement("span");
    number.textContent = site.spare ? "" : site.rank;
    link.append(number);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation(); // a click on the map closes the popup
      open(site);
    });
    element.append(leader, link);
    const at = site.at.map((v) => v / data.fine);
    const marker = new maplibregl.Marker({ element, anchor: "center" }).setLngLat(at).addTo(map);
    element.removeAttribute("aria-label");
    element.removeAttribute("role");
    element.removeAttribute("tabindex");
    return { site, at, marker, leader, link, shift: [0, 0] };
  });

  // No mark hides another: they move apart, a line leads back to the place.
  function part() {
    const at = marks.map((mark) => map.project(mark.at));
    const now = at.map((p) => [p.x, p.y]);
    for (let turn = 0; turn < 400; turn++) {
      let moved = 0;
      for (let i = 0; i < now.length; i++) {
        let dx = 0.04 * (at[i].x - now[i][0]), dy = 0.04 * (at[i].y - now[i][1]);
        for (let j = 0; j < now.length; j++) {
          if (i === j) continue;
          const gap = (size(marks[i].site) + size(marks[j].site)) * 1.08;
          let x = now[i][0] - now[j][0], y = now[i][1] - now[j][1];
          if (Math.abs(x) > gap || Math.abs(y) > gap) continue;
          let far = Math.hypot(x, y);
          if (far >= gap) continue;
          if (far < 0.01) { x = Math.cos(i * 2.4); y = Math.sin(i * 2.4); far = 1; }
          dx += (0.5 * (gap - Math.min(far, gap)) * x) / far;
          dy += (0.5 * (gap - Math.min(far, gap)) * y) / far;
        }
        now[i][0] += dx;
        now[i][1] += dy;
        moved = Math.max(moved, Math.abs(dx), Math.abs(dy));
      }
      if (moved < 0.1) break;
    }
    marks.forEach((mark, i) => {
      const dx = now[i][0] - at[i].x, dy = now[i][1] - at[i].y, far = Math.hypot(dx, dy);
      mark.marker.setOffset([dx, dy]);
      mark.leader.style.width = `${far > 6 ? far : 0}px`;
      mark.leader.style.transform = `rotate(${Math.atan2(-dy, -dx)}rad)`;
    });
  }
  map.on("load", part);
  map.on("zoomend", part);
  map.on("resize", part);

  const line = (tag, text, parent) => {
    const element = document.createElement(tag);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  function popup(at, fill) {
    const box = document.createElement("div");
    fill(box);
    new maplibregl.Popup({ maxWidth: "20rem" }).setLngLat(at).setDOMContent(box).addTo(map);
  }

  // Isochrones: of the site that was opened, or of every selected one.
  const every = document.querySelector('input[data-layer="isochrones"]');
  let opened = -1;
  function reach() {
    const wanted = every?.checked ? ["any", ["!", ["get", "spare"]], ["==", ["get", "i"], opened]]
      : ["==", ["get", "i"], opened];
    map.setFilter("isochrones", wanted);
    for (const minutes of [30, 45]) {
      map.setFilter(`isochrones-${minutes}`, ["all", wanted, ["==", ["get", "minutes"], minutes]]);
    }
  }

  function open(site) {
    const mark = marks[site.index];
    opened = site.index;
    if (data.isochrones.length) reach();
    map.easeTo({ center: mark.at, zoom: Math.max(map.getZoom(), 12.5) });
    popup(mark.at, (box) => {
      line("strong", `${site.rank}. ${site.name}`, box);
      line("div", site.place, box);
      const row = document.getElementById(`row-${site.index}`);
      const heads = row?.closest("table").tHead.rows[0].cells;
      const list = document.createElement("dl");
      for (let i = 4; row && i < row.cells.length; i++) {
        if (row.cells[i].classList.contains("why")) continue;
        line("dt", heads[i].dataset.label || heads[i].textContent, list);
        line("dd", row.cells[i].textContent, list);
      }
      box.append(list);
      const areas = data.isochrones.filter((one) => one.i === site.index);
      if (areas.length) {
        const near = line("button", data.words.reach, box);
        near.type = "button";
        near.addEventListener("click", () => {
          const box = new maplibregl.LngLatBounds();
          for (const one of areas) {
            for (const at of one.rings.flatMap((part) => points(part[0], data.coarse))) box.extend(at);
          }
          map.fitBounds(box, { padding: 24 });
        });
      }
      const links = document.createElement("p");
      line("a", data.words.sheet, links).href = `#sheet-${site.index}`;
      links.append(" · ");
      line("a", data.words.row, links).href = `#row-${site.index}`;
      box.append(links);
    });
  }

  map.on("click", (event) => {
    const [found] = map.queryRenderedFeatures(event.point, { layers: ["candidates", "restored"] });
    if (!found) return;
    const i = found.properties.i;
    popup(event.lngLat, (box) => {
      if (found.layer.id === "restored") {
        line("strong", data.words.restored, box);
        line("div", data.restored[i].name, box);
      } else if (data.candidates.name.length) {
        line("strong", data.candidates.name[i], box);
        line("div", data.candidates.place[i], box);
        line("div", data.words.score.replace("{score}", data.candidates.score[i]), box);
        line("p", data.candidates.reason[i], box);
      }
    });
  });

  // Layers that the reader shows or hides.
  const LAYERS = {
    candidates: ["candidates"],
    roads: ["roads"],
    restored: ["restored", "restored-edge"],
  };
  for (const box of document.querySelectorAll("input[data-layer]")) {
    box.hidden = false;
    box.addEventListener("change", () => {
      for (const id of LAYERS[box.dataset.layer] || []) {
        map.setLayoutProperty(id, "visibility", box.checked ? "visible" : "none");
      }
      if (box.dataset.layer === "isochrones") reach();
      if (box.dataset.layer === "spare") {
        for (const mark of marks) {
          if (mark.site.spare) mark.marker.getElement().hidden = !box.checked;
        }
      }
    });
  }

  // From the list to the map.
  for (const row of document.querySelectorAll("table.sites tr[data-site]")) {
    const site = data.sites[row.dataset.site];
    if (!site) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "locate";
    button.textContent = "◎";
    const said = data.words.show.replace("{name}", site.name);
    button.setAttribute("aria-label", said);
    button.title = said;
    button.addEventListener("click", () => {
      document.getElementById("map").scrollIntoView();
      open(site);
    });
    row.cells[0].append(button);
  }
  // From the map to the list: only the sites in view.
  for (const box of document.querySelectorAll("label.in-view")) box.hidden = false;
  document.addEventListener("siteselect:ask", (event) => {
    event.detail.inView = map.getBounds().contains(marks[event.detail.site].at);
  });
  map.on("moveend", () => document.dispatchEvent(new CustomEvent("siteselect:moved")));
})();
