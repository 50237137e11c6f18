// The page without this module works: every form is a form, every link a link. On top of that: answers without a reload,
// keys, an editor that indents, lines that move, drafts that outlive the tab, a clock, and the focus where the news is.

const root = document.documentElement;
const $ = (what, from = document) => from.querySelector(what);
const all = (what, from = document) => [...from.querySelectorAll(what)];
const make = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
};

// ---------------------------------------------------------------- drafts

const store = {
  get: (name) => { try { return JSON.parse(localStorage.getItem(`grader/${name}`)); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`grader/${name}`, JSON.stringify(value)); } catch { /* it is full, or forbidden */ } },
  drop: (name) => { try { localStorage.removeItem(`grader/${name}`); } catch { /* likewise */ } },
};
const fields = (form) => all("input, textarea, select", form).filter((one) => one.name.startsWith("a.") && one.type !== "hidden");
const typed = (form) => fields(form).map((one) => (/radio|checkbox/.test(one.type) ? one.checked : one.value));
const nameOf = (form) => `${form.dataset.draft}/${form.dataset.tries}`;

function fill(form) {
  const kept = store.get(nameOf(form));
  const there = fields(form);
  if (!Array.isArray(kept) || kept.length !== there.length) return;
  there.forEach((one, place) => { if (typeof kept[place] === "boolean") one.checked = kept[place]; else one.value = kept[place]; });
}

// ---------------------------------------------------------------- sending

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.set(button.name, button.value);
  const wait = $(".wait", form);
  const buttons = all("button", form);
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  buttons.forEach((one) => one.setAttribute("aria-disabled", "true"));
  const began = Date.now();
  const said = make("span", {});
  const count = make("span", { "aria-hidden": "true" }); // a reader hears what changes, not each second
  wait?.replaceChildren(said, count);
  const tick = async () => {
    const seconds = Math.round((Date.now() - began) / 1000);
    const run = form.dataset.code !== undefined;
    const before = run && seconds ? await fetch(new URL("../waiting", import.meta.url)).then((answer) => (answer.ok ? answer.text() : ""), () => "") : "";
    const words = before || (run ? "Running in PyTorch" : "Checking");
    if (said.textContent !== words) said.textContent = words;
    count.textContent = ` ...${seconds > 2 ? ` ${seconds} s` : ""}`;
  };
  const clock = setInterval(tick, 1000);
  const soon = setTimeout(tick, 150);
  let failed = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" });
    show(await answer.text(), answer, form.dataset.scope ?? "", button?.value === "hint");
    if (answer.ok && button?.value !== "hint") store.drop(nameOf(form));
  } catch {
    failed = "The connection is lost: nothing was judged. What you typed is kept here; check it again when the server runs.";
  }
  clearInterval(clock);
  clearTimeout(soon);
  delete form.dataset.busy;
  buttons.forEach((one) => one.removeAttribute("aria-disabled"));
  if (wait) wait.textContent = failed;
}

function show(text, answer, scope, hint) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = $("main", page);
  if (!main) throw new Error("no page");
  $("main").replaceWith(document.adoptNode(main));
  $(".site")?.replaceWith(document.adoptNode($(".site", page)));
  document.title = page.title;
  if (answer.redirected && answer.url !== location.href.split("#")[0]) history.pushState({ ours: true }, "", answer.url);
  ready();
  const named = (name) => document.getElementById(`${scope}${name}`);
  const news = (hint ? named("hint") : null) ?? named("told") ?? $("h1[tabindex]");
  (news || $("#main")).focus();
  if (!news) scrollTo(0, 0);
}

// A question is answered in place; all else goes the way of any form.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form.answer, form.on, .follow form")) return;
  event.preventDefault();
  send(form, event.submitter);
});
addEventListener("popstate", () => location.reload());

// ---------------------------------------------------------------- writing code

function write(area) {
  let leaving = false;
  area.addEventListener("keydown", (event) => {
    const { selectionStart: start, selectionEnd: end, value } = area;
    if (event.key === "Escape") { leaving = true; return; }
    const insert = (text, from = start, to = end, mode = "end") => {
      event.preventDefault();
      area.setRangeText(text, from, to, mode);
      area.dispatchEvent(new Event("input", { bubbles: true }));
    };
    if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      const first = value.lastIndexOf("\n", start - 1) + 1;
      if (!event.shiftKey && start === end) insert(" ".repeat(4 - ((start - first) % 4)));
      else {
        const lines = value.slice(first, end).split("\n");
        insert(lines.map((line) => (event.shiftKey ? line.replace(/^ {1,4}/, "") : `    ${line}`)).join("\n"), first, end, "select");
      }
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const before = value.slice(0, start).split("\n").pop();
      insert(`\n${before.match(/^ */)[0]}${/:\s*(#.*)?$/.test(before) ? "    " : ""}`);
      area.blur(); area.focus(); // scrolls to where the next line is
    } else if (event.key === "Backspace" && start === end && /(^|\n)( {4})+$/.test(value.slice(0, start))) insert("", start - 4, start);
    if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) leaving = false;
  });
}

