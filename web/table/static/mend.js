// Mending: clicks, a box and strokes over the photo; every answer of the server becomes the picture at once.
import { post, postForBlob } from "./api.js";
import { paintDrawn } from "./drawn.js";

export const TOOLS = [
  { name: "in", label: "In", key: "1", says: "click: this belongs to it" },
  { name: "out", label: "Out", key: "2", says: "click: this does not" },
  { name: "box", label: "Box", key: "3", says: "draw a box around it" },
  { name: "brush-in", label: "Brush in", key: "4", says: "brush: subject" },
  { name: "brush-out", label: "Brush out", key: "5", says: "brush: not" },
  { name: "brush-unsure", label: "Brush unsure", key: "6", says: "brush: unsure, solve it again" },
];
const STILL = 350;
const STEP = 0.02;

export class Mend {
  constructor(stage, say, changed) {
    this.stage = stage;
    this.say = say;
    this.changed = changed;
    this.item = null;
    this.tool = "in";
    this.size = 40;
    stage.over = (context, at) => this.on && paintDrawn(this, context, at);
    this.clear();
  }

  clear() {
    this.steps = [];
    this.anew = false;
    this.drawing = null;
    this.number = 0;
    this.answered = 0;
    this.cursor = null;
    this.stage.overlay = null;
  }

  get on() {
    return this.item !== null;
  }

  get touched() {
    return this.steps.length > 0 || this.anew;
  }

  async open(item, next) {
    this.clear();
    this.item = item;
    this.stage.tool = this;
    this.size = Math.max(8, Math.round(Math.max(...this.span()) / 40));
    document.body.dataset.mend = "opening";
    this.changed();
    try {
      await post(`/api/photo/${item.id}/mend/open`, { next: next?.id });
      if (this.item === item) document.body.dataset.mend = "ready";
    } catch (error) {
      this.say(error.message);
      if (this.item === item) this.close();
    }
    this.changed();
  }

  close() {
    this.item = null;
    this.stage.tool = null;
    this.clear();
    delete document.body.dataset.mend;
    this.stage.draw();
    this.changed();
  }

  span() {
    const { width, height } = this.stage.entry?.facts ?? { width: 1000, height: 1000 };
    return [width, height];
  }

  // All that was said, as the server takes it.
  said() {
    const box = this.steps.filter((step) => step.kind === "box").at(-1);
    return {
      clicks: this.steps.filter((step) => step.kind === "click").map(({ x, y, inside }) => [x, y, inside]),
      box: box ? box.box : null,
      strokes: this.steps.filter((step) => step.kind === "stroke").map((step) => step.stroke),
      anew: this.anew,
    };
  }

  // ---- the pointer

  down(point, event) {
    if (event.button > 0) return false;
    const [width, height] = this.span();
    const { x, y } = point;
    const inside = x >= 0 && y >= 0 && x < width && y < height;
    if (this.tool === "in" || this.tool === "out") {
      if (inside) this.add({ kind: "click", x, y, inside: (this.tool === "in") !== event.shiftKey });
      return true;
    }
    this.drawing = this.tool === "box" ? { from: point, to: point } : { points: [[x, y]] };
    this.stage.draw();
    return true;
  }

  move(point) {
    this.cursor = point;
    if (this.drawing?.points) this.drawing.points.push([point.x, point.y]);
    else if (this.drawing) this.drawing.to = point;
    if (this.drawing || this.tool.startsWith("brush")) this.stage.draw();
    return this.drawing !== null;
  }

  up() {
    const { drawing } = this;
    this.drawing = null;
    if (!drawing) return;
    if (drawing.points) this.add({ kind: "stroke", stroke: this.stroke(drawing.points) });
    else {
      const { from, to } = drawing;
      if (Math.abs(from.x - to.x) < 2 || Math.abs(from.y - to.y) < 2) return;
      const box = [Math.min(from.x, to.x), Math.min(from.y, to.y), Math.max(from.x, to.x), Math.max(from.y, to.y)];
      this.add({ kind: "box", box });
    }
  }

