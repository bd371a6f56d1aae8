// Fetch tiles of slices, a few at a time, and cache the most recently used.

import { LabelTile } from "./labels.js";
import { holdsLabels, urlOf } from "./volumes.js";

const MOST_KEPT = 400;
const MOST_UNDER_WAY = 6;

export class Tiles {
  /** Call `onChange()` whenever a tile has been loaded or has failed. */
  constructor(onChange) {
    this.onChange = onChange;
    this.kept = new Map();
    this.underWay = new Map();
    this.wanted = [];
  }

  /** Return a cached tile, an image or labels, or an Error; undefined if it is not cached. */
  peek(url) {
    const tile = this.kept.get(url);
    if (tile) {
      this.kept.delete(url);
      this.kept.set(url, tile);
    }
    return tile;
  }

  /** Fetch these `{url, load}` in order, cancel all others, and return how many are not loaded yet. */
  want(tiles) {
    const urls = new Set(tiles.map(({ url }) => url));
    for (const [url, abort] of this.underWay) if (!urls.has(url)) abort.abort();
    this.wanted = tiles.filter(({ url }) => !this.kept.has(url) && !this.underWay.has(url));
    this.start();
    return this.wanted.length + tiles.filter(({ url }) => this.underWay.has(url)).length;
  }

  /** Drop the failed tiles from the cache, so that they are retried. */
  forgetErrors() {
    for (const [url, tile] of this.kept) if (tile instanceof Error) this.kept.delete(url);
  }

  start() {
    while (this.wanted.length && this.underWay.size < MOST_UNDER_WAY) this.fetch(this.wanted.shift());
  }

  async fetch({ url, load }) {
    const abort = new AbortController();
    this.underWay.set(url, abort);
    let tile;
    try {
      tile = await load(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) tile = error;
    }
    this.underWay.delete(url);
    if (tile) this.keep(url, tile);
    this.start();
    this.onChange();
  }

  keep(url, tile) {
    this.kept.set(url, tile);
    for (const [oldest, evicted] of this.kept) {
      if (this.kept.size <= MOST_KEPT) break;
      if (evicted instanceof ImageBitmap) evicted.close();
      this.kept.delete(oldest);
    }
  }
}

/** Return the URL of a tile, and the function that loads it. */
export function requestOf(api, volume, scale, plane, tile) {
  const url = urlOf(api, volume, scale, plane, tile);
  const load = holdsLabels(volume)
    ? (signal) => fetchLabels(url, tile.size, signal)
    : (signal) => fetchBitmap(url, signal);
  return { url, load };
}

async function fetchBitmap(url, signal) {
  const response = await fetchGood(url, signal);
  return await createImageBitmap(await response.blob());
}

async function fetchLabels(url, [width, height], signal) {
  const response = await fetchGood(url, signal);
  const plain = new Response(response.body.pipeThrough(new DecompressionStream("gzip")));
  return new LabelTile(new BigUint64Array(await plain.arrayBuffer()), width, height);
}

/** Fetch a URL; throw an error with the server's text if that fails. */
export async function fetchGood(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error((await response.text()).trim().slice(0, 400) || `status ${response.status}`);
  return response;
}
