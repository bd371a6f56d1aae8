// Translate drag, wheel, pinch and key events into calls of the viewer.

const PIXELS_A_SLICE = 50;
const LINE = 16;
const CLICK_PIXELS = 4;

export class Gestures {
  constructor(canvas, viewer) {
    this.canvas = canvas;
    this.viewer = viewer;
    this.pointers = new Map();
    this.wheeled = 0;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => viewer.point());
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (viewer.press(event.key)) event.preventDefault();
    });
  }

  wheel(event) {
    event.preventDefault();
    this.hint();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE);
    if (event.ctrlKey || event.metaKey) {
      this.viewer.zoom(Math.exp(-pixels / 200), event.offsetX, event.offsetY);
      return;
    }
    // One notch of a wheel is one slice; touchpads send many small deltas.
    if (Math.abs(pixels) >= PIXELS_A_SLICE) this.wheeled = Math.sign(pixels) * PIXELS_A_SLICE;
    else this.wheeled += pixels;
    const slices = Math.trunc(this.wheeled / PIXELS_A_SLICE);
    this.wheeled -= slices * PIXELS_A_SLICE;
    if (slices) this.viewer.step(event.shiftKey ? slices * 10 : slices);
  }

  down(event) {
    this.hint();
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    const isClick = this.pointers.size === 1 && event.button === 0;
    this.pressed = isClick ? [event.offsetX, event.offsetY] : undefined;
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pressed) return;
    const [x, y] = this.pressed;
    this.pressed = undefined;
    if (Math.hypot(event.offsetX - x, event.offsetY - y) < CLICK_PIXELS) this.viewer.pick(x, y);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const now = [event.offsetX, event.offsetY];
    this.viewer.point(...now);
    if (!before) return;
    if (this.pointers.size === 1) {
      this.viewer.pan(now[0] - before[0], now[1] - before[1]);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const distance = (from) => Math.hypot(from[0] - other[0], from[1] - other[1]) || 1;
      const middle = [0, 1].map((axis) => (now[axis] + other[axis]) / 2);
      this.viewer.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      this.viewer.zoom(distance(now) / distance(before), ...middle);
    }
    this.pointers.set(event.pointerId, now);
  }

  hint() {
    document.querySelector(".hint").classList.add("gone");
  }
}
