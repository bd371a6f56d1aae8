// What each client is told to read a volume: label, a word to people, and what there is to copy.

/** The address of this server as other programs need it, without a slash at its end. */
export function serverUrl() {
  return new URL(".", document.baseURI).href.replace(/\/$/, "");
}

/** The state that opens a volume in neuroglancer. */
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
      text: "In its dialog for DVID servers; the other scales are found by themselves.",
      fields: [
        ["Host", protocol === "https:" ? `https://${hostname}${path}` : `${hostname}${path}`],
        ["Port", port || (protocol === "https:" ? "443" : "80")],
        ["UUID", uuid],
        ["Grayscale", name],
      ],
    },
    {
      label: "neuroglancer",
      text: "As the source of a new layer, in any neuroglancer that may reach this server.",
      code: dvidSource(overview, volume),
    },
    {
      label: "libdvid",
      text: "A box of voxels, as a numpy array in the order z, y, x.",
      code: [
        "from libdvid import DVIDNodeService",
        "",
        `node = DVIDNodeService("${server}", "${uuid}", "me@example.org", "libdvid")`,
        `voxels = node.get_gray3D("${name}", (${[...size].reverse().join(", ")}), (${z}, ${y}, ${x}))`,
      ].join("\n"),
    },
    {
      label: "neuclease",
      text: "A box of voxels, as a numpy array in the order z, y, x.",
      code: [
        "from neuclease.dvid import fetch_raw",
        "",
        `voxels = fetch_raw("${server}", "${uuid}", "${name}",`,
        `                   [(${z}, ${y}, ${x}), (${[...box].reverse().join(", ")})])`,
      ].join("\n"),
    },
    {
      label: "curl",
      text: "What the volume is, a slice as an image, and a block as DVID clients read it.",
      code: [
        `curl -s '${url}/api/node/${uuid}/${name}/info'`,
        `curl -s '${url}/api/node/${uuid}/${name}/raw/xy/${size[0]}_${size[1]}/${x}_${y}_${z}/png' -o slice.png`,
        `curl -s '${url}/api/node/${uuid}/${name}/specificblocks?blocks=${block.join(",")}' -o blocks.bin`,
      ].join("\n"),
    },
  ];
}
