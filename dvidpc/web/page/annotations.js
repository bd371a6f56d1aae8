// The annotations in the viewer: elements near the shown slice as dots, and lines between related ones.

import { byId, element } from "./elements.js";
import { PLANES } from "./geometry.js";
import { fetchGood } from "./tiles.js";
import { collectionsOver } from "./volumes.js";

const SIDE = 512; // voxels along the sides of a fetched box that lie in the plane
const DEPTH = 32; // voxels across the plane
const REACH = 8; // voxels before and behind the slice that are shown, fainter with the distance
const MOST_BOXES = 40;
const RADIUS = 4;
const NEAR_PIXELS = 7;
const COLORS = { PreSyn: "#ffd23f", PostSyn: "#3fd0ff", Gap: "#7cf07c", Note: "#ff8ad8" };
const OTHER_COLOR = "#ffffff";

export class Annotations {
  /** Call `onChange()` when a tool changes what is shown. */
  constructor(tiles, onChange) {
    this.tiles = tiles;
    this.onChange = onChange;
    this.canvas = byId("annotations");
    this.context = this.canvas.getContext("2d");
    this.drawn = [];
    byId("annotations-name").addEventListener("change", ({ target }) => this.choose(target.value));
  }

  /** Show the collection that `query` names; without it, the first that overlaps with the volume. */
  show(overview, api, volume, query) {
    this.api = api;
    this.choices = collectionsOver(overview, volume);
    byId("annotation-tools").hidden = !this.choices.length;
    byId("annotations-name").replaceChildren(
      element("option", { value: "" }, "none"),
      ...this.choices.map(({ instance }) => element("option", { value: instance }, instance)),
    );
    this.choose(query.get("annotations") ?? this.choices[0]?.instance ?? "");
  }

  choose(instance) {
    this.collection = this.choices.find((choice) => choice.instance === instance);
    byId("annotations-name").value = this.collection?.instance ?? "";
    this.onChange();
  }

  /** Draw what is loaded; return the requests of all visible boxes, and the errors. */
  draw(view, plane, [width, height]) {
    const ratio = window.devicePixelRatio || 1;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) [this.canvas.width, this.canvas.height] = pixels;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.drawn = [];
    const requests = this.collection ? this.requests(view, plane, width, height) : [];
    const isTooMuch = requests.length > MOST_BOXES;
    byId("annotations-note").hidden = !isTooMuch;
    const loaded = isTooMuch ? [] : requests.map(({ url }) => this.tiles.peek(url));
    const errors = loaded.filter((each) => each instanceof Error).map(({ message }) => message);
    this.drawElements(loaded.filter((each) => Array.isArray(each)).flat(), view, plane, width, height);
    this.canvas.dataset.instance = this.collection?.instance ?? "";
    this.canvas.dataset.elements = String(this.drawn.length);
    return { requests: isTooMuch ? [] : requests, errors };
  }

  /** Return the requests of the boxes that hold the visible elements. */
  requests(view, plane, width, height) {
    const [u, v, w] = PLANES[plane];
    const nm = this.collection.voxel_size_nm;
    const half = { [u]: (width / 2) * view.nmPerPixel, [v]: (height / 2) * view.nmPerPixel, [w]: REACH * nm[w] };
    const side = { [u]: SIDE, [v]: SIDE, [w]: DEPTH };
    const [low, high] = this.collection.bounds ?? [undefined, undefined];
    const range = (axis) => {
      const first = Math.max(Math.floor((view.at[axis] - half[axis]) / nm[axis]), low ? low[axis] : -Infinity);
      const last = Math.min(Math.floor((view.at[axis] + half[axis]) / nm[axis]), high ? high[axis] - 1 : Infinity);
      return [Math.floor(first / side[axis]), Math.floor(last / side[axis])];
    };
    const found = [];
    const [x, y, z] = [0, 1, 2].map(range);
    if ([x, y, z].reduce((count, [first, last]) => count * Math.max(0, last - first + 1), 1) > MOST_BOXES)
      return Array(MOST_BOXES + 1).fill({ url: "" });
    for (let k = z[0]; k <= z[1]; k++)
      for (let j = y[0]; j <= y[1]; j++)
        for (let i = x[0]; i <= x[1]; i++) {
          const size = [side[0], side[1], side[2]].join("_");
          const offset = [i * side[0], j * side[1], k * side[2]].join("_");
          const url = `${this.api}/${encodeURIComponent(this.collection.instance)}/elements/${size}/${offset}?app=dvidpc-page`;
          found.push({ url, load: (signal) => fetchElements(url, signal) });
        }
    return found;
  }

  drawElements(elements, view, plane, width, height) {
    const [u, v, w] = PLANES[plane];
    const nm = this.collection?.voxel_size_nm;
    const place = (position) => [
      ((position[u] + 0.5) * nm[u] - view.at[u]) / view.nmPerPixel + width / 2,
      ((position[v] + 0.5) * nm[v] - view.at[v]) / view.nmPerPixel + height / 2,
    ];
    const slice = nm && Math.floor(view.at[w] / nm[w]);
    const shown = elements.filter(({ Pos }) => Math.abs(Pos[w] - slice) <= REACH);
    const strength = ({ Pos }) => 1 - Math.abs(Pos[w] - slice) / (REACH + 1);
    const lines = new Set();
    for (const each of shown) this.drawLines(each, place, strength(each), lines);
    for (const each of shown) this.drawDot(each, place(each.Pos), strength(each));
    this.context.globalAlpha = 1;
  }

  drawLines({ Pos, Rels }, place, alpha, lines) {
    this.context.strokeStyle = "#ffffff";
    this.context.lineWidth = 1.5;
    for (const { To } of Rels ?? []) {
      const name = [Pos.join(), To.join()].sort().join(" ");
      if (lines.has(name)) continue;
      lines.add(name);
      this.context.globalAlpha = alpha;
      this.context.beginPath();
      this.context.moveTo(...place(Pos));
      this.context.lineTo(...place(To));
      this.context.stroke();
    }
  }

  drawDot(each, [x, y], alpha) {
    this.context.globalAlpha = alpha;
    this.context.beginPath();
    this.context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    this.context.fillStyle = COLORS[each.Kind] ?? OTHER_COLOR;
    this.context.fill();
    this.context.strokeStyle = "#000000";
    this.context.lineWidth = 1;
    this.context.stroke();
    this.drawn.push({ each, x, y });
  }

  /** Show the element under the pointer; `pointed` is undefined if the pointer is elsewhere. */
  point(pointed) {
    const output = byId("pointed-annotation");
    output.hidden = !this.collection;
    const near = pointed && this.drawn.filter(({ x, y }) => Math.hypot(x - pointed[0], y - pointed[1]) <= NEAR_PIXELS);
    const found = near?.at(-1)?.each;
    output.textContent = found ? describe(found) : "";
  }

  /** Add what differs from the defaults to the query of a link. */
  describe(query) {
    if (this.collection !== this.choices[0]) query.set("annotations", this.collection?.instance ?? "");
  }
}

function describe({ Kind, Pos, Prop, Tags }) {
  const properties = Object.entries(Prop ?? {}).map(([name, value]) => `${name} ${value}`);
  return [`${Kind} at ${Pos.join(", ")}`, ...properties, ...(Tags ?? [])].join(" · ");
}

async function fetchElements(url, signal) {
  const response = await fetchGood(url, signal);
  return (await response.json()) ?? []; // DVID sends null for none
}
