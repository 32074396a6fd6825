// Keys: one table of what each does, from which the dispatcher, the buttons and the help come.

export class Keys {
  constructor() {
    this.rows = [];
    this.held = null;
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("keyup", (event) => this.released(event));
    window.addEventListener("blur", () => this.released(null));
  }

  // group, keys as KeyboardEvent.key in lower case ("shift+arrowdown"), what it does, and how.
  // when: whether it is offered now. hold: what happens when the key is let go.
  add(group, keys, says, run, { when = () => true, hold = null } = {}) {
    this.rows.push({ group, keys: keys.split(" "), says, run, when, hold });
  }

  find(name) {
    return this.rows.find((row) => row.keys.includes(name) && row.when());
  }

  pressed(event) {
    if (document.querySelector("dialog[open]:not(#again)")) return;
    if (event.target.closest?.("select, input, textarea") && event.key !== "Escape") return;
    if (event.target.closest?.("button") && (event.key === "Enter" || event.key === " ")) return;
    if (event.altKey) return;
    const name = nameOf(event);
    const row = this.find(name);
    if (!row) return;
    event.preventDefault();
    if (row.hold && event.repeat) return;
    row.run(event);
    if (row.hold) this.held = { key: event.key, row };
  }

  released(event) {
    if (!this.held || (event && event.key !== this.held.key)) return;
    this.held.row.hold();
    this.held = null;
  }

  help(place) {
    const groups = Map.groupBy
      ? Map.groupBy(this.rows, (row) => row.group)
      : this.rows.reduce((all, row) => all.set(row.group, [...(all.get(row.group) ?? []), row]), new Map());
    place.replaceChildren(
      ...[...groups].map(([group, rows]) => {
        const section = document.createElement("section");
        const title = document.createElement("h3");
        title.textContent = group;
        const list = document.createElement("dl");
        for (const row of rows.filter((one) => one.says)) {
          const key = document.createElement("dt");
          key.textContent = row.keys.map(shown).join("  or  ");
          const says = document.createElement("dd");
          says.textContent = row.says;
          list.append(key, says);
        }
        section.append(title, list);
        return section;
      }),
    );
  }
}

function nameOf(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const control = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const shift = event.shiftKey && (key.length > 1 || control) ? "shift+" : "";
  return `${control}${shift}${key}`;
}

const NAMES = { arrowdown: "↓", arrowup: "↑", arrowleft: "←", arrowright: "→", space: "Space", escape: "Esc" };

export function shown(key) {
  return key
    .split("+")
    .map((part) => NAMES[part] ?? part.charAt(0).toUpperCase() + part.slice(1))
    .join("+");
}
