// A sheet of questions in a notebook. Everything that is shown comes from the kernel's service, message by message: this
// module keeps no answer, and what a saved notebook keeps of it is the name of a sheet.

import { channelOf } from "./channel.js";
import { draftsOf } from "./drafts.js";
import { button, make } from "./elements.js";
import { endOf } from "./feedback.js";
import { draw } from "./question.js";

const NAMES = { practice: "practice", try: "tasks to try", challenge: "challenge", test: "test", place: "where to begin", review: "review" };
const STALE = "The kernel that asked this was restarted or stopped. Run this cell again (Shift + Enter), and it goes on where you were.";
const FIRST = "input, textarea, form button, .tg-first";

// Nobody answers any more: said at each question, and what could be typed there is locked.
function lay(root) {
  for (const one of root.querySelectorAll("button")) one.disabled = true;
  for (const one of root.querySelectorAll("input, textarea")) one.disabled = true;
  const note = () => make("p", { class: "tg-stale", role: "status" }, STALE);
  const sections = root.querySelectorAll(".tg-question");
  if (!sections.length) root.replaceChildren(note());
  for (const section of sections) {
    section.removeAttribute("aria-busy");
    section.querySelector(":scope > .tg-stale")?.remove();
    section.querySelector(".tg-heading")?.after(note());
  }
}

// Questions of practice stand below one another; those of a test and a challenge come one at a time, and all at the end.
function pageOf(sheet, shows, channel, root) {
  const { ask, trouble } = channel;
  // Of a placement each question is drawn by the answers before it: its places grow, up to `most`.
  const exam = sheet.mode === "test" || sheet.mode === "place";
  const sections = Array.from({ length: sheet.most ?? sheet.places.length }, () => make("div", { class: "tg-question", role: "group" }));
  const end = make("div", { class: "tg-end", role: "status" });
  const oneByOne = exam || sheet.mode === "challenge";
  const drafts = draftsOf(sections.length, ask);
  const finish = (said) => { end.replaceChildren(...(said ? endOf(said, sheet.title) : [])); };

  function put(question) {
    const place = question.place;
    drafts.at(place).kept = question.draft ?? "";
    draw(sections[place], { again: !oneByOne, shows, ...question }, async (message) => {
      drafts.at(place).keep();
      const next = await ask({ ...message, place });
      if (!next) {
        sections[place].querySelectorAll("button").forEach((one) => { one.disabled = false; });
        return;
      }
      if (oneByOne && next.told?.final) return advance(next);
      put(next);
      finish(next.end);
      if (message.do === "again") sections[place].querySelector("input, textarea, button")?.focus();
      else if (message.do === "hint" || message.do === "turn") sections[place].querySelector(".tg-buttons button")?.focus();
      else sections[place].querySelector(".tg-told").focus();
    }, drafts.at(place).typing);
  }

  async function go(place) {
    root.replaceChildren(sections[place], trouble);
    put(await ask({ do: "show", place }));
    sections[place].querySelector(FIRST)?.focus();
  }

  async function all(said) {
    const there = sheet.most ? sections.slice(0, (await ask({ do: "state" })).places.length) : sections;
    root.replaceChildren(...(oneByOne ? [end, ...there] : [...there, end]), trouble);
    for (let place = 0; place < there.length; place += 1) {
      const question = await ask({ do: "show", place });
      if (question) put(question);
    }
    finish(said);
  }

  async function advance(question) {
    if (question.end) {
      await all(question.end);
      end.setAttribute("tabindex", "-1");
      end.focus();
      return;
    }
    const shown = await ask({ do: "state" });
    const next = shown.places.findIndex((one) => !one.answered);
    if (exam) {
      await go(next);
      return;
    }
    put(question);
    const step = make("div", { class: "tg-told", role: "status", tabindex: "-1" },
      make("div", { class: "tg-buttons" }, button("Next question", () => go(next), { class: "tg-first" })));
    sections[question.place].append(step);
    step.querySelector("button").focus();
  }

  function begin(place) {
    const intro = sheet.mode === "place"
      ? `Where to begin: ${place ? `it goes on with question ${place + 1}` : `at most ${sheet.most} questions, as few as your answers allow`}. Skip what you do not know.`
      : sheet.mode === "test"
      ? (place ? `Your test goes on with question ${place + 1} of ${sections.length}.` : `A test: ${sections.length} questions, easy to hard, no hints, explained at the end.`)
      : `A challenge: ${sections.length} problems, each with a time limit that begins when it is shown.`;
    root.replaceChildren(make("p", {}, intro), make("p", { class: "tg-note" }, "Every answer is kept at once."),
      make("div", { class: "tg-buttons" }, button(place ? "Go on" : "Start", () => go(place), { class: "tg-first" })), trouble);
  }

  return { drafts, oneByOne, begin, all };
}

async function render({ model, el }) {
  const root = make("div");
  const left = make("p", { class: "tg-note", role: "note" }); // out of the sheet, since something is wrong with it
  let drafts = null;
  const channel = channelOf(model, el, () => lay(root), () => start());
  el.append(make("div", { class: "tg" }, root, left));

  async function start() {
    root.replaceChildren(make("p", { class: "tg-note", role: "status" }, "Getting the questions ..."));
    const sheet = await channel.ask({ do: "state" });
    if (!sheet) {
      root.replaceChildren(channel.trouble);
      return;
    }
    const fallback = document.getElementById(model.get("beside"));
    if (fallback) fallback.hidden = true;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", `Questions: ${[sheet.title, NAMES[sheet.mode]].filter(Boolean).join(", ")}`);
    left.innerHTML = sheet.left_out_html;
    const page = pageOf(sheet, model.get("shows"), channel, root);
    drafts?.close();
    drafts = page.drafts;
    const first = sheet.places.findIndex((one) => !one.answered);
    if (page.oneByOne && first >= 0) page.begin(first);
    else await page.all(sheet.end);
  }

  await start();
  return () => {
    drafts?.close();
    channel.close();
  };
}

export default { render };
