// Questions in a notebook. Everything that is shown comes from the kernel's desk, message by message: this module keeps
// no answer, and what a saved notebook keeps of it is the name of a sheet.

const WAIT = 30_000; // milliseconds after which a kernel that says nothing is mentioned
const MARKS = { correct: "✓", partly: "◐", incorrect: "✗", skipped: "–", noted: "✓", unreadable: "?", "not-run": "!" };
const NAMES = { practice: "practice", try: "tasks to try", challenge: "challenge", test: "test" };

// ---------------------------------------------------------------- small helpers

let serial = 0;
const unique = (word) => `tg-${word}-${++serial}-${Math.random().toString(36).slice(2, 8)}`;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== ""));
  return element;
}

// The desk escapes all text and makes the HTML itself.
function html(tag, attributes, markup) {
  const element = make(tag, attributes);
  element.innerHTML = markup;
  return element;
}

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);
const percent = (share) => `${Math.round(share * 100)} %`;

// ---------------------------------------------------------------- what there is to answer with

// Each returns { body, read(), fill(raw), lock(), first }: `read` gives the raw answer, or null while there is none.

function pick(question) {
  const group = unique("pick");
  const { many, letters, options } = question.interaction;
  const inputs = letters.map((letter) =>
    make("input", { type: many ? "checkbox" : "radio", name: group, value: letter, id: `${group}-${letter}` }));
  const rows = options.map((option, place) =>
    make("div", { class: "tg-option" }, inputs[place],
      make("label", { for: inputs[place].id },
        make("span", { class: "tg-letter" }, letters[place]), html("span", {}, option))));
  return {
    body: make("fieldset", {}, make("legend", {}, many ? "Mark all that hold" : "Mark one"), ...rows),
    read: () => inputs.filter((input) => input.checked).map((input) => input.value).join(" ") || null,
    fill: (raw) => inputs.forEach((input) => { input.checked = (raw.match(/\b[A-H]\b/gi) ?? []).map((letter) => letter.toUpperCase()).includes(input.value); }),
    lock: () => inputs.forEach((input) => { input.disabled = true; }),
    first: inputs[0],
  };
}

