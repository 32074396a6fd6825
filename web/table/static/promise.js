// The promise: what is known of those that nobody looked at, and which ones the queue asks about because of it.
import { post } from "./api.js";
import { byId, say } from "./panel.js";

export class Promised {
  constructor(queue, decisions) {
    this.queue = queue;
    this.held = false;
    byId("promise").addEventListener("change", async (event) => {
      const wanted = event.target.value;
      await decisions.saved(post("/api/promise", { share: Number(wanted) }));
    });
  }

  // The server's word: {share, folders, sentences, looks}.
  take({ share, folders, sentences, looks }) {
    byId("promise").value = String(share);
    const known = byId("known");
    known.hidden = sentences.length === 0;
    known.replaceChildren(
      ...sentences.map((sentence) => {
        const line = document.createElement("span");
        line.textContent = sentence;
        return line;
      }),
    );
    const holds = folders.length > 0 && folders.every((folder) => folder.holds);
    if (holds && !this.held) say("Enough was looked at: the promise holds.");
    this.held = holds;
    known.dataset.holds = holds ? "yes" : "no";
    this.queue.ask(looks);
  }
}
