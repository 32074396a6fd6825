// Decisions: marked here at once, told to the server, and unmarked where it does not take them.
import { Gone, post } from "./api.js";
import { byId, countSoon, say } from "./panel.js";

export class Decisions {
  // facts: what the server said of itself. moving: called just before the next photo is wanted.
  constructor(queue, facts, moving) {
    this.queue = queue;
    this.facts = facts;
    this.moving = moving;
    this.saving = 0;
    // A photo to show once the server has told that it is open again.
    this.wanted = null;
    byId("again").addEventListener("keydown", (event) => {
      byId("again-choices").querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    });
  }

  // How what was delivered can be mended, where it can.
  get takesBack() {
    return this.facts.may_take_back ? " Q takes it back into review." : "";
  }

  // The answer to a request that changes something, or null where it failed, which is said.
  async saved(request) {
    this.saving += 1;
    document.body.dataset.saving = this.saving;
    try {
      return await request;
    } catch (error) {
      say(error instanceof Gone ? "The server does not answer: this was not saved." : error.message);
      return null;
    } finally {
      this.saving -= 1;
      document.body.dataset.saving = this.saving;
    }
  }

  // Mark jobs and go on; `request` tells the server.
  async mark(jobs, verdict, request) {
    const { queue } = this;
    const before = jobs.map((id) => queue.items.get(id)).filter(Boolean);
    this.moving();
    queue.mark(jobs, verdict);
    countSoon(queue, this.facts.title);
    if ((await this.saved(request)) === null) queue.take(before, []);
    countSoon(queue, this.facts.title);
  }

  decide(verdict, settings) {
    const targets = this.queue.targets();
    // What was delivered can be called right or wrong, or be taken back into review.
    const wanted = { again: "review", back: "done" }[verdict];
    const jobs = wanted ? targets.filter((id) => this.queue.item(id)?.state === wanted) : targets;
    const wrong = verdict === "reject" && jobs.some((id) => this.queue.item(id)?.state === "done");
    if (wrong) say(`Marked as wrong; it stays where it was delivered.${this.takesBack}`);
    if (jobs.length) this.mark(jobs, verdict, post("/api/decide", { jobs, verdict, settings }));
  }

  async undo() {
    const answer = await this.saved(post("/api/undo"));
    if (!answer) return;
    const [first] = answer.jobs;
    if (!first) say("There is nothing to take back.");
    else if (this.queue.order.includes(first)) this.queue.choose(first);
    else this.wanted = first;
  }

  async send() {
    const answer = await this.saved(post("/api/send"));
    if (!answer) return;
    if (!answer.sent) say("Nothing is decided that could be delivered.");
    else if (this.facts.delivering) say(`${answer.sent} are being delivered.`);
    else say(`${answer.sent} wait: start 'mattebox watch' or run 'mattebox once' to deliver them.`);
  }

  again(settings) {
    const item = this.queue.item();
    const back = item?.state === "done";
    if (settings && !back) this.decide("again", settings);
    else if (item) {
      this.offer(back);
      byId("again").showModal();
    }
  }

  // What a cutout can be asked for again with; what was delivered comes back for it.
  offer(back) {
    byId("again-title").textContent = back ? "Take it back into review and cut it again with" : "Ask again with";
    byId("again-back").hidden = !back;
    byId("again-choices").start = back ? 0 : 1;
    const choices = [
      ...(back ? [["The settings that it had", {}]] : []),
      ...["fast", "balanced", "best"].map((quality) => [`Quality ${quality}`, { quality }]),
      ...this.facts.networks.map((model) => [`Network ${model}`, { model }]),
    ];
    byId("again-choices").replaceChildren(
      ...choices.map(([says, settings], place) => {
        const line = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = says;
        button.dataset.key = back ? place : place + 1;
        button.addEventListener("click", () => {
          byId("again").close();
          this.decide(back ? "back" : "again", settings);
        });
        line.append(button);
        return line;
      }),
    );
  }
}
