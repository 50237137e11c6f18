// The page's side of `grader.knobs.experiment`: it has the knobs, the kernel computes and draws.
// Settings are the widget's state; all that is shown is asked for, so that a page that is loaded again shows the same.

const REST = 350; // milliseconds without a move, after which a training starts
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
const shown = (number) => String(Number(number.toPrecision(6)));
const counted = (number, unit) => (unit ? `${shown(number)} ${unit}${number === 1 ? "" : "s"}` : shown(number));

// The base rate's slider has ten positions for each power of ten.
const rateAt = (position) => Number((10 ** (position / 10)).toPrecision(2));
const positionOf = (rate) => Math.round(10 * Math.log10(rate));

// A slider with its label, and its value beside it. `says` is the value as a text with its unit.
function slider(id, label, says, moved) {
  const input = make("input", { type: "range", id });
  const name = make("label", { htmlFor: id, textContent: label });
  const value = make("span", { className: "tg-value", aria: { "aria-hidden": "true" } });
  const node = make("div", { className: "tg-knob" }, name, value, input);
  input.addEventListener("input", () => moved(Number(input.value)));
  return {
    node, name,
    set(low, high, step, at, meant = at) {
      Object.assign(input, { min: low, max: high, step });
      input.value = at;
      value.textContent = says(meant);
      input.setAttribute("aria-valuetext", says(meant));
    },
  };
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
  let settings = { ...model.get("knobs") };
  let kept = [...model.get("kept")];
  let offer = null; // what the knobs offer, once the kernel has said so
  let resting = 0;
  let saving = false;
  let code = "";

  // ------------------------------------------------------------ what is asked of the kernel

  const newest = {};
  const patience = {};
  let number = 0;
  let again = false;

  function ask(what) {
    if (what === "rates" && newest.rates && patience.rates) {
      again = true; // one question at a time: the next one has the newest settings
      return;
    }
    newest[what] = ++number;
    clearTimeout(patience[what]);
    patience[what] = setTimeout(() => {
      patience[what] = 0;
      say("No answer from the kernel yet. It may be busy. If it was restarted, run this cell again.");
    }, PATIENCE);
    model.send({ ask: what, view: id, number, settings, kept, width: width() });
  }

  function answered(answer) {
    if (answer.view !== id || answer.number !== newest[answer.ask]) return; // for others, or too late
    clearTimeout(patience[answer.ask]);
    patience[answer.ask] = 0;
    if (answer.problem) say(answer.problem);
    else if (answer.ask === "hello") begin(answer);
    else if (answer.ask === "rates") showRates(answer);
    else showLosses(answer);
    if (answer.ask === "rates" && again) {
      again = false;
      ask("rates");
    }
  }

  // ------------------------------------------------------------ the knobs

  const select = make("select", { id: `${id}-scheduler` });
  const does = make("p", { id: `${id}-does`, className: "tg-does" });
  select.setAttribute("aria-describedby", does.id);
  select.addEventListener("change", () => move({ scheduler: select.value, own: null }));
  const scheduler = make(
    "div", { className: "tg-knob tg-scheduler" },
    make("label", { htmlFor: select.id, textContent: "Scheduler" }), select, does,
  );
  const epochsText = (value) => counted(value, "epoch");
  const rate = slider(`${id}-rate`, "Base rate", shown, (at) => move({ base_lr: rateAt(at) }));
  const warmup = slider(
    `${id}-warmup`, "Warmup", (value) => (value ? epochsText(value) : "none"), (at) => move({ warmup: at }),
  );
  const epochs = slider(`${id}-epochs`, "Epochs", epochsText, (at) =>
    move({ epochs: at, warmup: Math.min(settings.warmup, Math.floor(at / 2)) }),
  );
  let unit = "";
  const own = slider(`${id}-own`, "", (value) => counted(value, unit), (at) => move({ own: at }));

  function showKnobs(value = settings.own) {
    const chosen = offer.schedulers.find((entry) => entry.name === settings.scheduler);
    select.value = settings.scheduler;
    does.textContent = chosen.does;
    rate.set(positionOf(offer.base_lr[0]), positionOf(offer.base_lr[1]), 1, positionOf(settings.base_lr), settings.base_lr);
    warmup.set(0, Math.floor(settings.epochs / 2), 1, settings.warmup);
    epochs.set(...offer.epochs, 1, settings.epochs);
    own.node.hidden = !chosen.own;
    if (!chosen.own) return;
    unit = chosen.own.unit;
    own.name.textContent = chosen.own.name;
    if (value !== null) own.set(chosen.own.low, chosen.own.high, chosen.own.step, value);
  }

  function move(change) {
    settings = { ...settings, ...change };
    showKnobs();
    changed();
  }

  // The rates follow at once, the training when the knobs rest.
  function changed() {
    newest.losses = ++number; // an answer that is on its way is of other settings
    clearTimeout(patience.losses);
    losses.old();
    root.dataset.state = "moved";
    ask("rates");
    clearTimeout(resting);
    resting = setTimeout(rest, REST);
  }

  function rest() {
    saving = true; // each `set` tells of a change, and only both together are what is shown
    model.set("knobs", settings);
    model.set("kept", kept);
    saving = false;
    model.save_changes();
    train();
  }

  function train() {
    say(`Running ${settings.epochs} epochs ...`);
    losses.node.setAttribute("aria-busy", "true");
    root.dataset.state = "running";
    ask("losses");
  }

  // ------------------------------------------------------------ what is shown

  const status = make("p", { className: "tg-status", aria: { role: "status", "aria-live": "polite" } });
  const say = (text) => { status.textContent = text; };
  const rates = figure(`${id}-rates`);
  const losses = figure(`${id}-losses`);
  const listing = make("div", { className: "tg-listing" });
  const copy = make("button", { type: "button", textContent: "Copy the code" });
  const numbers = make("div", {
    className: "tg-numbers", tabIndex: 0, aria: { role: "region", "aria-label": "Numbers" },
  });
  const keptList = make("ul", { className: "tg-kept", aria: { "aria-label": "Kept curves" } });

  function width() {
    return Math.floor((rates.drawing.clientWidth || 420) / 10) * 10;
  }

  function showRates(answer) {
    rates.draw(answer);
    code = answer.code;
    listing.innerHTML = answer.colored;
    listing.firstElementChild.tabIndex = 0; // it scrolls
    listing.firstElementChild.setAttribute(QUIET, "true");
    if (answer.value !== null) showKnobs(answer.value);
    showKept(answer.labels);
  }

  function showLosses(answer) {
    losses.draw(answer);
    losses.node.removeAttribute("aria-busy");
    root.dataset.state = "shown";
    numbers.innerHTML = answer.table;
    const last = Number(answer.last);
    say(Number.isFinite(last) ? `Done: the loss ends at ${answer.last}.` : "Done: the run has diverged, it has no loss at the end.");
  }

  function showKept(labels) {
    keptList.hidden = !labels.length;
    keptList.replaceChildren(...labels.map((label, place) => {
      const remove = make("button", {
        type: "button", textContent: "Remove", aria: { "aria-label": `Remove kept ${place + 1}` },
      });
      remove.addEventListener("click", () => {
        kept = kept.filter((_, other) => other !== place);
        keep.focus(); // the button that had it goes away
        changed();
      });
      return make("li", {}, make("b", { textContent: `kept ${place + 1}` }), ` ${label} `, remove);
    }));
    keep.setAttribute("aria-disabled", String(kept.length >= offer.kept));
  }

  const keep = make("button", { type: "button", textContent: "Keep this curve" });
  keep.addEventListener("click", () => {
    if (kept.length >= offer.kept) say(`${offer.kept} curves are kept already. Remove one to keep another.`);
    else if (kept.some((entry) => same(entry, settings))) say("This curve is kept already.");
    else {
      kept = [...kept, settings];
      changed();
    }
  });
  const reset = make("button", { type: "button", textContent: "Reset" });
  reset.addEventListener("click", () => {
    kept = [];
    move(model.get("start"));
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

  // ------------------------------------------------------------ putting it together

  const controls = make("div", { className: "tg-knobs" }, scheduler, rate.node, warmup.node, epochs.node, own.node);
  const root = make(
    "div",
    { className: "tg-experiment", hidden: true, aria: { role: "group", "aria-label": "Experiment with a learning-rate schedule" } },
    controls,
    make("div", { className: "tg-buttons" }, keep, reset, status),
    keptList,
    make("div", { className: "tg-figures" }, rates.node, losses.node),
    make("details", {}, make("summary", { textContent: "Show the code" }), copy, listing),
    make("details", {}, make("summary", { textContent: "Numbers" }), numbers),
  );
  const waiting = make("p", { className: "tg-experiment", textContent: "Waiting for the kernel ..." });
  const sayWaiting = setTimeout(() => {
    waiting.textContent = "No answer from the kernel. It may be busy. If it was restarted, run this cell again.";
  }, PATIENCE);
  el.append(waiting, root);

  function begin(answer) {
    offer = answer;
    clearTimeout(sayWaiting);
    waiting.remove();
    root.hidden = false;
    select.replaceChildren(
      ...offer.schedulers.map(({ name, label }) => make("option", { value: name, textContent: label })),
    );
    showKnobs();
    ask("rates");
    train();
  }

  function adopt() {
    if (saving || !offer || (same(settings, model.get("knobs")) && same(kept, model.get("kept")))) return;
    settings = { ...model.get("knobs") };
    kept = [...model.get("kept")];
    showKnobs();
    changed();
  }

  let drawn = 0;
  const resized = new ResizeObserver(() => {
    if (!offer || !width() || width() === drawn) return;
    const first = !drawn;
    drawn = width();
    if (first) return;
    ask("rates");
    if (newest.losses && !losses.node.classList.contains("tg-old")) ask("losses");
  });
  resized.observe(rates.drawing);
  model.on("msg:custom", answered);
  model.on("change:knobs change:kept", adopt);
  ask("hello");
  return () => {
    resized.disconnect();
    clearTimeout(resting);
    clearTimeout(sayWaiting);
    Object.values(patience).forEach(clearTimeout);
    model.off("msg:custom", answered);
    model.off("change:knobs change:kept", adopt);
  };
}

export default { render };
