// Charts and drawings, each with its numbers or its text for whoever prefers that.

import { html, make } from "./elements.js";

export function figure(chart) {
  return make("figure", { class: "tg-figure" },
    make("figcaption", {}, chart.svg ? null : make("strong", {}, chart.title), html("p", {}, chart.words)),
    chart.svg ? html("div", { class: "tg-drawing" }, chart.svg) : null,
    make("details", {}, make("summary", {}, "The numbers"), html("div", { class: "tg-scroll", tabindex: "0", role: "group", "aria-label": `Numbers: ${chart.title}` }, chart.table)));
}

// What is drawn with a stem: the drawing, and the same as text for whoever prefers that.
export function drawing(drawn) {
  if (drawn.table) return figure(drawn);
  return make("figure", { class: "tg-figure" },
    drawn.title ? make("figcaption", {}, make("strong", {}, drawn.title)) : null,
    html("div", { class: "tg-drawing tg-scroll", tabindex: "0", role: "group", "aria-label": drawn.title || "Figure" }, drawn.svg),
    make("details", {}, make("summary", {}, "As text"), html("pre", { class: "tg-code tg-scroll", tabindex: "0" }, `<code>${drawn.text}</code>`)));
}
