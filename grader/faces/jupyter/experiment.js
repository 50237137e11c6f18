// The page's side of `grader.faces.jupyter.experiment_widget`: any experiment that a topic describes. What there is to turn
// and what is drawn comes from the service; settings are the widget's state, so a page that is loaded again shows the same.

const REST = 350; // milliseconds without a move, after which it is run
const PATIENCE = 6000; // milliseconds without an answer, after which that is said

// Single keys are for the knobs, not for JupyterLab: its selectors end in `:focus`, so that it is not enough to say so
// on an ancestor of what has the focus.
const QUIET = "data-lm-suppress-shortcuts";

function make(tag, properties = {}, ...children) {
  const { aria = {}, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  node.setAttribute(QUIET, "true");
  for (const [name, value] of Object.entries(aria)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted) : Object.fromEntries(Object.entries(value).sort());

// A slider over the places of a knob, with its label, and the value of its place beside it as a text with its unit.
function slider(id, label, texts, moved) {
  const input = make("input", { type: "range", id, min: 0, max: texts.length - 1, step: 1 });
  const name = make("label", { htmlFor: id, textContent: label });
  const value = make("span", { className: "tg-value", aria: { "aria-hidden": "true" } });
  const node = make("div", { className: "tg-knob" }, name, value, input);
  input.addEventListener("input", () => moved(Number(input.value)));
  return {
    node,
    set(place) {
      input.value = place;
      value.textContent = texts[place];
      input.setAttribute("aria-valuetext", texts[place]);
    },
  };
}

function choice(id, label, texts, moved) {
  const options = texts.map((text, place) => make("option", { value: place, textContent: text }));
  const select = make("select", { id }, ...options);
  select.addEventListener("change", () => moved(Number(select.value)));
  const node = make("div", { className: "tg-knob tg-choice" }, make("label", { htmlFor: id, textContent: label }), select);
  return { node, set: (place) => { select.value = place; } };
}

function figure(id) {
  const drawing = make("div", { className: "tg-drawing" });
  const words = make("figcaption", { id: `${id}-words` });
  const node = make("figure", {}, drawing, words);
  return {
    node, drawing,
    draw({ svg, title, words: said }) {
      drawing.innerHTML = svg; // made by our own kernel; all text in it is escaped
      const picture = drawing.querySelector("svg");
      if (picture) {
        // The same words stand below, so they are pointed at instead of being said twice.
        picture.setAttribute("aria-label", title);
        picture.setAttribute("aria-describedby", words.id);
      } else drawing.append(make("strong", { textContent: title }));
      words.textContent = said;
      node.classList.remove("tg-old");
    },
    old: () => node.classList.add("tg-old"),
  };
}

function render({ model, el }) {
  const id = `tg-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  let offer = null; // what the knobs offer, once the service has said so
  let settings = { ...model.get("settings") };
  let kept = [...model.get("kept")];
  let code = "";
  let newest = 0;
  let resting = 0;
  let patience = 0;
  let saving = false;
  let drawn = 0; // the width that was asked for

  // ------------------------------------------------------------ what is asked of the kernel

  function ask(what) {
    clearTimeout(patience);
    patience = setTimeout(() => {
      (offer ? status : waiting).textContent = "No answer from the kernel yet. It may be busy. If it was restarted, run this cell again.";
    }, PATIENCE);
    newest += 1;
    if (what === "run") drawn = width();
    model.send({ ask: what, view: id, number: newest, settings, kept, width: drawn });
  }

  function answered(answer) {
    if (answer.view === `${id}-solution`) showSolution(answer);
    if (answer.view !== id || answer.number !== newest) return; // for others, or too late
    clearTimeout(patience);
    if (answer.ask === "hello" && answer.problem) waiting.textContent = answer.problem;
    else if (answer.ask === "hello") begin(answer);
    else show(answer);
  }

  // ------------------------------------------------------------ the knobs

  const controls = make("div", { className: "tg-knobs" });
  const turn = {};

  const placeOf = (knob) => {
    const found = knob.values.findIndex((value) => value === settings[knob.name]);
    return found < 0 ? knob.start : found;
  };

  function showKnobs(there) {
    for (const knob of offer.knobs) {
      turn[knob.name].set(placeOf(knob));
      if (there) turn[knob.name].node.hidden = !there.includes(knob.name);
    }
  }

  function move(knob, place) {
    settings = { ...settings, [knob.name]: knob.values[place] };
    showKnobs();
    changed();
  }

  function turnTo(wanted) {
    settings = { ...start(), ...wanted };
    showKnobs();
    changed();
  }

  function changed() {
    newest += 1; // an answer that is on its way is of other settings
    clearTimeout(patience);
    drawings.forEach((one) => one.old());
    root.dataset.state = "moved";
    clearTimeout(resting);
    resting = setTimeout(rest, REST);
  }

  function rest() {
    saving = true; // each `set` tells of a change, and only both together are what is shown
    model.set("settings", settings);
    model.set("kept", kept);
    saving = false;
    model.save_changes();
    run();
  }

  function run() {
    say("Running ...");
    figures.setAttribute("aria-busy", "true");
    root.dataset.state = "running";
    ask("run");
  }

  // ------------------------------------------------------------ what is shown

  const status = make("p", { className: "tg-status", aria: { role: "status", "aria-live": "polite" } });
  const say = (text) => { status.textContent = text; };
  const said = make("div", { className: "tg-said", aria: { role: "status", "aria-live": "polite" } });
  const figures = make("div", { className: "tg-figures" });
  let drawings = [];
  const listing = make("div", { className: "tg-listing" });
  const copy = make("button", { type: "button", textContent: "Copy the code" });
  const numbers = make("div", { className: "tg-numbers", tabIndex: 0, aria: { role: "region", "aria-label": "Numbers" } });
  const keptList = make("ul", { className: "tg-kept", hidden: true, aria: { "aria-label": "Kept runs" } });
  const keep = make("button", { type: "button", textContent: "Keep this run" });
  const reset = make("button", { type: "button", textContent: "Reset" });

  function width() {
    return Math.floor(((drawings[0]?.drawing ?? figures).clientWidth || 420) / 10) * 10;
  }

  function show(answer) {
    figures.removeAttribute("aria-busy");
    showKnobs(answer.there);
    if (answer.code) {
      code = answer.code;
      listing.innerHTML = answer.colored; // made by our own service; all text in it is escaped
      listing.firstElementChild.tabIndex = 0; // it scrolls
      listing.firstElementChild.setAttribute(QUIET, "true");
    }
    showKept(answer.labels ?? []);
    root.dataset.state = "shown";
    if (answer.problem) {
      say(answer.problem);
      said.replaceChildren();
      return;
    }
    while (drawings.length > answer.figures.length) drawings.pop().node.remove();
    while (drawings.length < answer.figures.length) {
      const made = figure(`${id}-${drawings.length}`);
      drawings.push(made);
      figures.append(made.node);
    }
    answer.figures.forEach((one, place) => {
      drawings[place].draw({ ...one, words: one.table ? plain(one.words) : one.title });
      drawings[place].node.classList.toggle("tg-small", !one.table);
      const picture = drawings[place].drawing.querySelector("svg");
      if (one.table || !picture) return;
      picture.setAttribute("aria-label", one.said); // what the caption does not say
      picture.removeAttribute("aria-describedby");
    });
    numbers.innerHTML = answer.figures.map((one) => one.table || `<pre>${one.text}</pre>`).join("");
    said.replaceChildren(...answer.said.map((text) => { const node = make("p"); node.innerHTML = text; return node; }));
    say("Done.");
    fit();
  }

  // How wide a drawing is shows once there is one, and changes with the page; a run that is known is there at once.
  function fit() {
    if (root.dataset.state === "shown" && drawings.length && width() !== drawn) ask("run");
  }

  // Words come escaped, for where they are put into HTML.
  function plain(text) {
    return new DOMParser().parseFromString(text, "text/html").body.textContent;
  }

  function showKept(labels) {
    keptList.hidden = !labels.length;
    keptList.replaceChildren(...labels.map((label, place) => {
      const remove = make("button", { type: "button", textContent: "Remove", aria: { "aria-label": `Remove kept ${place + 1}` } });
      remove.addEventListener("click", () => {
        kept = kept.filter((_, other) => other !== place);
        keep.focus(); // the button that had it goes away
        changed();
      });
      return make("li", {}, make("b", { textContent: `kept ${place + 1}` }), ` ${label} `, remove);
    }));
    keep.setAttribute("aria-disabled", String(kept.length >= offer.kept));
  }

  keep.addEventListener("click", () => {
    if (kept.length >= offer.kept) say(`${offer.kept} runs are kept already. Remove one to keep another.`);
    else if (kept.some((entry) => same(entry, settings))) say("This run is kept already.");
    else {
      kept = [...kept, settings];
      changed();
    }
  });
  reset.addEventListener("click", () => {
    kept = [];
    turnTo({});
  });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      say("The code is copied.");
    } catch {
      getSelection().selectAllChildren(listing); // no access to the clipboard, as on pages without https
      say("The code is selected. Copy it with your keyboard.");
    }
  });

  // ------------------------------------------------------------ the solution

  const steps = make("ol", { className: "tg-steps" });
  const solution = make("details", {}, make("summary", { textContent: "Show the solution" }), steps);
  solution.addEventListener("toggle", () => {
    if (!solution.open || steps.children.length) return;
    steps.append(make("li", { textContent: "Running ..." }));
    model.send({ ask: "solution", view: `${id}-solution`, number: 1 }); // the knobs may move meanwhile
  });

  function showSolution(answer) {
    steps.replaceChildren(...(answer.steps ?? []).map((step) => {
      const text = make("p");
      text.innerHTML = step.said; // made by our own service; all text in it is escaped
      const set = make("button", { type: "button", textContent: "Set the knobs like this", aria: { "aria-label": `Set the knobs like this: ${step.label}` } });
      set.addEventListener("click", () => turnTo(step.settings));
      return make("li", {}, text, make("span", { textContent: `${step.label} ` }), set);
    }));
    if (!answer.problem) return;
    solution.open = false; // opened again, it asks again
    say(answer.problem);
  }

  // ------------------------------------------------------------ putting it together

  const title = make("p", { className: "tg-title" });
  const about = make("div");
  const task = make("div", { className: "tg-task" });
  const root = make(
    "div", { className: "tg-experiment", hidden: true, aria: { role: "group" } },
    title, about, task, controls,
    make("div", { className: "tg-buttons" }, keep, reset, status),
    keptList, figures, said, solution,
    make("details", {}, make("summary", { textContent: "Show the code" }), copy, listing),
    make("details", {}, make("summary", { textContent: "Numbers" }), numbers),
  );
  const waiting = make("p", { className: "tg-experiment", textContent: "Waiting for the kernel ..." });
  el.append(waiting, root);

  const start = () => Object.fromEntries(offer.knobs.map((knob) => [knob.name, knob.values[knob.start]]));

  function begin(answer) {
    offer = answer;
    waiting.remove();
    root.hidden = false;
    root.setAttribute("aria-label", `Experiment: ${offer.title}`);
    title.textContent = offer.title;
    about.innerHTML = offer.about; // made by our own service, as is the task
    task.innerHTML = offer.task;
    if (offer.task) task.firstElementChild.prepend(make("b", { textContent: "Task: " }));
    solution.hidden = !offer.solved;
    keep.hidden = !offer.kept;
    settings = { ...start(), ...settings };
    for (const knob of offer.knobs) {
      const made = knob.choice ? choice : slider;
      turn[knob.name] = made(`${id}-${knob.name}`, knob.label, knob.texts, (place) => move(knob, place));
      controls.append(turn[knob.name].node);
    }
    showKnobs(offer.there);
    run();
  }

  function adopt() {
    if (saving || !offer || (same(settings, model.get("settings")) && same(kept, model.get("kept")))) return;
    kept = [...model.get("kept")];
    turnTo(model.get("settings"));
  }

  const resized = new ResizeObserver(fit);
  resized.observe(figures);
  model.on("msg:custom", answered);
  model.on("change:settings change:kept", adopt);
  ask("hello");
  return () => {
    resized.disconnect();
    clearTimeout(resting);
    clearTimeout(patience);
    model.off("msg:custom", answered);
    model.off("change:settings change:kept", adopt);
  };
}

export default { render };
