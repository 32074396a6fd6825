// The queue: all items, those that the filters let through in their order, and a list that draws what is in view.

import { inWords } from "./words.js";

const ROW = 64;
const AROUND = 6;
// After so many in review comes one of the sure ones that were drawn to be looked at.
const BETWEEN = 3;
const MARKS = { accept: "✓", reject: "✗", again: "↻", back: "↶", handed: "✎" };
const SAID = { accept: "accepted", reject: "rejected", again: "asked again", back: "taken back", handed: "open in another program" };

export const isOpen = (item) => item.state === "review" && (!item.verdict || item.verdict === "handed");
const isMarked = (item) => item.verdict !== "" && item.verdict !== "handed";
const FILTERS = {
  open: isOpen,
  marked: isMarked,
  work: (item) => item.state === "work",
  done: (item) => item.state === "done",
  failed: (item) => item.state === "failed",
  all: () => true,
};

// The least sure first; what is not known yet comes last.
function worse(one, two) {
  const a = one.confidence ?? 2;
  const b = two.confidence ?? 2;
  return a - b || (one.name < two.name ? -1 : one.name > two.name ? 1 : one.id < two.id ? -1 : 1);
}

// Nothing in review is passed over: where a look is current, those in review come after it.
function mixed(review, looks, current) {
  const places = new Map();
  const shift = looks.findIndex((item) => item.id === current);
  review.forEach((item, place) => places.set(item, place));
  looks.forEach((item, place) => places.set(item, (place - shift) * BETWEEN - 0.5));
  return [...places].sort((one, two) => one[1] - two[1]).map(([item]) => item);
}

export class Queue {
  constructor(list, rows, chosen) {
    this.items = new Map();
    this.order = [];
    // Those of the delivered ones that are asked about, each with its place.
    this.looks = new Map();
    this.filters = { state: "open", warning: "", folder: "", rule: "" };
    this.current = null;
    this.anchor = null;
    this.selected = new Set();
    this.list = list;
    this.rows = rows;
    this.chosen = chosen;
    this.drawn = new Map();
    list.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(list);
    rows.addEventListener("click", (event) => this.clicked(event));
  }

  passes(item) {
    const { state, warning, folder, rule } = this.filters;
    return (
      (FILTERS[state](item) || (state === "open" && this.isLook(item))) &&
      (!warning || item.warnings.includes(warning)) &&
      (!folder || item.folder === folder) &&
      (!rule || item.rule === rule)
    );
  }

  isLook(item) {
    return this.looks.has(item.id) && item.state === "done" && !item.verdict;
  }

  // The ids of delivered ones to ask about, in this order.
  ask(ids) {
    if (ids.length === this.looks.size && ids.every((id, place) => this.looks.get(id) === place)) return;
    this.looks = new Map(ids.map((id, place) => [id, place]));
    this.arrange();
  }

  // Every item passed the filters anew, in order; the current one stays where it can.
  arrange() {
    const place = this.order.indexOf(this.current);
    const all = [...this.items.values()].filter((item) => this.passes(item)).sort(worse);
    if (this.filters.state === "open" && this.looks.size) {
      const looks = all.filter((item) => this.isLook(item));
      looks.sort((one, two) => this.looks.get(one.id) - this.looks.get(two.id));
      this.order = mixed(all.filter(isOpen), looks, this.current).map((item) => item.id);
    } else this.order = all.map((item) => item.id);
    for (const id of this.selected) if (!this.items.has(id)) this.selected.delete(id);
    if (!this.order.includes(this.current)) {
      this.choose(this.order[Math.min(Math.max(place, 0), this.order.length - 1)] ?? null);
    }
    this.draw();
  }

  // Items that changed: only those that come, go or change their place cost a new order.
  take(items, gone) {
    let moved = false;
    for (const item of items) {
      const old = this.items.get(item.id);
      this.items.set(item.id, item);
      moved ||= !old || this.passes(old) !== this.passes(item) || old.confidence !== item.confidence;
      this.drawn.get(item.id)?.remove();
      this.drawn.delete(item.id);
    }
    for (const id of gone) moved = this.items.delete(id) || moved;
    if (moved) this.arrange();
    else this.draw();
  }

  item(id = this.current) {
    return id === null ? null : (this.items.get(id) ?? null);
  }

  // The ids that a decision is about: the run that is selected, or the current one.
  targets() {
    const run = this.order.filter((id) => this.selected.has(id));
    return run.length > 1 ? run : this.current === null ? [] : [this.current];
  }

  // The current item and those after it.
  coming(count) {
    const place = this.order.indexOf(this.current);
    return place < 0 ? [] : this.order.slice(place, place + count).map((id) => this.items.get(id));
  }

