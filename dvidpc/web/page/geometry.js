// Map voxels of a slice to the screen. Positions are in nanometers, along x, y and z.

export const PLANES = { xy: [0, 1, 2], xz: [0, 2, 1], yz: [1, 2, 0] };
export const TILE = 256;

/** Return the extent of a scale in voxels, half-open: [[x, y, z], [x, y, z]]. */
export function extentOf(scale) {
  return [scale.min_point, scale.min_point.map((first, axis) => first + scale.size[axis])];
}

/** Return the extent of a scale in nanometers. */
export function extentNm(scale) {
  return extentOf(scale).map((corner) => corner.map((voxel, axis) => voxel * scale.resolution_nm[axis]));
}

/** Return the center of a volume, and the nanometers per pixel at which the plane fits the window. */
export function fit(scales, plane, width, height) {
  const [low, high] = extentNm(scales[0]);
  const [u, v] = PLANES[plane];
  const nmPerPixel = Math.max((high[u] - low[u]) / width, (high[v] - low[v]) / height) * 1.04;
  return { at: low.map((start, axis) => (start + high[axis]) / 2), nmPerPixel };
}

/** Return the index of the coarsest scale that has at least one voxel per pixel. */
export function levelFor(scales, plane, nmPerPixel) {
  const [u, v] = PLANES[plane];
  let best = 0;
  scales.forEach((scale, index) => {
    if (Math.min(scale.resolution_nm[u], scale.resolution_nm[v]) <= nmPerPixel * 1.01) best = index;
  });
  return best;
}

/** Return the slice of a scale at a position, clamped to the volume. */
export function sliceAt(scale, axis, nm) {
  const [low, high] = extentOf(scale);
  return Math.min(Math.max(Math.floor(nm / scale.resolution_nm[axis]), low[axis]), high[axis] - 1);
}

/** Return the tiles of a slice that are visible, nearest to the center first, clipped to the volume. */
export function tilesIn(scale, plane, view, width, height) {
  const [u, v, w] = PLANES[plane];
  const [low, high] = extentOf(scale);
  const range = (axis, pixels) => {
    const half = (pixels / 2) * view.nmPerPixel;
    const first = Math.max(Math.floor((view.at[axis] - half) / scale.resolution_nm[axis]), low[axis]);
    const stop = Math.min(Math.ceil((view.at[axis] + half) / scale.resolution_nm[axis]), high[axis]);
    return [Math.floor(first / TILE), Math.ceil(stop / TILE)];
  };
  const slice = sliceAt(scale, w, view.at[w]);
  const middle = [u, v].map((axis) => view.at[axis] / scale.resolution_nm[axis] / TILE - 0.5);
  const found = [];
  const [firstU, stopU] = range(u, width);
  const [firstV, stopV] = range(v, height);
  for (let j = firstV; j < stopV; j++) {
    for (let i = firstU; i < stopU; i++) {
      const start = [Math.max(i * TILE, low[u]), Math.max(j * TILE, low[v])];
      const stop = [Math.min((i + 1) * TILE, high[u]), Math.min((j + 1) * TILE, high[v])];
      const size = [stop[0] - start[0], stop[1] - start[1]];
      if (size[0] <= 0 || size[1] <= 0) continue;
      const offset = [0, 0, 0];
      offset[u] = start[0];
      offset[v] = start[1];
      offset[w] = slice;
      const place = `${plane}/${i}_${j}`;
      found.push({ place, slice, start, size, offset, far: Math.hypot(i - middle[0], j - middle[1]) });
    }
  }
  return found.sort((a, b) => a.far - b.far);
}

/** Return a round length in nanometers for a scale bar of about 100 pixels. */
export function roundLength(nmPerPixel) {
  const wanted = 120 * nmPerPixel;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * [5, 2, 1].find((digit) => digit * power <= wanted);
}

/** Return the rectangle of a tile in the window: [left, top, width, height]. */
export function placeOf(tile, scale, plane, view, width, height) {
  const [u, v] = PLANES[plane];
  const edge = (voxel, axis, pixels) =>
    (voxel * scale.resolution_nm[axis] - view.at[axis]) / view.nmPerPixel + pixels / 2;
  const left = edge(tile.start[0], u, width);
  const top = edge(tile.start[1], v, height);
  return [
    left,
    top,
    edge(tile.start[0] + tile.size[0], u, width) - left,
    edge(tile.start[1] + tile.size[1], v, height) - top,
  ];
}
