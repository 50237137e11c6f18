// What there is to answer with: the six inputs of a prompt, and an answer of several of them.

import { button, html, make, unique } from "./elements.js";

// Each returns { body, read(), draft(), fill(raw), lock(), first }: `read` gives the raw answer, or null while there is none;
// `draft` gives what is there so far, of which `fill` makes the same again.

const list = (raw) => { // the entries of a JSON array, where a text is one
  try {
    const found = raw.startsWith("[") ? JSON.parse(raw) : null;
    return Array.isArray(found) ? found.flat(2).map((entry) => String(entry ?? "")) : null;
  } catch {
    return null;
  }
};

function choose({ many, letters, options, label }) {
  const group = unique("pick");
  const inputs = letters.map((letter) =>
    make("input", { type: many ? "checkbox" : "radio", name: group, value: letter, id: `${group}-${letter}` }));
  const rows = options.map((option, place) =>
    make("div", { class: "tg-option" }, inputs[place],
      make("label", { for: inputs[place].id },
        make("span", { class: "tg-letter" }, letters[place]), html("span", {}, option))));
  return {
    body: make("fieldset", {}, make("legend", {}, label || (many ? "Mark all that hold" : "Mark one")), ...rows),
    read: () => inputs.filter((input) => input.checked).map((input) => input.value).join(" ") || null,
    draft: () => inputs.filter((input) => input.checked).map((input) => input.value).join(" "),
    fill: (raw) => inputs.forEach((input) => { input.checked = (raw.match(/\b[A-H]\b/gi) ?? []).map((letter) => letter.toUpperCase()).includes(input.value); }),
    lock: () => inputs.forEach((input) => { input.disabled = true; }),
    first: inputs[0],
  };
}

const kept = (raw, name) => { // what a draft has under a name, where it is one of these
  try {
    const found = raw.startsWith(`{"${name}":`) ? JSON.parse(raw)[name] : null;
    return Array.isArray(found) ? found.map(String) : null;
  } catch {
    return null;
  }
};
const textsOf = (raw) => kept(raw, "texts");

