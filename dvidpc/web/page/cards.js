// One card per volume: a preview, its properties, and how to connect clients.

import { copyButton, element } from "./elements.js";
import { extentOf } from "./geometry.js";
import { LabelTile } from "./labels.js";
import { dvidSource, neuroglancerState, snippetsOf } from "./snippets.js";
import { requestOf } from "./tiles.js";
import { nameOf } from "./volumes.js";

const PREVIEW = 400;
const times = (numbers) => numbers.map((number) => Number(number.toPrecision(6)).toLocaleString("en")).join(" × ");

export function volumeCard(overview, volume) {
  if (!volume.scales.length) return brokenCard(volume);
  const [first] = volume.scales;
  return element(
    "article",
    { class: "volume", "aria-label": volume.instance },
    preview(overview, volume),
    element(
      "div",
      { class: "facts" },
      element("header", {}, element("h2", {}, volume.instance), pillOf(volume.problem)),
      element("p", { class: "where mono" }, volume.url),
      volume.problem && element("p", { class: "failure" }, volume.problem),
      element(
        "p",
        {},
        `${times(first.size)} voxels of ${times(first.resolution_nm)} nm, ${volume.type}, `,
        `${volume.scales.length} ${volume.scales.length === 1 ? "scale" : "scales"}`,
      ),
      labelIndex(volume),
      scaleTable(volume),
      companions(overview, volume),
      actions(overview, volume),
      ...tabsOf(volume.instance, snippetsOf(overview, volume)),
    ),
  );
}

function brokenCard(volume) {
  return element(
    "article",
    { class: "volume broken", "aria-label": volume.instance },
    element(
      "div",
      { class: "facts" },
      element("header", {}, element("h2", {}, volume.instance), pillOf(volume.problem)),
      element("p", { class: "where mono" }, volume.url ?? `store ${volume.store}`),
      element("p", { class: "failure" }, volume.problem ?? "not served"),
    ),
  );
}

export function pillOf(problem) {
  return element("span", { class: `pill ${problem ? "bad" : "good"}` }, problem ? "not readable" : "readable");
}

function preview(overview, volume) {
  const canvas = element("canvas", { width: PREVIEW, height: PREVIEW });
  draw(canvas, overview, volume).catch(() => {});
  return element(
    "a",
    { class: "preview", href: `#${encodeURIComponent(volume.instance)}`, "aria-label": `View ${volume.instance}` },
    canvas,
  );
}

/** Draw the center of the middle slice, at the coarsest scale that still fills half the preview. */
async function draw(canvas, overview, volume) {
  const large = volume.scales.filter((scale) => Math.min(scale.size[0], scale.size[1]) >= PREVIEW / 2);
  const scale = large.at(-1) ?? volume.scales[0];
  const [low, high] = extentOf(scale);
  const side = [0, 1].map((axis) => Math.min(PREVIEW, scale.size[axis]));
  const offset = low.map((start, axis) => Math.floor((start + high[axis] - (side[axis] ?? 0)) / 2));
  const tile = await requestOf(`api/node/${overview.uuid}`, volume, scale, "xy", { size: side, offset }).load();
  const picture = tile instanceof LabelTile ? tile.picture() : tile;
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  canvas.classList.add("shown");
}

function scaleTable(volume) {
  const head = ["Instance", "Size (voxels)", "Resolution (nm)", "Stored as", "Served"];
  const rows = volume.scales.map((scale) =>
    element(
      "tr",
      {},
      element("td", { class: "mono" }, nameOf(volume, scale)),
      element("td", { class: "number" }, times(scale.size)),
      element("td", { class: "number" }, times(scale.resolution_nm)),
      element("td", {}, scale.stored.replaceAll(" x ", " × ")),
      element("td", {}, scale.served.replaceAll(" x ", " × ")),
    ),
  );
  return element(
    "div",
    { class: "scales", tabindex: "0", role: "region", "aria-label": "Scales" },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows),
    ),
  );
}

/** Return what is known of the label index of a segmentation; undefined if it has none. */
function labelIndex({ index }) {
  if (!index) return undefined;
  if (index.problem) return element("p", { class: "failure" }, index.problem);
  return element("p", {}, `Label index: ${index.labels.toLocaleString("en")} labels`);
}

/** Return links to the meshes, skeletons and annotations of a segmentation; undefined if there are none. */
function companions(overview, volume) {
  if (!volume.companions.length) return undefined;
  const links = volume.companions.map(({ name, type }) =>
    element("li", {}, element("a", { class: "mono", href: `api/node/${overview.uuid}/${encodeURIComponent(name)}/help` }, name), ` (${type})`),
  );
  return element("ul", { class: "companions", "aria-label": "Beside it" }, ...links);
}

/** Return the link that opens a volume in the bundled neuroglancer; undefined if it is not installed. */
export function neuroglancerLink(overview, volume) {
  if (!overview.neuroglancer) return undefined;
  return `neuroglancer/#!${encodeURIComponent(JSON.stringify(neuroglancerState(overview, volume)))}`;
}

function actions(overview, volume) {
  const view = element(
    "a",
    { class: "button main", href: `#${encodeURIComponent(volume.instance)}` },
    "View slices",
  );
  const link = neuroglancerLink(overview, volume);
  if (link) {
    const open = element("a", { class: "button", href: link, target: "_blank", rel: "noopener" }, "Open in Neuroglancer");
    return element("div", { class: "actions" }, view, open);
  }
  const how = element("code", {}, "pip install 'dvidpc[viewer]'");
  return element(
    "div",
    {},
    element("div", { class: "actions" }, view),
    element("p", { class: "aside" }, "To open volumes in Neuroglancer from this page, run ", how, " on the server and restart it. Any other Neuroglancer can use ", element("code", {}, dvidSource(overview, volume))),
  );
}

/** Return tabs with the snippets for clients, and the panel that shows the chosen one. */
export function tabsOf(name, snippets) {
  const panel = element("div", { class: "snippet", role: "tabpanel" });
  const tabs = snippets.map((snippet) =>
    element("button", { type: "button", role: "tab", onclick: () => choose(snippet) }, snippet.label),
  );
  const choose = (chosen) => {
    snippets.forEach((snippet, index) => {
      tabs[index].setAttribute("aria-selected", String(snippet === chosen));
      tabs[index].tabIndex = snippet === chosen ? 0 : -1;
    });
    panel.replaceChildren(element("p", {}, chosen.text), contentOf(chosen));
  };
  const list = element("div", { class: "tabs", role: "tablist", "aria-label": `Clients for ${name}` }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    choose(snippets[next]);
    tabs[next].focus();
  });
  choose(snippets[0]);
  return [list, panel];
}

function contentOf(snippet) {
  if (snippet.code) {
    const code = element("pre", {}, snippet.code);
    return element("div", { class: "copied" }, code, copyButton(snippet.code, `for ${snippet.label}`));
  }
  const rows = snippet.fields.map(([name, value]) =>
    element("div", { class: "copied" }, element("dt", {}, name), element("dd", { class: "mono" }, value), copyButton(value, name)),
  );
  return element("dl", {}, ...rows);
}
