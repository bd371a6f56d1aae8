// The front page: fetches the list of volumes and shows it as cards, or one volume in the viewer.

import { neuroglancerLink, volumeCard } from "./cards.js";
import { collectionCard } from "./collections.js";
import { byId, copy, element } from "./elements.js";
import { Viewer } from "./viewer.js";

const ASK_AGAIN_MS = 15_000;
let overview;
let viewer;
let shown = "";

async function ask() {
  const response = await fetch("api/server/volumes", { cache: "no-cache" });
  if (!response.ok) throw new Error(`the server answered with status ${response.status}`);
  return await response.json();
}

async function refresh() {
  let found;
  try {
    found = await ask();
  } catch (error) {
    return showFailure(`The list of volumes could not be loaded: ${error.message}`);
  }
  showFailure("");
  if (JSON.stringify(found) === JSON.stringify(overview)) return;
  overview = found;
  showHome();
  route();
}

function showFailure(text) {
  byId("failure").hidden = !text;
  byId("failure").textContent = text;
  if (text) setHealth("bad", "unavailable");
  else if (overview) showHealth();
}

function setHealth(kind, text) {
  byId("health").className = `pill ${kind}`;
  byId("health").textContent = text;
}

function showHealth() {
  const all = [...overview.volumes, ...overview.collections];
  const bad = all.filter((volume) => volume.problem).length;
  const count = all.length;
  if (bad) setHealth("bad", `${bad} of ${count} volumes not readable`);
  else setHealth("good", count === 1 ? "1 volume, readable" : `${count} volumes, all readable`);
}

function showHome() {
  byId("title").textContent = overview.alias || overview.host;
  byId("description").textContent = overview.description;
  byId("note").textContent = overview.note;
  byId("note").hidden = !overview.note;
  showRefused();
  byId("uuid").textContent = overview.uuid;
  byId("version").textContent = overview.version;
  byId("volumes").replaceChildren(...overview.volumes.map((volume) => volumeCard(overview, volume)));
  byId("collections").replaceChildren(...overview.collections.map((collection) => collectionCard(overview, collection)));
  showHealth();
}

/** Name the pages that were not allowed to read, with the line of the configuration that would allow each. */
function showRefused() {
  byId("refused").hidden = !overview.refused.length;
  byId("refused").replaceChildren(
    ...overview.refused.map(({ origin, line }) =>
      element("p", {}, `Pages of ${origin} were refused. If you trust them, write into [server], and restart: `, element("code", {}, line)),
    ),
  );
}

/** Show the view that the URL fragment describes, `#instance?plane=xy&at=x,y,z&nm=8`, or the cards. */
function route() {
  const address = location.hash.slice(1);
  if (!overview || (address && address === shown)) return;
  const [name, query] = address.split("?");
  const volume = overview.volumes.find(({ instance, scales }) => instance === decodeURIComponent(name) && scales.length);
  byId("home").hidden = Boolean(volume);
  byId("viewer").hidden = !volume;
  shown = address;
  const about = overview.alias || overview.host;
  document.title = volume ? `${volume.instance} · ${about}` : about;
  if (!volume) return viewer?.hide();
  viewer ??= new Viewer((moved) => {
    if (moved === shown) return;
    shown = moved;
    history.replaceState(null, "", `#${moved}`);
  });
  const link = neuroglancerLink(overview, volume);
  byId("viewer-neuroglancer").hidden = !link;
  if (link) byId("viewer-neuroglancer").href = link;
  viewer.show(overview, volume, new URLSearchParams(query ?? ""));
}

byId("uuid").addEventListener("click", () => copy(overview.uuid));
window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(() => document.hidden || refresh(), ASK_AGAIN_MS);
refresh();
