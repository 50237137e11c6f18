// What is said of an answer, and of a sheet at its end.

import { button, html, make, percent, unique } from "./elements.js";
import { figure } from "./figures.js";
import { field } from "./inputs.js";

export const MARKS = { correct: "✓", partly: "◐", incorrect: "✗", skipped: "–", noted: "✓", unreadable: "?", "not-run": "!" };

const title = (text) => make("p", { class: "tg-title" }, text);
const labeled = (part) => make("li", { class: "tg-labeled" }, part.label ? make("span", { class: "tg-letter" }, part.label) : null, html("div", {}, part.text));

export function verdictOf(told) {
  const parts = [make("p", { class: "tg-verdict" },
    make("span", { class: "tg-mark", "aria-hidden": "true" }, MARKS[told.outcome] ?? ""),
    make("strong", {}, told.word), told.feedback ? html("span", {}, ` ${told.feedback}`) : null)];
  parts.push(...(told.details ?? []).map((text) => html("p", {}, text)));
  if (told.checks?.length) {
    parts.push(make("p", {}, `Correct for ${told.checks.filter((check) => check.passed).length} of ${told.checks.length} inputs:`),
      make("ul", { class: "tg-plain" }, ...told.checks.map((check) => make("li", {}, `${check.passed ? "right" : "wrong"}: ${check.inputs}`))));
  }
  if (told.table) {
    parts.push(make("table", { class: "tg-checks" }, make("tbody", {}, ...told.table.map((check) => make("tr", {},
      make("td", {}, check.passed ? "passed" : "failed"), make("th", { scope: "row" }, check.name), make("td", {}, check.points))))));
  }
  if (told.grids) parts.push(html("div", { class: "tg-drawing tg-scroll", tabindex: "0", role: "group", "aria-label": "Your values and the expected ones" }, told.grids));
  if (told.chart) parts.push(figure(told.chart));
  if (told.containment) parts.push(make("p", { class: "tg-note" }, told.containment));
  return parts;
}

export function explanationOf(explanation) {
  const parts = [];
  if (explanation.observed) parts.push(figure(explanation.observed));
  if (explanation.solution.length) parts.push(title("Solution"), make("ol", {}, ...explanation.solution.map((step) => html("li", {}, step))));
  parts.push(title(explanation.answer_title), make("ul", { class: "tg-plain" }, ...explanation.answer.map(labeled)));
  if (explanation.mistakes.length) parts.push(title("Common mistakes"), make("ul", { class: "tg-plain" }, ...explanation.mistakes.map(labeled)));
  parts.push(...explanation.see.map((page) => make("p", { class: "tg-note" }, `Read on: ${page}`)));
  if (explanation.credit) parts.push(make("p", { class: "tg-note" }, explanation.credit));
  return parts;
}

export function endOf(end, title_) {
  const parts = [make("p", { class: "tg-title" }, `${end.right} of ${end.of} right${end.score === null ? "" : `, score ${percent(end.score)}`}`)];
  if (end.badge) parts.push(make("p", { class: "tg-badge" }, `★ Badge: ${title_} challenge, all ${end.of} right and in time.`));
  if (end.placed) {
    parts.unshift(make("p", { class: "tg-verdict" }, make("strong", {}, end.placed.words)));
    parts.push(make("ul", { class: "tg-plain" }, ...end.placed.topics.map((one) => make("li", {}, `${one.title}: ${one.words}`))));
  }
  const said = end.verdict;
  if (said) {
    const words = { strong: "strong", "getting there": "getting there", "not yet": "not there yet" };
    parts.push(make("p", { class: "tg-verdict" }, make("strong", {}, `${title_}: ${words[said.word]}`)),
      make("p", {}, `${said.points} of ${said.asked} points. With 90 % certainty you answer between ${percent(said.low)} and ${percent(said.high)} of such questions right. That it is more than ${percent(said.above)} is ${percent(said.certainty)} certain.`),
      make("ul", { class: "tg-plain" }, ...said.skills.map((skill) => make("li", {}, `${skill.name}: ${skill.points} of ${skill.asked}`))));
    if (said.weakest) parts.push(make("p", {}, `Weakest: ${said.weakest}.`));
    if (said.mistakes.length) parts.push(title("Misconceptions"), make("ul", {}, ...said.mistakes.map((one) => html("li", {}, one.text))));
    parts.push(...said.read.map((page) => make("p", { class: "tg-note" }, `Read next: ${page}`)));
  }
  return parts;
}

export function followUp(asked, tell) {
  const id = unique("follow");
  const input = field({ id, inputmode: "decimal", class: "tg-number" });
  const done = asked.told && asked.told.outcome !== "unreadable";
  return make("form", { class: "tg-follow", onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) tell({ do: "follow", raw: input.value }); } },
    title("And now your own code"), html("div", { id: `${id}-stem` }, asked.stem),
    ...(asked.told ? verdictOf(asked.told) : []),
    ...(done ? [] : [make("p", { class: "tg-row" }, make("label", { for: id }, "Your number"), input), make("div", { class: "tg-buttons" }, make("button", { type: "submit" }, "Check"))]));
}
