// The panel: what stands around the photo in words: its facts, messages, counts and filters.
import { delivered, described, isOpen, sureness } from "./queue.js";
import { inWords } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function tell(item) {
  byId("name").textContent = item?.name ?? "";
  const parts = item ? [sureness(item), delivered(item), item.folder, item.rule, item.why, item.mended ? "mended" : ""] : [];
  byId("summary").textContent = parts.filter(Boolean).join(" · ");
  const sentences = item ? (item.notes.length ? item.notes : item.warnings.map(inWords)) : [];
  byId("warnings").replaceChildren(
    ...sentences.map((sentence) => {
      const line = document.createElement("li");
      line.textContent = sentence;
      return line;
    }),
  );
  byId("canvas").setAttribute("aria-label", item ? described(item) : "No photo");
}

let quiet = 0;
export function say(sentence) {
  byId("message").textContent = sentence;
  clearTimeout(quiet);
  quiet = setTimeout(() => byId("message").replaceChildren(), 6000);
}

function count(queue, title) {
  const items = [...queue.items.values()];
  const open = items.filter(isOpen).length;
  const marked = items.filter((item) => item.state === "review" && item.verdict && item.verdict !== "handed");
  const ended = items.filter((item) => item.sent === 2).length;
  byId("counter").textContent = `${open} of ${open + marked.length + ended} left`;
  document.title = `${open} left · ${title}`;
  const waiting = marked.filter((item) => item.verdict !== "again" && item.sent === 0).length;
  byId("send").textContent = waiting ? `Deliver ${waiting}` : "Deliver";
  byId("send").disabled = !waiting;
  for (const [name, field] of [["warning", "warnings"], ["folder", "folder"], ["rule", "rule"]]) {
    options(byId(`filter-${name}`), new Set(items.flatMap((item) => item[field])), name === "warning" ? inWords : String);
  }
}

function options(select, values, says) {
  const known = new Set([...select.options].map((option) => option.value));
  for (const value of [...values].sort()) {
    if (value && !known.has(value)) select.add(new Option(says(value), value));
  }
}

let counting = 0;
export function countSoon(queue, title) {
  counting ||= setTimeout(() => {
    counting = 0;
    count(queue, title);
  }, 50);
}
