// The light table: keys and buttons in, decisions to the server, the next photo onto the stage.
import { getJson, listen, post } from "./api.js";
import { Compare } from "./compare.js";
import { Decisions } from "./decisions.js";
import { Keys, shown } from "./keys.js";
import { Mend, TOOLS } from "./mend.js";
import { byId, countSoon, say, tell } from "./panel.js";
import { Pictures } from "./pictures.js";
import { Promised } from "./promise.js";
import { Queue, isOpen } from "./queue.js";
import { GROUNDS, Stage } from "./stage.js";
import { learn } from "./words.js";

const AHEAD = 4;
const pictures = new Pictures();
const stage = new Stage(byId("canvas"));
const keys = new Keys();
const queue = new Queue(byId("list"), byId("rows"), (item) => show(item));
const mend = new Mend(stage, say, mendChanged);
const compare = new Compare(byId("grid"), stage, takeVariant);
const facts = { title: "Mattebox", delivering: true, networks: [] };
const decisions = new Decisions(queue, facts, () => {
  pressed = performance.now();
});
const promised = new Promised(queue, decisions);
let pressed = 0;

// ---- the photo on the stage

async function show(item) {
  const began = pressed;
  pressed = 0;
  if (mend.on && mend.item.id !== item?.id) mend.close();
  if (compare.on && compare.item.id !== item?.id) compare.close();
  byId("nothing").hidden = item !== null;
  tell(item);
  if (!item) {
    stage.show(null, null);
    stage.draw();
    return;
  }
  const entry = pictures.of(item);
  if (!entry.done) await entry.ready;
  if (queue.current !== item.id) return;
  if (entry.error && document.body.dataset.live !== "no") say(entry.error);
  stage.show(item, entry);
  requestAnimationFrame(() => {
    if (began) performance.measure("key to picture", { start: began, end: performance.now() });
    document.body.dataset.painted = item.id;
    for (const next of queue.coming(AHEAD)) pictures.of(next);
    if (mending && !mend.on && !compare.on && isOpen(item)) mend.open(item, queue.coming(2)[1]);
  });
}

// ---- mend, compare and hand over

let mending = false;

async function toggleMend() {
  if (mend.on) {
    mending = false;
    mend.close();
    return;
  }
  const item = queue.item();
  if (!item || !stage.entry?.facts?.before || item.state !== "review") {
    say(`Only a photo in review can be mended.${item?.state === "done" ? decisions.takesBack : ""}`);
    return;
  }
  if (compare.on) compare.close();
  mending = true;
  await mend.open(item, queue.coming(2)[1]);
}

function mendChanged() {
  byId("mend-tools").hidden = !mend.on;
  byId("tools").hidden = mend.on;
  for (const button of byId("mend-tools").querySelectorAll("button")) {
    if (button.dataset.tool) button.setAttribute("aria-pressed", button.dataset.tool === mend.tool);
  }
  press();
}

async function acceptMended() {
  const { item } = mend;
  if (!mend.touched) {
    decisions.decide("accept");
    return;
  }
  await decisions.mark([item.id], "accept", mend.accept());
}

async function toggleCompare() {
  if (compare.on) {
    compare.close();
    return;
  }
  const item = queue.item();
  if (!item || item.state !== "review") {
    say(`Only a photo in review can be compared.${item?.state === "done" ? decisions.takesBack : ""}`);
    return;
  }
  if (mend.on) mend.close();
  try {
    const { variants } = await getJson(`/api/photo/${item.id}/variants`);
    await compare.open(item, variants);
  } catch (error) {
    say(error.message);
  }
}

async function takeVariant(place) {
  const { item } = compare;
  compare.close();
  await decisions.mark([item.id], "accept", post(`/api/photo/${item.id}/variants/${place}/take`));
}

async function handOver() {
  const item = queue.item();
  if (!item) return;
  if (await decisions.saved(post(`/api/photo/${item.id}/hand-over`))) {
    say("It opens in your program; save it there, and it is accepted as you saved it.");
  }
}

// ---- keys

