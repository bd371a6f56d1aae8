// One card per collection of annotations: what it holds, what was decided about it, and how to read it.

import { pillOf, tabsOf } from "./cards.js";
import { element } from "./elements.js";
import { collectionSnippets } from "./snippets.js";
import { volumeBelow } from "./volumes.js";

export function collectionCard(overview, collection) {
  return element(
    "article",
    { class: "volume collection", "aria-label": collection.instance },
    element(
      "div",
      { class: "facts" },
      element("header", {}, element("h2", {}, collection.instance), pillOf(collection.problem)),
      element("p", { class: "where mono" }, collection.url),
      collection.problem && element("p", { class: "failure" }, collection.problem),
      element("p", {}, summary(collection)),
      element("ul", { class: "decided", "aria-label": "How it is served" }, ...collection.explanation.map((line) => element("li", {}, line))),
      links(overview, collection),
      view(overview, collection),
      ...tabsOf(collection.instance, collectionSnippets(overview, collection)),
    ),
  );
}

function summary({ count, geometry, properties, type }) {
  const number = count === null ? "Many" : count.toLocaleString("en");
  const kind = geometry.replaceAll("_", " ");
  const named = properties.length ? `properties ${properties.join(", ")}` : "no properties";
  return `${number} ${count === 1 ? "annotation" : "annotations"} of type ${kind}, served as ${type}; ${named}`;
}

function links(overview, { instance, counts }) {
  const names = counts ? [[instance, "annotation"], [counts, "labelsz"]] : [[instance, "annotation"]];
  const items = names.map(([name, type]) =>
    element("li", {}, element("a", { class: "mono", href: `api/node/${overview.uuid}/${encodeURIComponent(name)}/help` }, name), ` (${type})`),
  );
  return element("ul", { class: "companions", "aria-label": "Instances" }, ...items);
}

/** Return the link that shows a collection over a volume; undefined if there is no volume below it. */
function view(overview, collection) {
  const below = volumeBelow(overview, collection);
  if (!below) return undefined;
  const query = new URLSearchParams({ annotations: collection.instance });
  const href = `#${encodeURIComponent(below.instance)}?${query}`;
  return element("div", { class: "actions" }, element("a", { class: "button main", href }, `View on ${below.instance}`));
}
