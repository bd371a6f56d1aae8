// Facts about volumes: which hold labels, which lie in the same place, and the URLs of their slices.

import { PLANES, extentNm } from "./geometry.js";

const LABELS = ["labelmap", "labelblk"];

export function holdsLabels(volume) {
  return LABELS.includes(volume.type);
}

/** Return the number that selects a scale in the query: a labelmap is one instance with all its scales. */
function scaleNumber(volume, scale) {
  return volume.type === "labelmap" ? volume.scales.indexOf(scale) : 0;
}

/** Return the name of a scale, as DVID addresses it. */
export function nameOf(volume, scale) {
  const number = scaleNumber(volume, scale);
  return number ? `${scale.name}?scale=${number}` : scale.name;
}

/** Return the label volumes that overlap with a volume, one for each store. */
export function labelsOver(overview, volume) {
  const found = new Map();
  for (const other of overview.volumes)
    if (other !== volume && holdsLabels(other) && overlap(volume, other) && !found.has(other.store))
      found.set(other.store, other);
  return [...found.values()];
}

/** Return the collections of annotations that are drawn over a volume: those whose positions have a size. */
export function collectionsOver(overview, volume) {
  return overview.collections.filter((collection) => collection.voxel_size_nm && isOver(collection, volume));
}

/** Return whether a collection's bounds touch a volume; one without bounds may lie anywhere. */
function isOver({ bounds, voxel_size_nm: nm }, volume) {
  if (!volume.scales.length) return false;
  if (!bounds) return true;
  const [low, high] = extentNm(volume.scales[0]);
  return low.every((start, axis) => start < bounds[1][axis] * nm[axis] && bounds[0][axis] * nm[axis] < high[axis]);
}

/** Return the volume on which a collection is shown first: an image, else labels; undefined if there is none. */
export function volumeBelow(overview, collection) {
  const below = overview.volumes.filter((volume) => collectionsOver(overview, volume).includes(collection));
  return below.find((volume) => !holdsLabels(volume)) ?? below[0];
}

/** Return the volumes that are shown together with a volume, itself included: an image, then its labels. */
export function shownTogether(overview, volume) {
  if (!holdsLabels(volume)) return [volume, ...labelsOver(overview, volume)];
  const image = overview.volumes.find((other) => !holdsLabels(other) && overlap(volume, other));
  return image ? [image, volume] : [volume];
}

function overlap(one, other) {
  if (!one.scales.length || !other.scales.length) return false;
  const [[low, high], [otherLow, otherHigh]] = [one, other].map((volume) => extentNm(volume.scales[0]));
  return low.every((start, axis) => start < otherHigh[axis] && otherLow[axis] < high[axis]);
}

/** Return the URL of a tile: gzip of 64-bit labels, JPEG of 8-bit grayscale, or PNG of everything else. */
export function urlOf(api, volume, scale, plane, tile) {
  const path = `${api}/${encodeURIComponent(scale.name)}/raw`;
  if (!holdsLabels(volume)) {
    const format = volume.type === "uint8blk" ? "jpg:90" : "png";
    return `${path}/${plane}/${tile.size.join("_")}/${tile.offset.join("_")}/${format}?app=dvidpc-page`;
  }
  const size = [1, 1, 1];
  PLANES[plane].slice(0, 2).forEach((axis, each) => (size[axis] = tile.size[each]));
  const query = `compression=gzip&scale=${scaleNumber(volume, scale)}&app=dvidpc-page`;
  return `${path}/0_1_2/${size.join("_")}/${tile.offset.join("_")}?${query}`;
}