const idle = { when: () => !byId("again").open && !mend.on && !compare.on };
const looking = { when: () => !byId("again").open && !compare.on };
const atMend = { when: () => mend.on };
const atCompare = { when: () => compare.on };
for (const { name, key, says } of TOOLS) keys.add("Mend", key, says, () => mend.choose(name), atMend);
keys.add("Mend", "[", "smaller brush", () => mend.resize(0.8), atMend);
keys.add("Mend", "]", "larger brush", () => mend.resize(1.25), atMend);
keys.add("Mend", "arrowleft", "move the cross (with Shift by more)", () => mend.nudge(-1, 0, false), atMend);
keys.add("Mend", "arrowright", "", () => mend.nudge(1, 0, false), atMend);
keys.add("Mend", "arrowup", "", () => mend.nudge(0, -1, false), atMend);
keys.add("Mend", "arrowdown", "", () => mend.nudge(0, 1, false), atMend);
keys.add("Mend", "shift+arrowleft", "", () => mend.nudge(-1, 0, true), atMend);
keys.add("Mend", "shift+arrowright", "", () => mend.nudge(1, 0, true), atMend);
keys.add("Mend", "shift+arrowup", "", () => mend.nudge(0, -1, true), atMend);
keys.add("Mend", "shift+arrowdown", "", () => mend.nudge(0, 1, true), atMend);
keys.add("Mend", "space", "click at the cross", () => mend.press(), atMend);
keys.add("Mend", "u ctrl+z backspace", "take the last click or stroke back", () => mend.undo(), atMend);
keys.add("Mend", "n", "begin anew, without the matte that was there", () => mend.begin(), atMend);
keys.add("Mend", "a enter", "accept it as it is mended", acceptMended, atMend);
keys.add("Mend", "escape m", "leave it unmended", toggleMend, atMend);
for (let place = 0; place < 9; place++) {
  const says = place ? "" : "(and 2, 3, …) take this one";
  keys.add("Compare", `${place + 1}`, says, () => takeVariant(place), {
    when: () => compare.on && place < byId("grid").children.length,
  });
}
keys.add("Compare", "escape c", "leave", toggleCompare, atCompare);

const look = () => stage.draw();
keys.add("Decide", "a", "accept (of a delivered one: it is right)", () => decisions.decide("accept"), idle);
keys.add("Decide", "r", "reject (a mark; the photo stays, also where it was delivered)", () => decisions.decide("reject"), idle);
keys.add("Decide", "b", "cut it again, best quality", () => decisions.again({ quality: "best" }), idle);
keys.add("Decide", "q", "cut it again with another quality or network; a delivered one comes back into review", () => decisions.again(), idle);
keys.add("Decide", "u ctrl+z", "take the last decision back", () => decisions.undo(), idle);
keys.add("Decide", "d", "deliver what is decided", () => decisions.send(), idle);
keys.add("Move", "arrowdown j", "next photo", () => move(1), idle);
keys.add("Move", "arrowup k", "photo before", () => move(-1), idle);
keys.add("Move", "shift+arrowdown", "select a run downwards", () => queue.move(1, true), idle);
keys.add("Move", "shift+arrowup", "select a run upwards", () => queue.move(-1, true), idle);
keys.add("Move", "home", "first photo", () => queue.move(-queue.order.length), idle);
keys.add("Move", "end", "last photo", () => queue.move(queue.order.length), idle);
keys.add("Move", "ctrl+a", "select all that are shown", selectAll, idle);
keys.add("Mend", "m", "mend by clicks and brush", toggleMend, idle);
keys.add("Compare", "c", "by fast, balanced, best and other networks, side by side", toggleCompare, idle);
keys.add("Page", "g", "open the PSD in your program; what you save there comes back", handOver, idle);
keys.add("Page", "e", "save the batch as a contact sheet", saveSheet, idle);
keys.add("Look", "f", "next ground: checker, black, white, magenta, the rule's own", nextGround, looking);
keys.add("Look", "space", "hold: the photo before", () => before(true), { ...idle, hold: () => before(false) });
keys.add("Look", "s", "slider between before and after", toggleSlider, looking);
keys.add("Look", "x", "the matte alone", () => toggle("matte"), looking);
keys.add("Look", "t", "tint what is unsure", () => toggle("band"), looking);
keys.add("Look", "w", "the box that warnings mean", () => toggle("boxes"), looking);
keys.add("Look", "z", "1:1 at the pointer, and back", () => stage.toggleZoom(), looking);
keys.add("Look", "+ =", "larger", () => stage.zoomBy(1.25), looking);
keys.add("Look", "-", "smaller", () => stage.zoomBy(0.8), looking);
keys.add("Page", "?", "these keys", help, idle);
keys.add("Page", "/", "to the filters", () => byId("filter-state").focus(), idle);
keys.add("Page", "escape", "leave what is open", leave, idle);
keys.add("Page", "p", "to the promise: how much may be wrong among those that nobody looks at", () => byId("promise").focus(), idle);
keys.add("Page", "l", "to the list", () => byId("list").focus(), idle);

