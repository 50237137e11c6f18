// Requests to the service by messages of a widget's model, each with its answer; and whether anybody is there to answer.

import { make, unique } from "./elements.js";

const WAIT = 30_000; // milliseconds after which a kernel that says nothing is mentioned
const SILENT = "The kernel does not answer. Is it busy, or stopped? Run the cell again once it is ready.";

// `ask(request)` gives the answer, or null and says why. `gone` is called when the kernel is another one, or none, so that
// nobody answers; `back` when somebody does again, as after a broken connection.
export function channelOf(model, el, gone, back) {
  const mine = unique("view");
  const waiting = new Map();
  const trouble = make("p", { role: "alert", class: "tg-note" });
  let count = 0;
  let alive = true;

  const hear = (message) => {
    waiting.get(message.to)?.(message);
    waiting.delete(message.to);
  };
  const turn = (now) => {
    if (now === alive) return;
    alive = now;
    waiting.clear();
    if (alive) back();
    else gone();
  };
  // anywidget calls listeners with the view as `this`, whose model knows; other fronts have no such event.
  function look() { turn(this?.model?.comm_live ?? true); }
  model.on("msg:custom", hear);
  model.on("comm_live_update", look);
  // A saved notebook may show a widget whose kernel is long gone: JupyterLab marks its view.
  requestAnimationFrame(() => turn(!el.closest(".jupyter-widgets-disconnected")));

  async function ask(request) {
    if (!alive) return null;
    const to = `${mine}-${++count}`;
    const late = setTimeout(() => { trouble.textContent = SILENT; }, WAIT);
    const message = await new Promise((resolve) => {
      waiting.set(to, resolve);
      model.send({ to, request: { sheet: model.get("sheet"), ...request } });
    });
    clearTimeout(late);
    trouble.textContent = message.error ? [message.error.message, message.error.hint].filter(Boolean).join(": ") : "";
    return message.ok ?? null;
  }

  return {
    ask, trouble,
    close() {
      model.off("msg:custom", hear);
      model.off("comm_live_update", look);
    },
  };
}
