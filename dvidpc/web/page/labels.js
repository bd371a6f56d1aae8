// Slices of labels: decode them, give each label a color, look up the label of a pixel.
// A label has 64 bits, more than a JavaScript number holds exactly. Labels are always BigInts here.

const LARGEST_LABEL = 2n ** 64n - 1n;

/** Return the label that a person typed; undefined if it is none. */
export function parseLabel(text) {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const label = BigInt(text);
  return label > 0n && label <= LARGEST_LABEL ? label : undefined;
}

/** Return a bright color for a label, [red, green, blue]; the same label always has the same color. */
export function colorOf(label) {
  let hash = Number(label & 0xffffffffn) ^ Math.imul(Number(label >> 32n), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) >>> 0;
  const hue = (hash % 3600) / 300;
  const lightness = 0.45 + 0.2 * ((hash >>> 16) / 0xffff);
  const range = 0.85 * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((shift) => {
    const turn = (shift + hue) % 12;
    return Math.round(255 * (lightness - range * Math.max(-1, Math.min(turn - 3, 9 - turn, 1))));
  });
}

/** A tile of labels, at most 256 pixels wide and high. */
export class LabelTile {
  /** Take the labels in row-major order, as a BigUint64Array. */
  constructor(labels, width, height) {
    this.labels = []; // each label once, in the order of its first pixel
    this.indexes = new Uint16Array(labels.length); // for each pixel, the position of its label
    const known = new Map();
    let label, index;
    for (let pixel = 0; pixel < labels.length; pixel++) {
      if (pixel === 0 || labels[pixel] !== label) {
        label = labels[pixel];
        index = known.get(label);
        if (index === undefined) {
          index = this.labels.push(label) - 1;
          known.set(label, index);
        }
      }
      this.indexes[pixel] = index;
    }
    this.canvas = new OffscreenCanvas(width, height);
  }

  /** Return the label of a pixel. */
  labelAt(x, y) {
    return this.labels[this.indexes[y * this.canvas.width + x]];
  }

  /** Return the tile as a picture. Only `segment` is visible, or every label but 0 if it is undefined. */
  picture(segment) {
    if (this.isPainted && this.segment === segment) return this.canvas;
    const colors = new Uint32Array(this.labels.length);
    this.labels.forEach((label, index) => {
      const isVisible = segment === undefined ? label !== 0n : label === segment;
      if (isVisible) new Uint8ClampedArray(colors.buffer, 4 * index, 4).set([...colorOf(label), 255]);
    });
    const { width, height } = this.canvas;
    const pixels = new Uint32Array(width * height);
    for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = colors[this.indexes[pixel]];
    const image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    this.canvas.getContext("2d").putImageData(image, 0, 0);
    this.isPainted = true;
    this.segment = segment;
    return this.canvas;
  }
}