function saveSheet() {
  const link = document.createElement("a");
  link.href = "/api/sheet";
  link.download = "contact-sheet.html";
  link.click();
}

function leave() {
  byId("list").focus();
}

function move(by) {
  pressed = performance.now();
  queue.move(by);
}

function selectAll() {
  queue.selected = new Set(queue.order);
  queue.draw();
  say(`${queue.order.length} are selected.`);
}

function nextGround() {
  const has = stage.entry?.facts?.ground;
  const all = GROUNDS.filter((name) => name !== "rule" || has);
  stage.ground = all[(all.indexOf(stage.ground) + 1) % all.length];
  document.body.dataset.ground = stage.ground;
  look();
}

function before(on) {
  stage.before = on;
  stage.moved();
}

function toggle(what) {
  stage[what] = !stage[what];
  press();
  look();
}

function toggleSlider() {
  stage.slider = stage.slider === null ? 0.5 : null;
  press();
  look();
}

function help() {
  keys.help(byId("help-keys"));
  byId("help").showModal();
}

// ---- buttons: each does what its key does

const BUTTONS = [
  ["Accept", "a"], ["Reject", "r"], ["Again", "q"], ["Undo", "u"],
  ["Ground", "f"], ["Slider", "s", () => stage.slider !== null], ["Matte", "x", () => stage.matte],
  ["Unsure", "t", () => stage.band], ["1:1", "z"],
  ["Mend", "m", () => mend.on], ["Compare", "c", () => compare.on], ["Open PSD", "g"],
];

function press() {
  for (const button of byId("tools").querySelectorAll("button")) {
    if (button.isPressed) button.setAttribute("aria-pressed", button.isPressed());
  }
}

for (const [says, key, isPressed] of BUTTONS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = says;
  button.dataset.key = shown(key);
  button.isPressed = isPressed;
  button.title = keys.find(key).says;
  button.addEventListener("click", () => keys.find(key)?.run());
  byId("tools").append(button);
}
for (const { name, label, key, says } of TOOLS) {
  mendButton(label, key, () => mend.choose(name), name).title = says;
}
mendButton("Smaller", "[", () => mend.resize(0.8));
mendButton("Larger", "]", () => mend.resize(1.25));
mendButton("Take back", "U", () => mend.undo());
mendButton("Begin anew", "N", () => mend.begin());
mendButton("Accept", "A", acceptMended);
mendButton("Leave", "Esc", toggleMend);

function mendButton(says, key, run, tool) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = says;
  button.dataset.key = key;
  if (tool) button.dataset.tool = tool;
  button.addEventListener("click", run);
  byId("mend-tools").append(button);
  return button;
}
byId("sheet").addEventListener("click", saveSheet);
const hold = document.createElement("button");
hold.type = "button";
hold.textContent = "Before";
hold.dataset.key = "Space";
hold.title = "hold: the photo before";
hold.addEventListener("pointerdown", () => before(true));
for (const name of ["pointerup", "pointerleave", "pointercancel"]) hold.addEventListener(name, () => before(false));
byId("tools").append(hold);
byId("send").addEventListener("click", () => decisions.send());
byId("help-button").addEventListener("click", help);
for (const name of ["state", "warning", "folder", "rule"]) {
  byId(`filter-${name}`).addEventListener("change", (event) => {
    queue.filters[name] = event.target.value;
    queue.arrange();
  });
}

// ---- the server's word

function take(message) {
  if (message.title !== undefined) Object.assign(facts, message);
  learn(message.words);
  if (message.say) say(message.say);
  if (message.delivering !== undefined) facts.delivering = message.delivering;
  if (message.title !== undefined) {
    byId("title").textContent = facts.title;
    byId("promise-label").hidden = !facts.may_promise;
  }
  if (message.all) {
    queue.items = new Map(message.all.map((item) => [item.id, item]));
    for (const row of queue.drawn.values()) row.remove();
    queue.drawn.clear();
    queue.arrange();
    document.body.dataset.live = "yes";
  }
  if (message.items) {
    const old = queue.item();
    queue.take(message.items, message.gone);
    const now = queue.item();
    if (now && old && now.id === old.id) {
      if (now.v !== old.v) show(now);
      else if (now !== old) tell(now);
    }
  }
  if (message.promise) promised.take(message.promise);
  if (decisions.wanted && queue.order.includes(decisions.wanted)) {
    queue.choose(decisions.wanted);
    decisions.wanted = null;
  }
  countSoon(queue, facts.title);
}

listen(take, () => {
  if (document.body.dataset.live === "no") return;
  document.body.dataset.live = "no";
  say("The server does not answer; what was decided is kept in the journal.");
});
