// For each client, how to connect to a volume: a label, an instruction, and text to copy.

/** Return the base URL of this server, without a trailing slash. */
export function serverUrl() {
  return new URL(".", document.baseURI).href.replace(/\/$/, "");
}

/** Return the neuroglancer state that shows a volume. */
export function neuroglancerState(overview, volume, source) {
  const [first] = volume.scales;
  const middle = first.min_point.map((low, axis) => low + first.size[axis] / 2);
  const names = ["x", "y", "z"];
  return {
    dimensions: Object.fromEntries(names.map((name, axis) => [name, [first.resolution_nm[axis] * 1e-9, "m"]])),
    position: middle,
    layers: [{ type: "image", source: source ?? dvidSource(overview, volume), name: volume.instance }],
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
  const block = first.min_point.map((low, axis) => Math.floor((low + first.size[axis] / 2) / first.block_size));
  const box = first.min_point.map((low, axis) => low + size[axis]);
  const server = path ? `${host}${path}` : host;
  return [
    {
      label: "NeuTu",
      text: "Enter these in the dialog for DVID servers. NeuTu finds the other scales itself.",
      fields: [
        ["Host", protocol === "https:" ? `https://${hostname}${path}` : `${hostname}${path}`],
        ["Port", port || (protocol === "https:" ? "443" : "80")],
        ["UUID", uuid],
        ["Grayscale", name],
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
        `voxels = node.get_gray3D("${name}", (${[...size].reverse().join(", ")}), (${z}, ${y}, ${x}))`,
      ].join("\n"),
    },
    {
      label: "neuclease",
      text: "Read a box of voxels as a numpy array, in z, y, x order.",
      code: [
        "from neuclease.dvid import fetch_raw",
        "",
        `voxels = fetch_raw("${server}", "${uuid}", "${name}",`,
        `                   [(${z}, ${y}, ${x}), (${[...box].reverse().join(", ")})])`,
      ].join("\n"),
    },
    {
      label: "curl",
      text: "Fetch the volume's metadata, a slice as an image, and a block as DVID clients read it.",
      code: [
        `curl -s '${url}/api/node/${uuid}/${name}/info'`,
        `curl -s '${url}/api/node/${uuid}/${name}/raw/xy/${size[0]}_${size[1]}/${x}_${y}_${z}/png' -o slice.png`,
        `curl -s '${url}/api/node/${uuid}/${name}/specificblocks?blocks=${block.join(",")}' -o blocks.bin`,
      ].join("\n"),
    },
  ];
}