  choose(id, extend = false) {
    if (extend && this.anchor !== null && id !== null) {
      const [first, last] = [this.order.indexOf(this.anchor), this.order.indexOf(id)].sort((a, b) => a - b);
      this.selected = new Set(this.order.slice(Math.max(first, 0), last + 1));
    } else {
      this.anchor = id;
      this.selected = new Set(id === null ? [] : [id]);
    }
    this.current = id;
    this.show();
    this.draw();
    this.chosen(this.item());
  }

  move(by, extend = false) {
    if (!this.order.length) return;
    const place = this.order.indexOf(this.current);
    const next = Math.min(Math.max(place + by, 0), this.order.length - 1);
    this.choose(this.order[next], extend);
  }

  // Marked here first, and moved on; the server's own word comes with the next event.
  mark(ids, verdict) {
    const place = Math.max(0, this.order.indexOf(ids[0]));
    for (const id of ids) {
      const item = this.items.get(id);
      if (item) this.items.set(id, { ...item, verdict, sent: 0 });
      this.drawn.get(id)?.remove();
      this.drawn.delete(id);
    }
    const gone = new Set(ids.filter((id) => !this.passes(this.items.get(id))));
    if (gone.size) {
      this.order = this.order.filter((id) => !gone.has(id));
      this.choose(this.order[Math.min(place, this.order.length - 1)] ?? null);
    } else {
      const last = this.order.indexOf(ids[ids.length - 1]);
      this.choose(this.order[Math.min(last + 1, this.order.length - 1)] ?? null);
    }
  }

  show() {
    const place = this.order.indexOf(this.current);
    if (place < 0) return;
    const top = place * ROW;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (top + ROW > this.list.scrollTop + this.list.clientHeight) {
      this.list.scrollTop = top + ROW - this.list.clientHeight;
    }
  }

  draw() {
    this.rows.style.height = `${this.order.length * ROW}px`;
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - AROUND);
    const last = Math.ceil((this.list.scrollTop + this.list.clientHeight) / ROW) + AROUND;
    const shown = new Set(this.order.slice(first, last));
    for (const [id, row] of this.drawn) {
      if (!shown.has(id)) {
        row.remove();
        this.drawn.delete(id);
      }
    }
    let place = first;
    for (const id of shown) {
      let row = this.drawn.get(id);
      if (!row) {
        row = this.row(this.items.get(id));
        this.drawn.set(id, row);
        this.rows.append(row);
      }
      row.style.transform = `translateY(${place * ROW}px)`;
      row.setAttribute("aria-posinset", place + 1);
      row.setAttribute("aria-setsize", this.order.length);
      row.setAttribute("aria-selected", this.selected.has(id));
      row.classList.toggle("current", id === this.current);
      place += 1;
    }
    if (this.current !== null && this.drawn.has(this.current)) {
      this.list.setAttribute("aria-activedescendant", `row-${this.current}`);
    } else this.list.removeAttribute("aria-activedescendant");
  }

  row(item) {
    const row = document.createElement("div");
    row.className = "row";
    row.id = `row-${item.id}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-label", described(item));
    const picture = document.createElement("img");
    picture.alt = "";
    picture.loading = "lazy";
    picture.decoding = "async";
    picture.src = `/api/photo/${item.id}/thumb?v=${encodeURIComponent(item.v)}`;
    const text = document.createElement("div");
    text.className = "name";
    text.textContent = item.name;
    const what = document.createElement("div");
    what.className = "what";
    what.textContent = [sureness(item), delivered(item), ...item.warnings.map(inWords)].filter(Boolean).join(", ");
    text.append(what);
    const mark = document.createElement("span");
    mark.className = `mark ${item.verdict}`;
    mark.textContent = MARKS[item.verdict] ?? "";
    row.append(picture, text, mark);
    return row;
  }

  clicked(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const id = row.id.slice(4);
    if (event.ctrlKey || event.metaKey) {
      if (!this.selected.delete(id)) this.selected.add(id);
      this.draw();
    } else this.choose(id, event.shiftKey);
  }
}

export function sureness(item) {
  if (item.state === "work") return "in work";
  return item.confidence === null ? "" : `${Math.round(item.confidence * 100)} % sure`;
}

export const delivered = (item) => (item.state === "done" ? "delivered" : "");

export function described(item) {
  const parts = [item.name, sureness(item), delivered(item), ...item.warnings.map(inWords)];
  if (item.mended) parts.push("mended");
  if (item.verdict) parts.push(SAID[item.verdict]);
  return parts.filter(Boolean).join(", ");
}
