// Draw one volume, an image or labels, on a canvas of its own.

import { PLANES, extentNm, levelFor, placeOf, tilesIn } from "./geometry.js";
import { LabelTile } from "./labels.js";
import { requestOf } from "./tiles.js";
import { holdsLabels } from "./volumes.js";

const STALE_ALPHA = 0.45;

export class Layer {
  constructor(canvas, tiles) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.tiles = tiles;
    this.stale = new Map();
    this.visible = [];
  }

  /** Show a volume, or nothing if it is undefined. */
  show(api, volume) {
    if (this.volume !== volume) this.stale.clear();
    this.api = api;
    this.volume = volume;
  }

  /** Draw what is loaded; return the requests of all visible tiles, and the errors. */
  draw(view, plane, [width, height], chosenLevel, segment) {
    const ratio = window.devicePixelRatio || 1;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) [this.canvas.width, this.canvas.height] = pixels;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.visible = [];
    this.scale = undefined;
    if (!this.volume || !this.covers(view.at, PLANES[plane][2])) return { requests: [], errors: [] };
    const { scales } = this.volume;
    this.scale = scales[chosenLevel === "auto" ? levelFor(scales, plane, view.nmPerPixel) : chosenLevel];
    const drawn = { view, plane, width, height, segment };
    for (const scale of [...scales].reverse()) if (scale !== this.scale) this.drawScale(scale, drawn);
    this.visible = this.drawScale(this.scale, drawn);
    const errors = this.visible.map(({ loaded }) => loaded).filter((loaded) => loaded instanceof Error);
    return { requests: this.visible.map(({ request }) => request), errors: errors.map(({ message }) => message) };
  }

  /** Return whether the volume has a slice at a position. */
  covers(at, axis) {
    const [low, high] = extentNm(this.volume.scales[0]);
    return low[axis] <= at[axis] && at[axis] < high[axis];
  }

  /** Draw the loaded tiles of a scale; return all that are visible. */
  drawScale(scale, { view, plane, width, height, segment }) {
    const isShown = scale === this.scale;
    const voxel = Math.min(...PLANES[plane].slice(0, 2).map((axis) => scale.resolution_nm[axis]));
    this.context.imageSmoothingEnabled = !holdsLabels(this.volume) && voxel < 2 * view.nmPerPixel;
    return tilesIn(scale, plane, view, width, height).map((tile) => {
      const request = requestOf(this.api, this.volume, scale, plane, tile);
      const loaded = this.tiles.peek(request.url);
      const where = placeOf(tile, scale, plane, view, width, height);
      const key = `${this.volume.scales.indexOf(scale)}/${tile.place}`;
      const stale = this.stale.get(key);
      if (loaded instanceof Error) {
        if (isShown) this.drawFailure(where);
      } else if (loaded) {
        this.stale.set(key, loaded);
        this.drawTile(loaded, where, 1, segment);
      } else if (isShown && stale) {
        this.drawTile(stale, where, STALE_ALPHA, segment);
      }
      return { tile, request, loaded, where };
    });
  }

  drawTile(tile, [left, top, width, height], alpha, segment) {
    const picture = tile instanceof LabelTile ? tile.picture(segment) : tile;
    if (!picture.width) return; // it has been evicted
    this.context.globalAlpha = alpha;
    const [right, bottom] = [Math.round(left + width), Math.round(top + height)];
    left = Math.round(left);
    top = Math.round(top);
    this.context.clearRect(left, top, right - left, bottom - top);
    this.context.drawImage(picture, left, top, right - left, bottom - top);
    this.context.globalAlpha = 1;
  }

  drawFailure([left, top, width, height]) {
    this.context.fillStyle = "#4a1512";
    this.context.fillRect(left, top, width, height);
    this.context.strokeStyle = "#c0493d";
    this.context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
  }

  /** Return the label under a pixel of the canvas; undefined if none is loaded there. */
  labelAt(x, y) {
    for (const { tile, loaded, where } of this.visible) {
      const [left, top, width, height] = where;
      const [column, row] = [((x - left) / width) * tile.size[0], ((y - top) / height) * tile.size[1]].map(Math.floor);
      if (column < 0 || row < 0 || column >= tile.size[0] || row >= tile.size[1]) continue;
      return loaded instanceof LabelTile ? loaded.labelAt(column, row) : undefined;
    }
    return undefined;
  }
}