// The editor is loaded when somebody goes to write code, and takes the field's place; where it is not there, the field stays.
let editor = null;

function edit(area) {
  write(area);
  const mount = () => { if (area.isConnected && !area.hidden) editor.mount(area); };
  if (editor) mount();
  else if (root.dataset.editor) {
    area.addEventListener("focus", () => import(root.dataset.editor).then((found) => { editor = found; mount(); }, () => {}), { once: true });
  }
}

// ---------------------------------------------------------------- putting lines in order

function order(set) {
  const list = $("ol", set);
  const said = make("p", { class: "unseen", role: "status" });
  $("legend", set).textContent = "Put the lines in order, with the arrows";
  set.append(said);
  const number = () => all("li", list).forEach((line, place, lines) => {
    $("select", line).value = String(place + 1);
    $("[data-up]", line).disabled = place === 0;
    $("[data-down]", line).disabled = place === lines.length - 1;
  });
  const move = (line, up) => {
    const other = up ? line.previousElementSibling : line.nextElementSibling;
    if (!other) return;
    if (up) other.before(line); else other.after(line);
    number();
    const pressed = $(up ? "[data-up]" : "[data-down]", line);
    (pressed.disabled ? $(up ? "[data-down]" : "[data-up]", line) : pressed).focus();
    said.textContent = `${$("code", line).textContent.trim()}: now line ${$("select", line).value} of ${list.children.length}`;
    list.dispatchEvent(new Event("input", { bubbles: true }));
  };
  all("li", list).sort((a, b) => $("select", a).value - $("select", b).value).forEach((line) => {
    const text = $("code", line).textContent.trim();
    $("select", line).hidden = true;
    for (const [way, sign] of [["up", "↑"], ["down", "↓"]]) {
      const button = make("button", { type: "button", "aria-label": `Move ${way}: ${text}`, [`data-${way}`]: "" }, sign);
      button.addEventListener("click", () => move(line, way === "up"));
      $("code", line).before(button);
    }
    list.append(line);
  });
  number();
}

// ---------------------------------------------------------------- a clock, and an author's file

function count(clock) {
  const end = Date.now() + clock.dataset.seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    clock.textContent = left ? `${left} s left` : "The time is up";
    if (left && clock.isConnected) setTimeout(tick, 250);
  };
  tick();
}

async function watch(article) {
  while (article.isConnected) {
    await new Promise((done) => { setTimeout(done, 1500); });
    try {
      const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      const found = $("[data-watch]", fresh);
      if (found && document.visibilityState === "visible" && found.innerHTML !== article.innerHTML) article.innerHTML = found.innerHTML;
    } catch { /* it is being started again */ }
  }
}

// ---------------------------------------------------------------- keys

const click = (what) => { const found = $(what); if (found) found.click(); return Boolean(found); };
const KEYS = {
  h: () => click('form.answer [value="hint"]'),
  s: () => click('form.answer .plain[value="solution"]'),
  r: () => click('form.on [value="new"]') || click("a[href*='/q/'].first"),
  n: () => click("[data-next]") || turn(1),
  p: () => turn(-1),
  "?": () => { const keys = $(".keys"); if (keys) { keys.open = true; $("summary", keys).focus(); } return Boolean(keys); },
};

function turn(by) {
  const dots = all(".dots a");
  const to = dots[dots.findIndex((one) => one.hasAttribute("aria-current")) + by];
  if (to) to.click();
  return Boolean(to);
}

document.addEventListener("keydown", (event) => {
  const at = event.target;
  const form = at.closest?.("form.answer") ?? $("form.answer");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
    event.preventDefault();
    form.requestSubmit($('[value="check"].first', form) ?? undefined);
    return;
  }
  if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (at.matches(".editor, textarea, select, input:not([type=radio]):not([type=checkbox])")) return;
  const key = event.key.toLowerCase();
  const option = /^[a-h]$/.test(key) && form && all(".choose", form).length === 1 && $(`.choose [value="${key.toUpperCase()}"]`, form);
  if (option && (!at.matches("a, button, summary") || form.contains(at))) {
    option.click();
    option.focus();
    event.preventDefault();
  } else if (event.key === "Enter" && !at.matches("a, button, summary")) {
    if (form && $("input:checked", form)) { event.preventDefault(); form.requestSubmit($('[value="check"].first', form)); }
    else if (!form && click("[data-next]")) event.preventDefault();
  } else if (KEYS[key]?.()) event.preventDefault();
});

// ---------------------------------------------------------------- whenever there is a new page

function ready() {
  all("form.answer").forEach((form) => {
    fill(form);
    form.addEventListener("input", () => store.set(nameOf(form), typed(form)));
  });
  all("textarea.code:not([readonly])").forEach(edit);
  all("fieldset[data-order]:not([disabled])").forEach(order);
  all(".clock").forEach(count);
  all("[data-watch]").forEach(watch);
}

ready();
if (root.dataset.embedded !== undefined && parent !== window) {
  const tell = () => parent.postMessage({ graderHeight: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
  new ResizeObserver(tell).observe(document.body);
}
if (location.hash === "#told" || location.hash === "#hint") $(location.hash)?.focus();
