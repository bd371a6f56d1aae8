// The slice viewer: shows one plane of a volume, labels over it, and annotations over both.

import { Annotations } from "./annotations.js";
import { byId, copy, element } from "./elements.js";
import { PLANES, extentNm, fit, levelFor, roundLength, sliceAt } from "./geometry.js";
import { Gestures } from "./gestures.js";
import { Layer } from "./layer.js";
import { Overlay } from "./overlay.js";
import { Tiles } from "./tiles.js";
import { nameOf } from "./volumes.js";

const AXES = ["x", "y", "z"];
const ZOOM_STEP = 1.4;
const NEAREST = 0.02;
const FARTHEST = 4;
const PAN_STEP = 80;

export class Viewer {
  /** Call `onMove(address)` with the URL fragment of the current view whenever the view changes. */
  constructor(onMove) {
    this.onMove = onMove;
    this.canvas = byId("canvas");
    this.tiles = new Tiles(() => this.redraw());
    this.layer = new Layer(this.canvas, this.tiles);
    this.overlay = new Overlay(this.tiles, this.layer, () => this.redraw());
    this.annotations = new Annotations(this.tiles, () => this.redraw());
    this.gestures = new Gestures(this.canvas, this);
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    this.connectTools();
  }

  /** Show a volume at the view in `query`, as passed to `onMove`; without one, fit the whole volume. */
  show(overview, volume, query) {
    this.volume = volume;
    const api = `api/node/${overview.uuid}`;
    this.layer.show(api, volume);
    this.overlay.show(overview, api, volume, query);
    this.annotations.show(overview, api, volume, query);
    this.level = "auto";
    this.plane = PLANES[query.get("plane")] ? query.get("plane") : "xy";
    this.view = fit(volume.scales, this.plane, ...this.size());
    const [first] = volume.scales;
    const at = (query.get("at") ?? "").split(",").map(Number);
    if (at.length === 3 && at.every(Number.isFinite))
      this.view.at = at.map((voxel, axis) => (voxel + 0.5) * first.resolution_nm[axis]);
    const nmPerPixel = Number(query.get("nm"));
    if (nmPerPixel > 0) this.view.nmPerPixel = nmPerPixel;
    const level = volume.scales.findIndex((scale) => nameOf(volume, scale) === query.get("scale"));
    if (level >= 0) this.level = level;
    byId("viewer-name").textContent = volume.instance;
    byId("scale").replaceChildren(
      element("option", { value: "auto" }, "automatic"),
      ...volume.scales.map((scale, index) =>
        element("option", { value: String(index) }, `${nameOf(volume, scale)} · ${scale.resolution_nm.map((nm) => Number(nm.toPrecision(4))).join(" × ")} nm`),
      ),
    );
    this.redraw();
    this.canvas.focus({ preventScroll: true });
  }

  hide() {
    this.tiles.want([]);
    this.volume = undefined;
  }

  connectTools() {
    for (const input of document.querySelectorAll('input[name="plane"]'))
      input.addEventListener("change", () => this.setPlane(input.value));
    byId("scale").addEventListener("change", ({ target }) => {
      this.level = target.value === "auto" ? "auto" : Number(target.value);
      this.redraw();
    });
    byId("zoom-in").addEventListener("click", () => this.zoom(ZOOM_STEP));
    byId("zoom-out").addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    byId("fit").addEventListener("click", () => this.fit());
    byId("share").addEventListener("click", () => copy(location.href));
    byId("slice").addEventListener("input", ({ target }) => this.goToSlice(Number(target.value)));
    byId("slice-number").addEventListener("change", ({ target }) => this.goToSlice(Number(target.value)));
    byId("message").addEventListener("click", () => {
      this.tiles.forgetErrors();
      this.redraw();
    });
  }

  setPlane(plane) {
    this.plane = plane;
    this.redraw();
  }

  fit() {
    const { at, nmPerPixel } = fit(this.volume.scales, this.plane, ...this.size());
    const [u, v] = PLANES[this.plane];
    this.view.at[u] = at[u];
    this.view.at[v] = at[v];
    this.view.nmPerPixel = nmPerPixel;
    this.redraw();
  }

  /** Pan by a number of pixels. */
  pan(right, down) {
    const [u, v] = PLANES[this.plane];
    this.view.at[u] -= right * this.view.nmPerPixel;
    this.view.at[v] -= down * this.view.nmPerPixel;
    this.keepInside();
    this.redraw();
  }

  /** Zoom in by a factor; the point under (x, y) stays in place. */
  zoom(factor, x = this.size()[0] / 2, y = this.size()[1] / 2) {
    const finest = Math.min(...this.volume.scales[0].resolution_nm);
    const whole = fit(this.volume.scales, this.plane, ...this.size()).nmPerPixel;
    const most = Math.max(whole * FARTHEST, finest);
    const wanted = Math.min(Math.max(this.view.nmPerPixel / factor, finest * NEAREST), most);
    const [width, height] = this.size();
    const [u, v] = PLANES[this.plane];
    this.view.at[u] += (x - width / 2) * (this.view.nmPerPixel - wanted);
    this.view.at[v] += (y - height / 2) * (this.view.nmPerPixel - wanted);
    this.view.nmPerPixel = wanted;
    this.keepInside();
    this.redraw();
  }

  /** Move by a number of slices of the current scale. */
  step(slices) {
    const scale = this.scale();
    const axis = PLANES[this.plane][2];
    const slice = sliceAt(scale, axis, this.view.at[axis]) + slices;
    this.view.at[axis] = (slice + 0.5) * scale.resolution_nm[axis];
    this.keepInside();
    this.redraw();
  }

