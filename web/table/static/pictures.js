// Pictures that are decoded: the one on the stage, those that come next, and a few that were there before.
import { getBitmap, getJson } from "./api.js";

const KEPT = 7;

export class Pictures {
  constructor() {
    this.entries = new Map();
  }

  // The pictures of an item; decoding begins at once where it has not.
  of(item) {
    const key = `${item.id} ${item.v}`;
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { key, id: item.id, ready: null, done: false, facts: null, before: null, cutout: null, derived: {}, error: "" };
      entry.ready = this.load(entry, item);
    }
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const [old, other] of this.entries) {
      if (this.entries.size <= KEPT) break;
      this.entries.delete(old);
      for (const bitmap of [other.before, other.cutout]) bitmap?.close();
      other.derived = {};
    }
    return entry;
  }

  async load(entry, item) {
    const base = `/api/photo/${item.id}`;
    const version = encodeURIComponent(item.v);
    try {
      entry.facts = await getJson(base);
      [entry.before, entry.cutout] = await Promise.all([
        entry.facts.before ? getBitmap(`${base}/before?v=${version}`) : null,
        entry.facts.cutout ? getBitmap(`${base}/cutout?v=${version}`) : null,
      ]);
    } catch (error) {
      entry.error = error.message;
      this.entries.delete(entry.key);
    }
    entry.done = true;
    return entry;
  }
}

// The matte alone: white where the subject is, transparent elsewhere.
export function matteOf(entry) {
  return derived(entry, "matte", (canvas, context) => {
    context.drawImage(entry.cutout, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  });
}

// The band in which a pixel is neither surely in nor surely out, as a tint.
export function bandOf(entry) {
  return derived(entry, "band", (canvas, context) => {
    context.drawImage(entry.cutout, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.data.buffer);
    for (let place = 0; place < pixels.length; place++) {
      const alpha = pixels[place] >>> 24;
      pixels[place] = alpha > 5 && alpha < 250 ? 0xc000a5ff : 0;
    }
    context.putImageData(data, 0, 0);
  });
}

function derived(entry, name, paint) {
  if (!entry.cutout) return null;
  if (!entry.derived[name]) {
    const canvas = new OffscreenCanvas(entry.cutout.width, entry.cutout.height);
    paint(canvas, canvas.getContext("2d", { willReadFrequently: name === "band" }));
    entry.derived[name] = canvas;
  }
  return entry.derived[name];
}
