// Comparing: the same photo by other settings side by side; a click or a number takes one.
import { getBitmap } from "./api.js";

export class Compare {
  constructor(grid, stage, take) {
    this.grid = grid;
    this.stage = stage;
    this.take = take;
    this.item = null;
  }

  get on() {
    return this.item !== null;
  }

  async open(item, variants) {
    this.item = item;
    this.grid.hidden = false;
    this.grid.replaceChildren();
    const cells = variants.map((variant, place) => this.cell(variant, place));
    this.grid.append(...cells.map((cell) => cell.figure));
    document.body.dataset.compare = "0";
    for (const [place, cell] of cells.entries()) {
      if (this.item !== item) return;
      try {
        const began = performance.now();
        const bitmap = await getBitmap(`/api/photo/${item.id}/variants/${place}?v=${encodeURIComponent(item.v)}`);
        if (this.item !== item) return;
        cell.show(bitmap, performance.now() - began);
      } catch (error) {
        cell.caption.textContent += `: ${error.message}`;
      }
      document.body.dataset.compare = place + 1;
    }
  }

  cell(variant, place) {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    const caption = document.createElement("figcaption");
    const name = variant.quality ?? variant.model;
    caption.textContent = `${place + 1}  ${name}, being cut…`;
    canvas.setAttribute("role", "button");
    canvas.tabIndex = 0;
    canvas.setAttribute("aria-label", `Take ${name}`);
    canvas.addEventListener("click", () => this.take(place));
    figure.append(canvas, caption);
    const show = (bitmap, took) => {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      const context = canvas.getContext("2d");
      context.fillStyle = this.stage.ground === "checker" ? this.stage.checker() : this.stage.colour();
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0);
      caption.textContent = `${place + 1}  ${name} (${(took / 1000).toFixed(1)} s)`;
    };
    return { figure, caption, show };
  }

  close() {
    this.item = null;
    this.grid.hidden = true;
    this.grid.replaceChildren();
    delete document.body.dataset.compare;
  }
}