  stroke(points) {
    return { kind: this.tool.slice("brush-".length), size: this.size, points };
  }

  // ---- the keyboard: arrows move a cross, Space does what a click would

  nudge(across, down, far) {
    const [width, height] = this.span();
    const step = Math.max(width, height) * STEP * (far ? 5 : 1);
    const from = this.cursor ?? { x: width / 2, y: height / 2 };
    const within = (value, most) => Math.min(most - 1, Math.max(0, value));
    this.cursor = { x: within(from.x + across * step, width), y: within(from.y + down * step, height) };
    this.stage.draw();
  }

  press() {
    const [width, height] = this.span();
    this.cursor ??= { x: width / 2, y: height / 2 };
    const { x, y } = this.cursor;
    if (this.tool === "in" || this.tool === "out") this.add({ kind: "click", x, y, inside: this.tool === "in" });
    else if (this.tool === "box" && !this.drawing) this.drawing = { from: this.cursor, to: this.cursor };
    else if (this.tool === "box") {
      this.drawing.to = this.cursor;
      this.up();
    } else this.add({ kind: "stroke", stroke: this.stroke([[x, y]]) });
  }

  resize(factor) {
    this.size = Math.min(2000, Math.max(2, Math.round(this.size * factor)));
    this.say(`Brush: ${this.size} pixels wide.`);
    this.stage.draw();
  }

  choose(tool) {
    this.tool = tool;
    this.drawing = null;
    this.changed();
    this.stage.draw();
  }

  begin() {
    this.anew = !this.anew;
    this.say(this.anew ? "The matte that was there no longer counts." : "The matte that was there counts again.");
    this.ask();
  }

  add(step) {
    this.steps.push(step);
    this.ask();
  }

  undo() {
    if (this.steps.length) this.steps.pop();
    else this.anew = false;
    if (this.touched) this.ask();
    else {
      this.number += 1;
      this.stage.overlay = null;
      this.answered = this.number;
      document.body.dataset.mend = "ready";
      this.stage.draw();
    }
    this.changed();
  }

  // ---- answers: a matte at once, and its edge redone when all is still

  async ask() {
    const number = ++this.number;
    const { item } = this;
    const began = performance.now();
    document.body.dataset.mend = "asked";
    this.changed();
    try {
      const response = await postForBlob(`/api/photo/${item.id}/mend/answer`, this.said());
      const sentences = JSON.parse(response.headers.get("X-Sentences") ?? "[]");
      const level = await createImageBitmap(await response.blob());
      if (number !== this.number || this.item !== item) return;
      this.stage.overlay = this.masked(level);
      this.stage.draw();
      performance.measure("click to answer", { start: began, end: performance.now() });
      document.body.dataset.mend = "answered";
      if (sentences.length) this.say(sentences.join(" "));
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.refine(number), STILL);
    } catch (error) {
      if (number === this.number) this.say(error.message);
    }
  }

  async refine(number) {
    const { item } = this;
    if (number !== this.number || !item) return;
    try {
      const response = await postForBlob(`/api/photo/${item.id}/mend/edge`, this.said());
      const cutout = await createImageBitmap(await response.blob());
      if (number !== this.number || this.item !== item) return;
      this.stage.overlay = cutout;
      document.body.dataset.mend = "edged";
      this.stage.draw();
    } catch (error) {
      if (number === this.number) this.say(error.message);
    }
  }

  // The photo within a matte that came as gray levels.
  masked(level) {
    const canvas = new OffscreenCanvas(level.width, level.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(level, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height);
    const bytes = data.data;
    for (let place = 0; place < bytes.length; place += 4) bytes[place + 3] = bytes[place];
    context.putImageData(data, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.drawImage(this.stage.entry.before, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  async accept() {
    return post(`/api/photo/${this.item.id}/mend/accept`, this.said());
  }
}