  goToSlice(voxel) {
    if (!Number.isFinite(voxel)) return;
    const axis = PLANES[this.plane][2];
    this.view.at[axis] = (voxel + 0.5) * this.volume.scales[0].resolution_nm[axis];
    this.keepInside();
    this.redraw();
  }

  /** Handle a key; return whether it has an action. */
  press(key) {
    const actions = {
      ArrowLeft: () => this.pan(PAN_STEP, 0),
      ArrowRight: () => this.pan(-PAN_STEP, 0),
      ArrowUp: () => this.pan(0, PAN_STEP),
      ArrowDown: () => this.pan(0, -PAN_STEP),
      PageUp: () => this.step(-1),
      PageDown: () => this.step(1),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      0: () => this.fit(),
      1: () => this.setPlane("xy"),
      2: () => this.setPlane("xz"),
      3: () => this.setPlane("yz"),
      Escape: () => (location.hash = ""),
    };
    actions[key]?.();
    return key in actions;
  }

  /** Set the pointer position in pixels; without one, the pointer is not over the canvas. */
  point(x, y) {
    this.pointed = x === undefined ? undefined : [x, y];
    this.showPointer();
  }

  /** Show only the segment at a position in pixels, or all segments if only one is shown. */
  pick(x, y) {
    if (this.volume) this.overlay.pick(x, y);
  }

  keepInside() {
    const [low, high] = extentNm(this.volume.scales[0]);
    this.view.at = this.view.at.map((nm, axis) => Math.min(Math.max(nm, low[axis]), high[axis] - 1e-6));
  }

  size() {
    return [this.canvas.clientWidth || 1, this.canvas.clientHeight || 1];
  }

  levelShown() {
    const { scales } = this.volume;
    return this.level === "auto" ? levelFor(scales, this.plane, this.view.nmPerPixel) : this.level;
  }

  scale() {
    return this.volume.scales[this.levelShown()];
  }

  redraw() {
    if (this.volume && !this.drawing) this.drawing = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.drawing = undefined;
    if (!this.volume) return;
    const { view, plane } = this;
    const image = this.layer.draw(view, plane, this.size(), this.level, this.overlay.segment);
    const labels = this.overlay.draw(view, plane, this.size());
    const dots = this.annotations.draw(view, plane, this.size());
    const coming = this.tiles.want([...image.requests, ...labels.requests, ...dots.requests]);
    this.showState(coming, new Set([...image.errors, ...labels.errors, ...dots.errors]));
  }

  showState(coming, errors) {
    const [first] = this.volume.scales;
    const axis = PLANES[this.plane][2];
    const voxel = this.view.at.map((nm, each) => sliceAt(first, each, nm));
    const slider = byId("slice");
    for (const input of [slider, byId("slice-number")]) {
      input.min = first.min_point[axis];
      input.max = first.min_point[axis] + first.size[axis] - 1;
      if (document.activeElement !== input || input === slider) input.value = voxel[axis];
    }
    slider.setAttribute("aria-label", `Slice along ${AXES[axis]}`);
    byId("slice-axis").textContent = AXES[axis];
    byId("scale").value = String(this.level);
    byId("scale").title = `Showing ${nameOf(this.volume, this.scale())}`;
    document.querySelector(`input[name="plane"][value="${this.plane}"]`).checked = true;
    const message = byId("message");
    message.hidden = !errors.size;
    message.textContent = [...errors].slice(0, 2).join("\n");
    this.canvas.dataset.state = coming ? "loading" : errors.size ? "failed" : "ready";
    this.canvas.dataset.instance = nameOf(this.volume, this.scale());
    this.canvas.dataset.slice = String(sliceAt(this.scale(), axis, this.view.at[axis]));
    this.showPointer();
    this.showLength();
    const query = new URLSearchParams({ plane: this.plane, at: voxel.join(","), nm: this.view.nmPerPixel.toPrecision(4) });
    if (this.level !== "auto") query.set("scale", nameOf(this.volume, this.scale()));
    this.overlay.describe(query);
    this.annotations.describe(query);
    this.onMove(`${encodeURIComponent(this.volume.instance)}?${query.toString().replaceAll("%2C", ",")}`);
  }

  showLength() {
    const nm = roundLength(this.view.nmPerPixel);
    const bar = byId("length");
    bar.style.width = `${nm / this.view.nmPerPixel}px`;
    bar.textContent = nm >= 1e6 ? `${nm / 1e6} mm` : nm >= 1000 ? `${nm / 1000} µm` : `${Number(nm.toPrecision(2))} nm`;
  }

  showPointer() {
    if (!this.volume) return;
    const output = byId("pointer");
    const [first] = this.volume.scales;
    const [u, v] = PLANES[this.plane];
    const nm = [...this.view.at];
    if (this.pointed) {
      const [width, height] = this.size();
      nm[u] += (this.pointed[0] - width / 2) * this.view.nmPerPixel;
      nm[v] += (this.pointed[1] - height / 2) * this.view.nmPerPixel;
    }
    const voxel = nm.map((each, axis) => Math.floor(each / first.resolution_nm[axis]));
    output.textContent = AXES.map((name, axis) => `${name} ${voxel[axis]}`).join("  ");
    this.overlay.point(this.pointed);
    this.annotations.point(this.pointed);
  }
}
