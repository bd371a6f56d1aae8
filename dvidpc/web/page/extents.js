// How large a segment is and where it lies, for volumes with a label index.

const AXES = ["x", "y", "z"];

/** Return a sentence about a segment; undefined if the volume has no label index that can be used. */
export async function extentOfSegment(api, volume, segment) {
  if (!volume.index) return undefined;
  if (volume.index.problem) return `segment ${segment}: ${volume.index.problem}`;
  const response = await fetch(`${api}/${encodeURIComponent(volume.instance)}/sparsevol-size/${segment}?app=dvidpc-page`);
  if (response.status === 404) return `segment ${segment} is not in this volume`;
  if (!response.ok) return `segment ${segment}: ${(await response.text()).trim()}`;
  const { voxels, numblocks, minvoxel, maxvoxel } = await response.json();
  const box = AXES.map((axis, each) => `${axis} ${minvoxel[each]} to ${maxvoxel[each]}`).join(", ");
  const blocks = numblocks === 1 ? "1 block" : `${numblocks.toLocaleString("en")} blocks`;
  return `segment ${segment}: ${voxels.toLocaleString("en")} voxels in ${blocks} of ${volume.instance}, ${box}`;
}
