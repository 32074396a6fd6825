// The stage: one photo on its ground, before or after, fitted or as large as its own pixels.
import { getBitmap } from "./api.js";
import { bandOf, matteOf } from "./pictures.js";

export const GROUNDS = ["checker", "black", "white", "magenta", "rule"];
const SETTLED = 150;
const MOST = 2400;

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.item = null;
    this.entry = null;
    this.ground = "checker";
    this.before = false;
    this.slider = null;
    this.matte = false;
    this.band = false;
    this.boxes = true;
    // Pixels of the screen per pixel of the photo, 0 where the photo is fitted; and the middle, in 0..1.
    this.zoom = 0;
    this.middle = { x: 0.5, y: 0.5 };
    this.pointer = { x: 0.5, y: 0.5 };
    this.detail = null;
    this.overlay = null;
    this.painted = null;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
    this.follow();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    this.draw();
  }

  show(item, entry) {
    if (item?.id !== this.item?.id) this.overlay = null;
    this.item = item;
    this.entry = entry;
    this.detail = null;
    this.draw();
    this.sharpen();
  }

  // Where the photo lies on the canvas: scale in canvas pixels per photo pixel, and its left top corner.
  place() {
    const { width, height } = this.entry.facts;
    const fit = Math.min(this.canvas.width / width, this.canvas.height / height) * 0.98;
    const scale = this.zoom || fit;
    const span = (size, room, middle) => {
      if (size * scale <= room) return (room - size * scale) / 2;
      return Math.min(0, Math.max(room - size * scale, room / 2 - middle * size * scale));
    };
    const left = span(width, this.canvas.width, this.middle.x);
    const top = span(height, this.canvas.height, this.middle.y);
    return { scale, left, top, width: width * scale, height: height * scale };
  }

  // A point of the page in pixels of the photo.
  photoPoint(event) {
    const frame = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / frame.width;
    const at = this.place();
    const x = ((event.clientX - frame.left) * ratio - at.left) / at.scale;
    const y = ((event.clientY - frame.top) * ratio - at.top) / at.scale;
    return { x, y };
  }

  draw() {
    const { context, canvas, entry } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!entry?.facts) return;
    const at = this.place();
    context.imageSmoothingEnabled = at.scale < 3;
    context.imageSmoothingQuality = "medium";
    const whole = this.before || !entry.cutout;
    if (whole && entry.before) this.paint(entry.before, at);
    else {
      this.paintGround(at);
      this.paint(this.matte && entry.facts.aligned ? matteOf(entry) : (this.overlay ?? entry.cutout), at);
    }
    if (this.detail && !this.matte && !this.overlay) this.paintDetail(at);
    if (this.slider !== null && entry.before && !whole && entry.facts.aligned) this.paintSlider(at);
    if (this.band && entry.facts.aligned && !this.before) this.paint(bandOf(entry), at);
    if (this.boxes && this.item?.box && this.item.warnings.length) this.paintBox(at);
    this.over?.(context, at);
    this.painted = this.item?.id ?? null;
  }

  paint(picture, at) {
    if (picture) this.context.drawImage(picture, at.left, at.top, at.width, at.height);
  }

  paintGround(at) {
    const { context } = this;
    context.fillStyle = this.matte ? "#000" : this.colour();
    context.fillRect(at.left, at.top, at.width, at.height);
  }

  // What lies behind the cutout.
  colour() {
    const rule = this.entry?.facts?.ground;
    if (this.ground === "rule" && rule) return `rgb(${rule.join(",")})`;
    return { black: "#000", white: "#fff", magenta: "#f0f" }[this.ground] ?? this.checker();
  }

  checker() {
    if (!this.pattern) {
      const tile = new OffscreenCanvas(24, 24);
      const part = tile.getContext("2d");
      part.fillStyle = "#fff";
      part.fillRect(0, 0, 24, 24);
      part.fillStyle = "#ccc";
      part.fillRect(0, 0, 12, 12);
      part.fillRect(12, 12, 12, 12);
      this.pattern = this.context.createPattern(tile, "repeat");
    }
    return this.pattern;
  }

  paintSlider(at) {
    const { context } = this;
    const x = at.left + at.width * this.slider;
    context.save();
    context.beginPath();
    context.rect(at.left, at.top, x - at.left, at.height);
    context.clip();
    this.paint(this.entry.before, at);
    context.restore();
    context.fillStyle = "#1f6feb";
    context.fillRect(x - 1, at.top, 2, at.height);
  }

  paintBox(at) {
    const [left, top, right, bottom] = this.item.box;
    const { context } = this;
    context.lineWidth = 2;
    context.setLineDash([8, 6]);
    context.strokeStyle = "#e3b341";
    context.strokeRect(
      at.left + left * at.scale, at.top + top * at.scale, (right - left) * at.scale, (bottom - top) * at.scale,
    );
    context.setLineDash([]);
    if (!this.item.warnings.includes("touches_frame")) return;
    // The sides at which the subject may be cut off.
    const { width, height } = this.entry.facts;
    context.fillStyle = "#ff7b72";
    const thick = 4;
    if (left <= 1) context.fillRect(at.left, at.top + top * at.scale, thick, (bottom - top) * at.scale);
    if (top <= 1) context.fillRect(at.left + left * at.scale, at.top, (right - left) * at.scale, thick);
    if (right >= width - 1) context.fillRect(at.left + at.width - thick, at.top + top * at.scale, thick, (bottom - top) * at.scale);
    if (bottom >= height - 1) context.fillRect(at.left + left * at.scale, at.top + at.height - thick, (right - left) * at.scale, thick);
  }

  paintDetail(at) {
    const { bitmap, left, top, width, height, before } = this.detail;
    if (before !== this.before) return;
    const where = [at.left + left * at.scale, at.top + top * at.scale, width * at.scale, height * at.scale];
    if (!before) {
      this.context.save();
      this.context.beginPath();
      this.context.rect(...where);
      this.context.clip();
      this.paintGround(at);
      this.context.restore();
    }
    this.context.drawImage(bitmap, ...where);
  }

  // 1:1 at the pointer, or back to the whole.
  toggleZoom() {
    if (this.zoom) this.zoom = 0;
    else if (this.entry?.facts) {
      this.zoom = 1;
      this.middle = { ...this.pointer };
    }
    this.moved();
  }

  zoomBy(factor) {
    if (!this.entry?.facts) return;
    const fit = { zoom: 0, ...this.place() };
    const wanted = fit.scale * factor;
    this.zoom = Math.min(8, Math.max(0.02, wanted));
    this.moved();
  }

  moved() {
    this.detail = null;
    this.draw();
    this.sharpen();
  }

  // What is seen in the photo's own pixels, where the picture at hand has fewer; asked for once all is still.
  sharpen() {
    clearTimeout(this.waiting);
    const { entry, item } = this;
    const picture = this.before ? entry?.before : entry?.cutout;
    if (!picture || !entry.facts.aligned || !this.zoom || this.overlay) return;
    const at = this.place();
    if (at.scale * entry.facts.width <= picture.width * 1.05) return;
    this.waiting = setTimeout(async () => {
      const left = Math.max(0, Math.floor(-at.left / at.scale));
      const top = Math.max(0, Math.floor(-at.top / at.scale));
      const width = Math.min(MOST, entry.facts.width - left, Math.ceil(this.canvas.width / at.scale) + 2);
      const height = Math.min(MOST, entry.facts.height - top, Math.ceil(this.canvas.height / at.scale) + 2);
      const before = this.before;
      const part = before ? "before" : "cutout";
      const place = `left=${left}&top=${top}&width=${width}&height=${height}`;
      try {
        const address = `/api/photo/${item.id}/detail?part=${part}&${place}&v=${encodeURIComponent(item.v)}`;
        const bitmap = await getBitmap(address);
        if (this.entry !== entry || this.before !== before) return;
        this.detail = { bitmap, left, top, width, height, before };
        this.draw();
      } catch {
        // The coarser picture stays.
      }
    }, SETTLED);
  }

  // The pointer: moves a zoomed photo, moves the slider, and says where 1:1 shall be.
  follow() {
    const { canvas } = this;
    const pointers = new Map();
    let moving = null;
    let spread = 0;
    const apart = () => {
      const [one, two] = [...pointers.values()];
      return Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
    };
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, event);
      if (!this.entry?.facts) return;
      if (pointers.size === 2) spread = apart();
      else if (this.tool?.down(this.photoPoint(event), event)) canvas.setPointerCapture(event.pointerId);
      else {
        canvas.setPointerCapture(event.pointerId);
        moving = { x: event.clientX, y: event.clientY, middle: { ...this.middle } };
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.entry?.facts) return;
      if (pointers.has(event.pointerId)) pointers.set(event.pointerId, event);
      const { width, height } = this.entry.facts;
      const point = this.photoPoint(event);
      const inside = (value) => Math.min(1, Math.max(0, value));
      this.pointer = { x: inside(point.x / width), y: inside(point.y / height) };
      if (pointers.size === 2) {
        const now = apart();
        if (spread) this.zoomBy(now / spread);
        spread = now;
      } else if (this.tool?.move(point, event)) return;
      else if (this.slider !== null && !this.zoom && (event.buttons || event.pointerType === "mouse")) {
        this.slider = this.pointer.x;
        this.draw();
      } else if (moving && this.zoom) {
        const ratio = this.canvas.width / canvas.clientWidth;
        const scale = this.place().scale;
        this.middle = {
          x: inside(moving.middle.x - ((event.clientX - moving.x) * ratio) / scale / width),
          y: inside(moving.middle.y - ((event.clientY - moving.y) * ratio) / scale / height),
        };
        this.moved();
      }
    });
    const up = (event) => {
      pointers.delete(event.pointerId);
      moving = null;
      spread = 0;
      if (this.entry?.facts) this.tool?.up(this.photoPoint(event), event);
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (this.entry?.facts && !this.zoom) this.middle = { ...this.pointer };
      this.zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2);
    }, { passive: false });
  }
}