export const field = (attributes) => make("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });

function number({ unit }) {
  const id = unique("number");
  const input = field({ id, class: "tg-number" });
  return {
    body: make("p", { class: "tg-row" }, make("label", { for: id }, unit ? `Your number (${unit})` : "Your number"), input),
    read: () => input.value.trim() || null,
    draft: () => input.value,
    fill: (raw) => { input.value = raw; },
    lock: () => { input.readOnly = true; },
    first: input,
  };
}

function numbers(asked) {
  const inputs = asked.map(({ cell, label }) => field(cell ? { "aria-label": label } : { id: unique("cell") }));
  const body = asked.every(({ cell }) => cell) ? table(asked, inputs) : make("div", { class: "tg-cells" }, ...inputs.map((input, place) =>
    make("div", { class: "tg-cell" }, make("label", { for: input.id }, asked[place].label), input)));
  const typed = () => inputs.map((input) => input.value.trim());
  return {
    body: make("fieldset", {}, make("legend", {}, "One number for each"), body),
    read: (between = " ") => {
      if (!typed().every(Boolean)) return null;
      return between === " " && typed().some((text) => /[\s,;]/.test(text)) ? JSON.stringify(typed()) : typed().join(between);
    },
    draft: () => (typed().some(Boolean) ? JSON.stringify(typed()) : ""),
    fill: (raw) => (list(raw) ?? raw.replace(/[,;[\]()]/g, " ").trim().split(/\s+/)).forEach((word, place) => { if (inputs[place]) inputs[place].value = word; }),
    lock: () => inputs.forEach((input) => { input.readOnly = true; }),
    first: inputs[0],
  };
}

// Cells of two dimensions: they come row by row.
function table(asked, inputs) {
  const columns = [...new Set(asked.map(({ cell }) => cell[1]))];
  const rows = [...new Set(asked.map(({ cell }) => cell[0]))];
  return make("div", { class: "tg-scroll" }, make("table", { class: "tg-table" },
    make("thead", {}, make("tr", {}, make("td"), ...columns.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map((name, row) => make("tr", {}, make("th", { scope: "row" }, name),
      ...columns.map((_, column) => make("td", {}, inputs[row * columns.length + column])))))));
}

const nameOf = ({ label, wanted }) => (label ? [make("code", {}, label), " is"] : [wanted ? `Your answer: ${wanted}` : "Your answer"]);

function texts(asked) {
  const inputs = asked.map(() => field({ id: unique("blank"), class: "tg-code-field" }));
  const rows = inputs.map((input, place) =>
    make("p", { class: "tg-row" }, make("label", { for: input.id }, ...nameOf(asked[place])), input));
  const blanks = asked.some(({ label }) => label);
  return {
    body: make("fieldset", {}, blanks ? make("legend", {}, inputs.length > 1 ? "Fill in the blanks" : "Fill in the blank") : null, ...rows),
    read: (between = "\n") => (inputs.every((input) => input.value.trim()) ? inputs.map((input) => input.value.trim()).join(between) : null),
    draft: () => (inputs.some((input) => input.value.trim()) ? JSON.stringify({ texts: inputs.map((input) => input.value) }) : ""),
    fill: (raw) => (textsOf(raw) ?? (inputs.length > 1 ? raw.split(/[;\n]/) : [raw])).forEach((part, place) => { if (inputs[place]) inputs[place].value = part.trim(); }),
    lock: () => inputs.forEach((input) => { input.readOnly = true; }),
    first: inputs[0],
  };
}

function order({ lines }) {
  const shown = make("ol", { class: "tg-lines" });
  const said = make("p", { role: "status", class: "tg-quiet" });
  let places = lines.map((_, place) => place);
  let locked = false;
  let dragged = null;

  const changed = () => shown.dispatchEvent(new Event("input", { bubbles: true })); // as typing does

  function move(place, by) {
    const to = place + by;
    if (locked || to < 0 || to >= places.length) return;
    [places[place], places[to]] = [places[to], places[place]];
    draw();
    changed();
    said.textContent = `${lines[places[to]].trim()}: now line ${to + 1} of ${places.length}`;
    const buttons = shown.children[to].querySelectorAll("button");
    const same = buttons[by < 0 ? 0 : 1];
    (same.disabled ? buttons[by < 0 ? 1 : 0] : same).focus();
  }

  function draw() {
    shown.replaceChildren(...places.map((line, place) => {
      const text = lines[line].trim();
      const item = make("li", {
        draggable: locked ? "false" : "true",
        ondragstart: (event) => { dragged = place; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", ""); },
        ondragover: (event) => { if (dragged !== null) event.preventDefault(); },
        ondrop: (event) => {
          event.preventDefault();
          event.stopPropagation();
          if (dragged === null || locked) return;
          places.splice(place, 0, places.splice(dragged, 1)[0]);
          dragged = null;
          draw();
          changed();
        },
        ondragend: () => { dragged = null; },
      },
      button("↑", () => move(place, -1), { "aria-label": `Move up: ${text}`, disabled: locked || place === 0 }),
      button("↓", () => move(place, 1), { "aria-label": `Move down: ${text}`, disabled: locked || place === places.length - 1 }),
      make("code", {}, lines[line]));
      return item;
    }));
  }
  draw();
  return {
    body: make("fieldset", {}, make("legend", {}, "Put the lines in order: with the arrows, or by dragging"), shown, said),
    read: () => places.map((place) => place + 1).join(" "),
    draft: () => places.map((place) => place + 1).join(" "),
    fill: (raw) => {
      const found = (raw.match(/\d+/g) ?? []).map((digits) => Number(digits) - 1);
      if (found.length === lines.length && new Set(found).size === lines.length && found.every((place) => place in lines)) { places = found; draw(); }
    },
    lock: () => { locked = true; draw(); },
    get first() { return shown.querySelector("button:not([disabled])"); },
  };
}

function code({ starter, cases, label }) {
  const id = unique("code");
  const area = make("textarea", {
    id, class: "tg-write", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
    rows: Math.min(24, starter.split("\n").length + 3),
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault(); // a new line begins under the last one, or four further in after a colon
      const before = area.value.slice(0, area.selectionStart).split("\n").pop();
      const indent = before.match(/^ */)[0] + (/:\s*$/.test(before) ? "    " : "");
      area.setRangeText(`\n${indent}`, area.selectionStart, area.selectionEnd, "end");
    },
  });
  area.value = starter;
  return {
    body: make("div", {},
      make("label", { for: id }, label), area,
      cases ? html("p", { class: "tg-note" }, cases) : null,
      make("p", { class: "tg-note" }, "Ctrl + Enter checks it.")),
    read: () => (area.value.trim() ? `${area.value}\n` : null),
    draft: () => area.value,
    fill: (raw) => { area.value = raw.replace(/\n$/, ""); },
    lock: () => { area.readOnly = true; },
    first: area,
  };
}

// Inputs that are numbers, or texts, and stand together are one group; an answer has a part for each group.
const GROUPS = { number: (group) => (group.length > 1 || group[0].label ? numbers(group) : number(group[0])), text: texts };
const SINGLE = { choose, order, code };

export function inputsOf(asked) {
  const groups = [];
  for (const one of asked) {
    const last = groups.at(-1);
    if (last && last[0].type === one.type && GROUPS[one.type]) last.push(one);
    else groups.push([one]);
  }
  const parts = groups.map((group) => (GROUPS[group[0].type] ?? (([one]) => SINGLE[one.type](one)))(group));
  if (parts.length === 1) return parts[0];
  return {
    body: make("div", {}, ...parts.map((part) => part.body)),
    read: () => {
      const read = parts.map((part) => part.read("; "));
      return read.includes(null) ? null : read.join("; ");
    },
    draft: () => (parts.some((part) => part.draft()) ? JSON.stringify({ parts: parts.map((part) => part.draft()) }) : ""),
    fill: (raw) => {
      const drafts = kept(raw, "parts");
      if (drafts) return parts.forEach((part, place) => { if (drafts[place]) part.fill(drafts[place]); });
      const texts = raw.split(/[;\n]/);
      parts.forEach((part, place) => part.fill(texts.splice(0, groups[place].length).join("; ").trim()));
    },
    lock: () => parts.forEach((part) => part.lock()),
    first: parts[0].first,
  };
}
