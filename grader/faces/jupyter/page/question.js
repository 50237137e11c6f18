// One question: asked, answered, explained.

import { button, html, make, unique } from "./elements.js";
import { MARKS, explanationOf, followUp, verdictOf } from "./feedback.js";
import { drawing } from "./figures.js";
import { inputsOf } from "./inputs.js";

// What an answer answers: another tab may have answered in the meantime, and a second click is the same answer.
function answerOf(question, raw) {
  question.token ??= `${Date.now()}-${Math.random()}`;
  return { do: "answer", raw, tries: question.tries, token: question.token };
}

function card(question, tell) {
  const parts = [];
  if (!question.back.length) return [make("p", {}, "Say to yourself what is on the back."), button("Turn it over", () => tell({ do: "turn" }), { class: "tg-first" })];
  parts.push(html("div", { class: "tg-back" }, question.back.join("")));
  if (!question.told) {
    parts.push(make("fieldset", { class: "tg-buttons" }, make("legend", {}, "How well did you know it?"),
      ...question.inputs[0].options.map((word, place) => button(word, () => tell(answerOf(question, String(place + 1)))))));
  }
  return parts;
}

// Asked, hinted at, given up, answered: each is told to the service by `tell`, with what is said while it is waited for.
function tellerOf(section, status, act) {
  return async (message, waiting = "") => {
    section.setAttribute("aria-busy", "true");
    section.querySelectorAll("button").forEach((one) => { one.disabled = true; });
    if (waiting) status.replaceChildren(make("p", { class: "tg-note" }, waiting));
    await act(message);
    section.removeAttribute("aria-busy");
  };
}

function headingOf(question, id) {
  const skilled = [question.level, question.skill].filter(Boolean).join(", ");
  const what = question.shows === "predict" ? "Predict" : "Question";
  const place = question.of > 1 ? `${what} ${question.place + 1} of ${question.of}` : what;
  return make("p", { class: "tg-heading", role: "heading", "aria-level": "4", id }, place,
    skilled ? make("span", { class: "tg-meta" }, skilled) : null);
}

const unfolded = new Set(); // setups that are open: they stay so when the question is drawn again, and in those that share them

function stemOf(question) {
  const parts = question.origin ? [make("p", { class: "tg-note" }, question.origin)] : [];
  parts.push(html("div", { class: "tg-stem" }, question.stem));
  for (const given of question.before ?? []) parts.push(make("details", { open: unfolded.has(given.label), ontoggle: (event) => (event.target.open ? unfolded.add(given.label) : unfolded.delete(given.label)) }, make("summary", {}, `Given: ${given.label}`), html("div", {}, given.code)));
  if (question.program) parts.push(html("div", { class: "tg-scroll", tabindex: "0", role: "group", "aria-label": "Program" }, question.program));
  return [...parts, ...(question.figures ?? []).map(drawing)];
}

function formOf(question, tell, typing) {
  const { told, earlier } = question;
  const closed = Boolean(told?.final || earlier);
  const answer = inputsOf(question.inputs);
  const given = told ?? earlier;
  const before = question.draft ?? given?.picked?.join(" ") ?? given?.response;
  if (before) answer.fill(before);
  const missing = make("p", { class: "tg-note", role: "status" });
  const check = () => {
    const raw = answer.read();
    if (raw === null) {
      missing.textContent = "There is no whole answer yet.";
      answer.first?.focus();
    } else {
      tell(answerOf(question, raw), "Checking in PyTorch ...");
    }
  };
  const form = make("form", {
    onsubmit: (event) => { event.preventDefault(); if (!closed) check(); },
    oninput: () => { if (!closed) typing(answer.draft); },
    onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !closed) { event.preventDefault(); check(); } },
  }, answer.body, missing);
  if (closed) answer.lock();
  else form.append(actionsOf(question, tell));
  return form;
}

function actionsOf(question, tell) {
  const skip = question.told ? "Show the solution" : question.shows === "predict" ? "Show without predicting" : "Skip";
  const actions = make("div", { class: "tg-buttons" }, make("button", { type: "submit", class: "tg-first" }, question.told ? "Check again" : "Check"));
  if (question.hints_left) actions.append(button(`Hint (${question.hints_left} left)`, () => tell({ do: "hint" })));
  actions.append(button(skip, () => tell({ do: "solution" })));
  if (question.attempts_left !== null) actions.append(make("span", { class: "tg-note" }, `Attempts left: ${question.attempts_left}`));
  if (question.seconds !== null) actions.append(clock(question.seconds));
  return actions;
}

function earlierOf(earlier, tell) {
  const on = new Date(earlier.at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
  return [make("p", {}, make("span", { class: "tg-mark", "aria-hidden": "true" }, MARKS[earlier.outcome]), `Answered on ${on}: `, make("strong", {}, earlier.word)),
    make("div", { class: "tg-buttons" }, button("Show why", () => tell({ do: "recall" }, "Looking it up ...")), button("Answer again", () => tell({ do: "again" })))];
}

function toldOf(question, tell) {
  const { told } = question;
  const parts = told.rating ? [make("p", {}, `Noted: ${["again", "hard", "good", "easy"][told.rating - 1]}.`)] : verdictOf(told);
  if (told.final && question.shows === "predict") parts.push(make("p", { class: "tg-note" }, "Now run the next cell, and compare what it prints with what you said."));
  if (told.follow_up) parts.push(followUp(told.follow_up, tell));
  if (told.explanation) parts.push(make("details", { class: "tg-why", open: told.outcome !== "correct" }, make("summary", {}, "Explanation"), ...explanationOf(told.explanation)));
  if (told.final && told.outcome !== "noted" && question.again) parts.push(make("div", { class: "tg-buttons" }, button("Answer again", () => tell({ do: "again" }))));
  return parts;
}

// `question.shows` is `predict` where it is about what the next cell will print.
export function draw(section, question, act, typing) {
  const heading = unique("heading");
  const parts = [headingOf(question, heading)];
  section.setAttribute("aria-labelledby", heading);
  if (question.trouble) {
    section.replaceChildren(...parts, make("p", { role: "alert" }, question.trouble));
    return;
  }
  const { told, earlier } = question;
  const status = make("div", { class: "tg-told", role: "status", tabindex: "-1" });
  const tell = tellerOf(section, status, act);
  parts.push(...stemOf(question), ...(question.reveals ? card(question, tell) : [formOf(question, tell, typing)]));
  if (question.hints?.length) parts.push(make("ol", { class: "tg-hints", "aria-label": "Hints" }, ...question.hints.map((hint) => html("li", {}, hint))));
  if (earlier) {
    status.append(...earlierOf(earlier, tell));
    status.dataset.outcome = earlier.outcome;
  }
  if (told) {
    status.dataset.outcome = told.rating ? "noted" : told.outcome;
    status.append(...toldOf(question, tell));
  }
  if (question.remark) status.append(make("p", { class: "tg-note" }, question.remark));
  if (question.notice) parts.push(make("p", { class: "tg-note", role: "note" }, question.notice));
  section.replaceChildren(...parts, status);
}

function clock(seconds) {
  const end = Date.now() + seconds * 1000;
  const shown = make("span", { class: "tg-clock", role: "timer" });
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    shown.textContent = left ? `Time left: ${left} s` : "The time is up.";
    if (left && (shown.isConnected || left === seconds)) setTimeout(tick, 250);
  };
  tick();
  return shown;
}
