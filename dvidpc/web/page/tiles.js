// Fetch tiles of slices, a few at a time, and cache the most recently used.

const MOST_KEPT = 600;
const MOST_UNDER_WAY = 6;

export class Tiles {
  /** Call `onChange()` whenever a tile has been loaded or has failed. */
  constructor(onChange) {
    this.onChange = onChange;
    this.kept = new Map();
    this.underWay = new Map();
    this.wanted = [];
  }

  /** Return a cached tile, `{bitmap}` or `{error}`; undefined if it is not cached. */
  peek(url) {
    const tile = this.kept.get(url);
    if (tile) {
      this.kept.delete(url);
      this.kept.set(url, tile);
    }
    return tile;
  }

  /** Fetch these URLs in order, cancel all others, and return how many are not loaded yet. */
  want(urls) {
    const wanted = new Set(urls);
    for (const [url, abort] of this.underWay) if (!wanted.has(url)) abort.abort();
    this.wanted = urls.filter((url) => !this.kept.has(url) && !this.underWay.has(url));
    this.start();
    return this.wanted.length + urls.filter((url) => this.underWay.has(url)).length;
  }

  /** Drop the failed tiles from the cache, so that they are retried. */
  forgetErrors() {
    for (const [url, tile] of this.kept) if (tile.error) this.kept.delete(url);
  }

  start() {
    while (this.wanted.length && this.underWay.size < MOST_UNDER_WAY) this.fetch(this.wanted.shift());
  }

  async fetch(url) {
    const abort = new AbortController();
    this.underWay.set(url, abort);
    let tile;
    try {
      tile = { bitmap: await fetchBitmap(url, abort.signal) };
    } catch (error) {
      if (!abort.signal.aborted) tile = { error: error.message };
    }
    this.underWay.delete(url);
    if (tile) this.keep(url, tile);
    this.start();
    this.onChange();
  }

  keep(url, tile) {
    this.kept.set(url, tile);
    for (const [oldest, { bitmap }] of this.kept) {
      if (this.kept.size <= MOST_KEPT) break;
      bitmap?.close();
      this.kept.delete(oldest);
    }
  }
}

/** Fetch the image at a URL; throw an error with the server's text if that fails. */
export async function fetchBitmap(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error((await response.text()).trim().slice(0, 400) || `status ${response.status}`);
  return await createImageBitmap(await response.blob());
}

/** Return the URL of a tile: JPEG for 8-bit grayscale, PNG for everything else. */
export function urlOf(api, volume, scale, plane, tile) {
  const format = volume.type === "uint8blk" ? "jpg:90" : "png";
  const path = `raw/${plane}/${tile.size.join("_")}/${tile.offset.join("_")}/${format}`;
  return `${api}/${encodeURIComponent(scale.name)}/${path}?app=dvidpc-page`;
}
