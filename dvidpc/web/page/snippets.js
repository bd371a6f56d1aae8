// For each client, how to connect to a volume: a label, an instruction, and text to copy.

import { holdsLabels, shownTogether } from "./volumes.js";

/** Return the base URL of this server, without a trailing slash. */
export function serverUrl() {
  return new URL(".", document.baseURI).href.replace(/\/$/, "");
}

/** Return the neuroglancer state that shows a volume and those that are shown together with it. */
export function neuroglancerState(overview, volume) {
  const [first] = volume.scales;
  const middle = first.min_point.map((low, axis) => low + first.size[axis] / 2);
  const names = ["x", "y", "z"];
  return {
    dimensions: Object.fromEntries(names.map((name, axis) => [name, [first.resolution_nm[axis] * 1e-9, "m"]])),
    position: middle,
    layers: shownTogether(overview, volume).map((shown) => ({
      type: holdsLabels(shown) ? "segmentation" : "image",
      source: dvidSource(overview, shown),
      name: shown.instance,
    })),
    layout: "4panel",
  };
}

export function dvidSource(overview, volume) {
  return `dvid://${serverUrl()}/${overview.uuid}/${volume.instance}`;
}

export function snippetsOf(overview, volume) {
  const url = serverUrl();
  const { hostname, port, protocol, host } = new URL(url);
  const path = new URL(url).pathname.replace(/\/$/, "");
  const { uuid } = overview;
  const name = volume.instance;
  const [first] = volume.scales;
  const size = first.size.map((length) => Math.min(length, 64));
  const [x, y, z] = first.min_point;
  const middle = first.min_point.map((low, axis) => low + Math.floor(first.size[axis] / 2));
  const block = middle.map((voxel) => Math.floor(voxel / first.block_size));
  const box = first.min_point.map((low, axis) => low + size[axis]);
  const data = `${url}/api/node/${uuid}/${name}`;
  const server = path ? `${host}${path}` : host;
  const isLabels = holdsLabels(volume);
  const fetcher = isLabels ? "fetch_labelmap_voxels" : "fetch_raw";
  return [
    {
      label: "NeuTu",
      text: "Enter these in the dialog for DVID servers. NeuTu finds the other scales itself.",
      fields: [
        ["Host", protocol === "https:" ? `https://${hostname}${path}` : `${hostname}${path}`],
        ["Port", port || (protocol === "https:" ? "443" : "80")],
        ["UUID", uuid],
        [isLabels ? "Segmentation" : "Grayscale", name],
      ],
    },
    {
      label: "neuroglancer",
      text: "Enter this as the source of a new layer, in any neuroglancer that can reach this server.",
      code: dvidSource(overview, volume),
    },
    {
      label: "libdvid",
      text: "Read a box of voxels as a numpy array, in z, y, x order.",
      code: [
        "from libdvid import DVIDNodeService",
        "",
        `node = DVIDNodeService("${server}", "${uuid}", "me@example.org", "libdvid")`,
        `voxels = node.${isLabels ? "get_labels3D" : "get_gray3D"}("${name}", (${[...size].reverse().join(", ")}), (${z}, ${y}, ${x}))`,
      ].join("\n"),
    },
    {
      label: "neuclease",
      text: "Read a box of voxels as a numpy array, in z, y, x order.",
      code: [
        `from neuclease.dvid import ${fetcher}`,
        "",
        `voxels = ${fetcher}("${server}", "${uuid}", "${name}",`,
        `${" ".repeat(fetcher.length + 10)}[(${z}, ${y}, ${x}), (${[...box].reverse().join(", ")})])`,
      ].join("\n"),
    },
    {
      label: "curl",
      text: isLabels
        ? "Fetch the volume's metadata, a slice with a color for each segment, and the segment of a voxel."
        : "Fetch the volume's metadata, a slice as an image, and a block as DVID clients read it.",
      code: [
        `curl -s '${data}/info'`,
        `curl -s '${data}/${isLabels ? "pseudocolor" : "raw"}/xy/${size[0]}_${size[1]}/${x}_${y}_${z}/png' -o slice.png`,
        isLabels
          ? `curl -s '${data}/label/${middle.join("_")}'`
          : `curl -s '${data}/specificblocks?blocks=${block.join(",")}' -o blocks.bin`,
      ].join("\n"),
    },
  ];
}

export function collectionSnippets(overview, { instance, counts, sync, bounds }) {
  const url = serverUrl();
  const { host } = new URL(url);
  const server = `${host}${new URL(url).pathname.replace(/\/$/, "")}`;
  const { uuid } = overview;
  const data = `${url}/api/node/${uuid}/${instance}`;
  const [low, high] = bounds ?? [[0, 0, 0], [512, 512, 512]];
  const corner = low.map((first, axis) => first + Math.floor(Math.max(0, high[axis] - first - 256) / 2));
  const lines = [`curl -s '${data}/elements/256_256_256/${corner.join("_")}'`];
  if (counts) lines.push(`curl -s '${data}/label/1?relationships=true'`, `curl -s '${url}/api/node/${uuid}/${counts}/count/1/PreSyn'`);
  const [x, y, z] = corner;
  return [
    { label: "NeuTu", text: "Enter this in the dialog for DVID servers, beside grayscale and segmentation.", fields: [["Synapse", instance]] },
    {
      label: "neuclease",
      text: "Read the elements of a box, in z, y, x order.",
      code: [
        "from neuclease.dvid import fetch_elements",
        "",
        `elements = fetch_elements("${server}", "${uuid}", "${instance}",`,
        `                          [(${z}, ${y}, ${x}), (${z + 256}, ${y + 256}, ${x + 256})])`,
      ].join("\n"),
    },
    ...(counts && sync
      ? [
          {
            label: "dvidtools",
            text: "Read the synapses of a segment, and its connections.",
            code: [
              "import dvid",
              "",
              `dvid.setup(server="${url}", node="${uuid}", user="me")`,
              `dvid.config.synapses, dvid.config.segmentation = "${instance}", "${sync}"`,
              "synapses = dvid.get_synapses(1)",
              "partners = dvid.get_connectivity(1)",
            ].join("\n"),
          },
        ]
      : []),
    { label: "curl", text: counts ? "Fetch the elements of a box and of a segment, and how many the segment has." : "Fetch the elements of a box.", code: lines.join("\n") },
  ];
}