const field = (attributes) => make("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });

function number(question) {
  const id = unique("number");
  const input = field({ id, inputmode: "decimal", class: "tg-number" });
  const unit = question.interaction.unit;
  return {
    body: make("p", { class: "tg-row" }, make("label", { for: id }, unit ? `Your number (${unit})` : "Your number"), input),
    read: () => input.value.trim() || null,
    fill: (raw) => { input.value = raw; },
    lock: () => { input.readOnly = true; },
    first: input,
  };
}

function table(question) {
  const inputs = question.interaction.labels.map(() => field({ id: unique("cell"), inputmode: "decimal" }));
  const cells = inputs.map((input, place) =>
    make("div", { class: "tg-cell" }, make("label", { for: input.id }, question.interaction.labels[place]), input));
  return {
    body: make("fieldset", {}, make("legend", {}, "One number for each"), make("div", { class: "tg-cells" }, ...cells)),
    read: () => (inputs.every((input) => input.value.trim()) ? inputs.map((input) => input.value.trim()).join(" ") : null),
    fill: (raw) => raw.replace(/[,;[\]()]/g, " ").trim().split(/\s+/).forEach((word, place) => { if (inputs[place]) inputs[place].value = word; }),
    lock: () => inputs.forEach((input) => { input.readOnly = true; }),
    first: inputs[0],
  };
}

function blanks(question) {
  const inputs = Array.from({ length: question.interaction.count }, () => field({ id: unique("blank"), class: "tg-code-field" }));
  const rows = inputs.map((input, place) =>
    make("p", { class: "tg-row" }, make("label", { for: input.id }, make("code", {}, `__${place + 1}__`), " is"), input));
  return {
    body: make("fieldset", {}, make("legend", {}, inputs.length > 1 ? "Fill the blanks" : "Fill the blank"), ...rows),
    read: () => (inputs.every((input) => input.value.trim()) ? inputs.map((input) => input.value.trim()).join("\n") : null),
    fill: (raw) => (inputs.length > 1 ? raw.split(/[;\n]/) : [raw]).forEach((part, place) => { if (inputs[place]) inputs[place].value = part.trim(); }),
    lock: () => inputs.forEach((input) => { input.readOnly = true; }),
    first: inputs[0],
  };
}

function order(question) {
  const lines = question.interaction.lines;
  const list = make("ol", { class: "tg-lines" });
  const said = make("p", { role: "status", class: "tg-quiet" });
  let places = lines.map((_, place) => place);
  let locked = false;
  let dragged = null;

  function move(place, by) {
    const to = place + by;
    if (locked || to < 0 || to >= places.length) return;
    [places[place], places[to]] = [places[to], places[place]];
    draw();
    said.textContent = `${lines[places[to]].trim()}: now line ${to + 1} of ${places.length}`;
    const buttons = list.children[to].querySelectorAll("button");
    const same = buttons[by < 0 ? 0 : 1];
    (same.disabled ? buttons[by < 0 ? 1 : 0] : same).focus();
  }

  function draw() {
    list.replaceChildren(...places.map((line, place) => {
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
    body: make("fieldset", {}, make("legend", {}, "Put the lines in order: with the arrows, or by dragging"), list, said),
    read: () => places.map((place) => place + 1).join(" "),
    fill: (raw) => {
      const found = (raw.match(/\d+/g) ?? []).map((digits) => Number(digits) - 1);
      if (found.length === lines.length && new Set(found).size === lines.length && found.every((place) => place in lines)) { places = found; draw(); }
    },
    lock: () => { locked = true; draw(); },
    get first() { return list.querySelector("button:not([disabled])"); },
  };
}

function code(question) {
  const id = unique("code");
  const { starter, cases } = question.interaction;
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
      make("label", { for: id }, question.kind === "repair" ? "Mend this code" : "Your code"), area,
      cases ? html("p", { class: "tg-note" }, cases) : null,
      make("p", { class: "tg-note" }, "Ctrl + Enter checks it.")),
    read: () => (area.value.trim() ? `${area.value}\n` : null),
    fill: (raw) => { area.value = raw.replace(/\n$/, ""); },
    lock: () => { area.readOnly = true; },
    first: area,
  };
}

const INTERACTIONS = { pick, number, table, blanks, order, code };

// ---------------------------------------------------------------- what is said of an answer

function figure(chart) {
  return make("figure", { class: "tg-figure" },
    make("figcaption", {}, chart.svg ? null : make("strong", {}, chart.title), html("p", {}, chart.words)),
    chart.svg ? html("div", { class: "tg-drawing" }, chart.svg) : null,
    make("details", {}, make("summary", {}, "The numbers"), html("div", { class: "tg-scroll", tabindex: "0", role: "group", "aria-label": `Numbers: ${chart.title}` }, chart.table)));
}

const title = (text) => make("p", { class: "tg-title" }, text);
const labeled = (part) => make("li", { class: "tg-labeled" }, part.label ? make("span", { class: "tg-letter" }, part.label) : null, html("div", {}, part.text));

function verdictOf(told) {
  const parts = [make("p", { class: "tg-verdict" },
    make("span", { class: "tg-mark", "aria-hidden": "true" }, MARKS[told.outcome] ?? ""),
    make("strong", {}, told.word), told.feedback ? html("span", {}, ` ${told.feedback}`) : null)];
  parts.push(...(told.details ?? []).map((text) => html("p", {}, text)));
  if (told.checks?.length) {
    parts.push(make("p", {}, `Right for ${told.checks.filter((check) => check.passed).length} of ${told.checks.length} inputs:`),
      make("ul", { class: "tg-plain" }, ...told.checks.map((check) => make("li", {}, `${check.passed ? "right" : "wrong"}: ${check.inputs}`))));
  }
  if (told.chart) parts.push(figure(told.chart));
  if (told.containment) parts.push(make("p", { class: "tg-note" }, told.containment));
  return parts;
}

function explanationOf(explanation) {
  const parts = [];
  if (explanation.observed) parts.push(figure(explanation.observed));
  if (explanation.solution.length) parts.push(title("Solution"), make("ol", {}, ...explanation.solution.map((step) => html("li", {}, step))));
  parts.push(title(explanation.answer_title), make("ul", { class: "tg-plain" }, ...explanation.answer.map(labeled)));
  if (explanation.mistakes.length) parts.push(title("Common mistakes"), make("ul", { class: "tg-plain" }, ...explanation.mistakes.map(labeled)));
  parts.push(...explanation.see.map((page) => make("p", { class: "tg-note" }, `Read on: ${page}`)));
  return parts;
}

function endOf(end, title_) {
  const parts = [make("p", { class: "tg-title" }, `${end.right} of ${end.of} right${end.score === null ? "" : `, score ${percent(end.score)}`}`)];
  if (end.badge) parts.push(make("p", { class: "tg-badge" }, `★ Badge: ${title_} challenge, all ${end.of} right and in time.`));
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

// ---------------------------------------------------------------- one question

function card(question, tell) {
  const parts = [];
  if (!question.back.length) return [make("p", {}, "Say to yourself what is on the back."), button("Turn it over", () => tell({ do: "turn" }), { class: "tg-first" })];
  parts.push(html("div", { class: "tg-back" }, question.back.join("")));
  if (!question.told) {
    parts.push(make("fieldset", { class: "tg-buttons" }, make("legend", {}, "How well did you know it?"),
      ...["again", "hard", "good", "easy"].map((word, place) => button(word, () => tell({ do: "answer", raw: String(place + 1) })))));
  }
  return parts;
}

function draw(section, question, act) {
  const heading = unique("heading");
  const skilled = [question.level, question.skill].filter(Boolean).join(", ");
  const place = question.of > 1 ? `Question ${question.place + 1} of ${question.of}` : "Question";
  const parts = [make("p", { class: "tg-heading", role: "heading", "aria-level": "4", id: heading }, place, skilled ? make("span", { class: "tg-meta" }, skilled) : null)];
  section.setAttribute("aria-labelledby", heading);
  if (question.trouble) {
    section.replaceChildren(...parts, make("p", { role: "alert" }, question.trouble));
    return;
  }
  const { told, earlier } = question;
  const closed = Boolean(told?.final || earlier);
  parts.push(html("div", { class: "tg-stem" }, question.stem));
  if (question.program) parts.push(html("div", { class: "tg-scroll", tabindex: "0", role: "group", "aria-label": "Program" }, question.program));
  const status = make("div", { class: "tg-told", role: "status", tabindex: "-1" });
  const tell = async (message, waiting = "") => {
    section.setAttribute("aria-busy", "true");
    section.querySelectorAll("button").forEach((one) => { one.disabled = true; });
    if (waiting) status.replaceChildren(make("p", { class: "tg-note" }, waiting));
    await act(message);
    section.removeAttribute("aria-busy");
  };

  if (question.interaction.type === "card") {
    parts.push(...card(question, tell));
  } else {
    const answer = INTERACTIONS[question.interaction.type](question);
    const before = told?.response ?? earlier?.response;
    if (before) answer.fill(before);
    const missing = make("p", { class: "tg-note", role: "status" });
    const check = () => {
      const raw = answer.read();
      if (raw === null) {
        missing.textContent = "There is no whole answer yet.";
        answer.first?.focus();
      } else {
        tell({ do: "answer", raw }, "Checking in PyTorch ...");
      }
    };
    const form = make("form", {
      onsubmit: (event) => { event.preventDefault(); if (!closed) check(); },
      onkeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !closed) { event.preventDefault(); check(); } },
    }, answer.body, missing);
    if (closed) {
      answer.lock();
    } else {
      const actions = make("div", { class: "tg-buttons" }, make("button", { type: "submit", class: "tg-first" }, told ? "Check again" : "Check"));
      if (question.hints_left) actions.append(button(`Hint (${question.hints_left} left)`, () => tell({ do: "hint" })));
      actions.append(button(told ? "Show the solution" : "Skip", () => tell({ do: "solution" })));
      if (question.attempts_left !== null) actions.append(make("span", { class: "tg-note" }, `Attempts left: ${question.attempts_left}`));
      if (question.seconds) actions.append(clock(question.seconds));
      form.append(actions);
    }
    parts.push(form);
  }
  if (question.hints?.length) parts.push(make("ol", { class: "tg-hints", "aria-label": "Hints" }, ...question.hints.map((hint) => html("li", {}, hint))));
  if (earlier) {
    const on = new Date(earlier.at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
    status.append(make("p", {}, make("span", { class: "tg-mark", "aria-hidden": "true" }, MARKS[earlier.outcome]), `Answered on ${on}: `, make("strong", {}, earlier.word)),
      make("div", { class: "tg-buttons" }, button("Show why", () => tell({ do: "recall" }, "Looking it up ...")), button("Answer again", () => tell({ do: "again" }))));
    status.dataset.outcome = earlier.outcome;
  }
  if (told) {
    status.dataset.outcome = told.rating ? "noted" : told.outcome;
    status.append(...(told.rating ? [make("p", {}, `Noted: ${["again", "hard", "good", "easy"][told.rating - 1]}.`)] : verdictOf(told)));
    if (told.follow_up) status.append(followUp(told.follow_up, tell));
    if (told.explanation) status.append(make("details", { class: "tg-why", open: told.outcome !== "correct" }, make("summary", {}, "Explanation"), ...explanationOf(told.explanation)));
    if (told.final && told.outcome !== "noted" && question.again) status.append(make("div", { class: "tg-buttons" }, button("Answer again", () => tell({ do: "again" }))));
  }
  if (question.notice) parts.push(make("p", { class: "tg-note", role: "note" }, question.notice));
  section.replaceChildren(...parts, status);
}

function followUp(asked, tell) {
  const id = unique("follow");
  const input = field({ id, inputmode: "decimal", class: "tg-number" });
  const done = asked.told && asked.told.outcome !== "unreadable";
  return make("form", { class: "tg-follow", onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) tell({ do: "follow", raw: input.value }); } },
    title("And now your own code"), html("div", { id: `${id}-stem` }, asked.stem),
    ...(asked.told ? verdictOf(asked.told) : []),
    ...(done ? [] : [make("p", { class: "tg-row" }, make("label", { for: id }, "Your number"), input), make("div", { class: "tg-buttons" }, make("button", { type: "submit" }, "Check"))]));
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

// ---------------------------------------------------------------- the sheet

async function render({ model, el }) {
  const mine = unique("view");
  const waiting = new Map();
  let count = 0;
  const hear = (message) => {
    waiting.get(message.to)?.(message);
    waiting.delete(message.to);
  };
  model.on("msg:custom", hear);
  const root = make("div", { class: "tg", "data-lm-suppress-shortcuts": "true" });
  const trouble = make("p", { role: "alert", class: "tg-note" });
  el.append(root);

  function ask(request) {
    const to = `${mine}-${++count}`;
    const late = setTimeout(() => { trouble.textContent = "The kernel does not answer. Is it busy, or stopped? Run the cell again once it is ready."; }, WAIT);
    return new Promise((resolve) => {
      waiting.set(to, resolve);
      model.send({ to, request: { sheet: model.get("sheet"), ...request } });
    }).then((message) => {
      clearTimeout(late);
      trouble.textContent = message.error ? [message.error.message, message.error.hint].filter(Boolean).join(": ") : "";
      return message.ok ?? null;
    });
  }

  const sheet = await ask({ do: "state" });
  if (!sheet) {
    root.append(trouble);
    return () => model.off("msg:custom", hear);
  }
  const fallback = document.getElementById(`tg-static-${sheet.sheet}`);
  if (fallback) fallback.hidden = true;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Questions: ${sheet.title}, ${NAMES[sheet.mode]}`);
  const sections = sheet.places.map(() => make("div", { class: "tg-question", role: "group" }));
  const end = make("div", { class: "tg-end", role: "status" });
  const oneByOne = sheet.mode === "test" || sheet.mode === "challenge";
  const again = !oneByOne;
  const finish = (said) => { end.replaceChildren(...(said ? endOf(said, sheet.title) : [])); };

  function put(question) {
    const place = question.place;
    draw(sections[place], { again, ...question }, async (message) => {
      const next = await ask({ ...message, place });
      if (!next) {
        sections[place].querySelectorAll("button").forEach((one) => { one.disabled = false; });
        return;
      }
      if (oneByOne && next.told?.final) return advance(next);
      put(next);
      finish(next.end);
      if (message.do === "again") sections[place].querySelector("input, textarea, button")?.focus();
      else if (message.do === "hint") sections[place].querySelector(".tg-buttons button")?.focus();
      else if (message.do === "turn") sections[place].querySelector(".tg-buttons button")?.focus();
      else sections[place].querySelector(".tg-told").focus();
    });
  }

  // A test and a challenge show one question at a time, and all of them at the end.
  async function advance(question) {
    if (question.end) {
      for (let place = 0; place < sections.length; place += 1) put(await ask({ do: "show", place }));
      root.replaceChildren(end, ...sections, trouble);
      finish(question.end);
      end.setAttribute("tabindex", "-1");
      end.focus();
      return;
    }
    const shown = await ask({ do: "state" });
    const next = shown.places.findIndex((one) => !one.answered);
    const step = make("div", { class: "tg-told", role: "status", tabindex: "-1" });
    const go = async () => {
      root.replaceChildren(sections[next], trouble);
      put(await ask({ do: "show", place: next }));
      sections[next].querySelector("input, textarea, form button, .tg-first")?.focus();
    };
    if (sheet.mode === "test") {
      await go();
    } else {
      put(question);
      step.append(make("div", { class: "tg-buttons" }, button("Next question", go, { class: "tg-first" })));
      sections[question.place].append(step);
      step.querySelector("button").focus();
    }
  }

  function begin(place) {
    const intro = sheet.mode === "test"
      ? (place ? `Your test goes on with question ${place + 1} of ${sections.length}.` : `A test: ${sections.length} questions, easy to hard, no hints, explained at the end.`)
      : `A challenge: ${sections.length} problems, each with a time limit that begins when it is shown.`;
    root.replaceChildren(make("p", {}, intro), make("p", { class: "tg-note" }, "Every answer is kept at once."),
      make("div", { class: "tg-buttons" }, button(place ? "Go on" : "Start", async () => {
        root.replaceChildren(sections[place], trouble);
        put(await ask({ do: "show", place }));
        sections[place].querySelector("input, textarea, form button")?.focus();
      }, { class: "tg-first" })), trouble);
  }

  const first = sheet.places.findIndex((one) => !one.answered);
  if (oneByOne && first >= 0) {
    begin(first);
  } else {
    root.replaceChildren(...sections, end, trouble);
    for (let place = 0; place < sections.length; place += 1) {
      const question = await ask({ do: "show", place });
      if (question) put(question);
    }
    finish(sheet.end);
  }
  return () => model.off("msg:custom", hear);
}

export default { render };
