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
    // What was delivered can be called right or wrong, not be cut again.
    const jobs = verdict === "again" ? targets.filter((id) => this.queue.item(id)?.state === "review") : targets;
    if (targets.length && !jobs.length) say("It was delivered: accept it as right, or reject it as wrong.");
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
    if (settings) this.decide("again", settings);
    else if (this.queue.current) byId("again").showModal();
  }

  // What a cutout can be asked for again with.
  offer() {
    const choices = [
      ...["fast", "balanced", "best"].map((quality) => [`Quality ${quality}`, { quality }]),
      ...this.facts.networks.map((model) => [`Network ${model}`, { model }]),
    ];
    byId("again-choices").replaceChildren(
      ...choices.map(([says, settings], place) => {
        const line = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = says;
        button.dataset.key = place + 1;
        button.addEventListener("click", () => {
          byId("again").close();
          this.decide("again", settings);
        });
        line.append(button);
        return line;
      }),
    );
  }
}
