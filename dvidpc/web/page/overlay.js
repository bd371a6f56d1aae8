// The labels in the viewer: those drawn over an image, or the volume itself. Also the tools that belong to them.

import { byId, element } from "./elements.js";
import { extentOfSegment } from "./extents.js";
import { parseLabel } from "./labels.js";
import { Layer } from "./layer.js";
import { holdsLabels, labelsOver, nameOf } from "./volumes.js";

const DEFAULT_OPACITY = 40;

export class Overlay {
  /** Draw over `below`, the layer of the volume itself. Call `onChange()` when a tool changes what is shown. */
  constructor(tiles, below, onChange) {
    this.layer = new Layer(byId("overlay"), tiles);
    this.below = below;
    this.onChange = onChange;
    byId("overlay-name").addEventListener("change", ({ target }) => this.choose(target.value));
    byId("opacity").addEventListener("input", ({ target }) => this.fade(Number(target.value)));
    byId("segment").addEventListener("change", ({ target }) => this.isolate(parseLabel(target.value.trim())));
  }

  /** Show the labels and settings in `query`; without them, the first labels that overlap with the volume. */
  show(overview, api, volume, query) {
    this.api = api;
    this.isOwn = holdsLabels(volume);
    this.own = volume;
    this.choices = this.isOwn ? [] : labelsOver(overview, volume);
    byId("overlay-name").replaceChildren(
      element("option", { value: "" }, "none"),
      ...this.choices.map(({ instance }) => element("option", { value: instance }, instance)),
    );
    for (const id of ["label-tools", "click-hint"]) byId(id).hidden = !this.isOwn && !this.choices.length;
    byId("overlay-tools").hidden = this.isOwn;
    this.segment = parseLabel(query.get("segment") ?? "");
    this.choose(query.get("overlay") ?? this.choices[0]?.instance ?? "");
    const opacity = Number(query.get("opacity") ?? DEFAULT_OPACITY);
    this.fade(opacity >= 0 && opacity <= 100 ? opacity : DEFAULT_OPACITY);
    this.isolate(this.segment);
  }

  choose(instance) {
    this.volume = this.choices.find((choice) => choice.instance === instance);
    this.layer.show(this.api, this.volume);
    byId("overlay-name").value = this.volume?.instance ?? "";
    this.showExtent();
    this.onChange();
  }

  fade(percent) {
    this.opacity = percent;
    byId("opacity").value = String(percent);
    this.layer.canvas.style.opacity = String(percent / 100);
    this.onChange();
  }

  /** Show only this segment; all segments if it is undefined. */
  isolate(segment) {
    this.segment = segment;
    byId("segment").value = segment === undefined ? "" : String(segment);
    this.showExtent();
    this.onChange();
  }

  /** Show how large the isolated segment is and where it lies. */
  async showExtent() {
    const { segment } = this;
    const place = byId("extent");
    place.hidden = true;
    const volume = this.isOwn ? this.own : this.volume;
    if (segment === undefined || !volume) return;
    const text = await extentOfSegment(this.api, volume, segment).catch((error) => error.message);
    if (text === undefined || segment !== this.segment) return; // another was chosen in the meantime
    place.textContent = text;
    place.hidden = false;
  }

  pick(x, y) {
    if (this.segment !== undefined) return this.isolate(undefined);
    const label = this.labelAt(x, y);
    if (label) this.isolate(label);
  }

  draw(view, plane, size) {
    const drawn = this.layer.draw(view, plane, size, "auto", this.segment);
    const { dataset } = this.layer.canvas;
    dataset.instance = this.layer.scale ? nameOf(this.volume, this.layer.scale) : "";
    dataset.segment = this.segment === undefined ? "" : String(this.segment);
    return drawn;
  }

  labelAt(x, y) {
    return (this.isOwn ? this.below : this.layer).labelAt(x, y);
  }

  /** Show the segment under the pointer; `pointed` is undefined if the pointer is elsewhere. */
  point(pointed) {
    const label = pointed && this.labelAt(...pointed);
    byId("pointed-segment").hidden = !this.isOwn && !this.volume;
    byId("pointed-segment").textContent = label === undefined ? "" : `segment ${label}`;
  }

  /** Add what differs from the defaults to the query of a link. */
  describe(query) {
    if (this.volume !== this.choices[0]) query.set("overlay", this.volume?.instance ?? "");
    if (this.volume && this.opacity !== DEFAULT_OPACITY) query.set("opacity", String(this.opacity));
    if (this.segment !== undefined) query.set("segment", String(this.segment));
  }
}
