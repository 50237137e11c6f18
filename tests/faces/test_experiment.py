"""Experiments as a widget: the page's own code with the service behind it, with a kernel that we play, and in JupyterLab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.errors import InputError
from grader.faces.jupyter import experiment_widget, notebook_functions
from grader.faces.service.service import Service
from grader.judging import experiments, knobs
from grader.model import Bank, Experiment, Program
from grader.render import figure_svg
from grader.runner.cached import RememberingRunner, Store
from grader.runner.local import LocalRunner
from tests.judging.test_experiments import EXPERIMENT, ITEM
from tests.support.browser import browser
from tests.support.common import ROOT
from tests.support.lab import end, notebook, open_in_lab, save, server
from tests.support.patience import milliseconds

SCRIPT = ROOT / "grader/faces/jupyter/experiment.js"
SETTLED = ".tg-experiment[data-state=shown]"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with one topic, which has an experiment."""
    made = tmp_path_factory.mktemp("experiments")
    (made / "quizzes").mkdir()
    (made / "quizzes/t.yaml").write_text("format: 1\ntopic: t\ntitle: T\nitems:\n- " + ITEM + EXPERIMENT)
    return made


@pytest.fixture(scope="module")
def service(home: Path, runner: LocalRunner) -> Iterator[Service]:
    store = Store(home / "cache")
    made = Service(str(home / "records.sqlite"), runner=RememberingRunner(store, lambda: runner))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_BANK", str(home))
        assert made.backing.bank.items
    yield made
    made.close()
    store.close()


@pytest.fixture
def here(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's side asks the service of this process."""

    class Here:
        def ask(self, do: str, **what: Any) -> dict[str, Any]:
            reply = service.handle({"do": do, **what})
            if "error" in reply:
                raise InputError(reply["error"]["message"], reply["error"]["hint"])
            return dict(reply["ok"])

    monkeypatch.setattr(experiment_widget, "service", Here())


def words(tab: Any) -> list[str]:
    """What is said of each drawing."""
    said: list[str] = tab.locator(".tg-experiment figcaption").all_inner_texts()
    return said


# ---------------------------------------------------------------- the page, with the service behind it

PLAYED = """async ([source, silent]) => {
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  window.asked = [];
  window.silent = silent;
  window.state = {topic: 't', settings: {}, kept: []};
  let hear;
  const model = {get: name => state[name], set: (name, value) => { state[name] = value; }, save_changes() {}, off() {},
    on: (name, call) => { if (name === 'msg:custom') hear = call; },
    send: async message => { asked.push(message); if (!window.silent) again(message, await kernel(message)); }};
  window.again = (message, answer) => hear({...answer, ask: message.ask, view: message.view, number: message.number});
  module.default.render({model, el: document.querySelector('main')});
}"""


def ask(service: Service, message: dict[str, Any]) -> dict[str, Any]:
    """What the kernel's side answers a message of the page."""
    do = {"hello": "experiment", "run": "turn_knobs", "solution": "solve"}[message["ask"]]
    what = {name: message[name] for name in ("settings", "kept", "width")} if do == "turn_knobs" else {}
    reply = service.handle({"do": do, "topic": "t", **what})
    answer: dict[str, Any] = json.loads(json.dumps(reply.get("ok") or {"problem": reply["error"]["message"]}))
    return answer


def bare_page(chromium: Any, scheme: str = "light") -> Any:
    shown = chromium.new_page(color_scheme=scheme, viewport={"width": 900, "height": 1200})
    style = SCRIPT.with_suffix(".css").read_text() + figure_svg.css()
    head = f"<title>T</title><style>:root {{ color-scheme: light dark; }} {style}</style>"
    shown.set_content(f"<!doctype html><html lang=en><head>{head}</head><body><main></main></body></html>")
    return shown


@pytest.fixture(params=["light"])
def tab(request: pytest.FixtureRequest, chromium: Any, service: Service) -> Iterator[Any]:
    shown = bare_page(chromium, request.param)
    shown.expose_function("kernel", lambda message: ask(service, message))
    shown.evaluate(PLAYED, [SCRIPT.read_text(), False])
    shown.wait_for_selector(SETTLED)
    yield shown
    shown.close()


def settled(tab: Any) -> None:
    """Wait until a move was followed; it is not any more what was shown before."""
    tab.wait_for_selector(".tg-experiment:not([data-state=shown])")
    tab.wait_for_selector(SETTLED)
    tab.wait_for_function("() => !document.querySelector('.tg-old')")


def test_knobs_turn_by_keyboard_and_what_is_shown_follows(tab: Any) -> None:
    assert tab.get_by_role("group", name="Experiment: How far a step goes").is_visible()
    assert tab.get_by_text("Task: Find a rate at which the loss grows.").is_visible()
    assert tab.locator("figure svg").count() == 3
    assert "below where it began" in tab.locator(".tg-said").inner_text()
    assert not tab.get_by_label("Momentum").is_visible()
    before = tab.locator("figure svg").evaluate_all("all => all.map(one => one.outerHTML)")
    rate = tab.get_by_role("slider", name="Rate")
    rate.focus()
    tab.keyboard.press("End")
    settled(tab)
    assert rate.get_attribute("aria-valuetext") == "2"
    assert "too long" in tab.locator(".tg-said").inner_text()
    assert words(tab)[0].startswith("The loss rises from 19.2 (step 1)")
    after = tab.locator("figure svg").evaluate_all("all => all.map(one => one.outerHTML)")
    assert all(one != other for one, other in zip(before, after, strict=True))
    tab.get_by_label("Method").select_option("momentum")
    settled(tab)
    assert tab.get_by_label("Momentum").is_visible()
    assert tab.evaluate("() => state.settings") == {"lr": 2, "steps": 20, "method": "momentum", "momentum": 0}
    tab.get_by_role("button", name="Reset").click()
    settled(tab)
    assert tab.evaluate("() => state.settings.lr") == 0.1


def test_runs_are_kept_beside_told_apart_by_dashes_and_removed(tab: Any) -> None:
    keep, status = tab.get_by_role("button", name="Keep this run"), tab.locator(".tg-status")
    keep.click()
    settled(tab)
    keep.click()
    assert status.inner_text() == "This run is kept already."
    tab.get_by_label("Steps").fill("0")
    settled(tab)
    assert tab.get_by_role("list", name="Kept runs").inner_text().startswith("kept 1 Rate 0.1, 20 steps")
    assert tab.locator("figure svg").count() == 4
    keep.click()
    settled(tab)
    tab.get_by_label("Steps").fill("1")
    settled(tab)
    assert keep.get_attribute("aria-disabled") == "true"
    keep.press("Enter")
    assert "2 runs are kept already" in status.inner_text()
    for place, said in enumerate(words(tab)[:2]):
        assert [name in said for name in ("Now: ", "Kept 1: ", "Kept 2: ")] == [True] * 3
        dashes = tab.locator("figure").nth(place).locator(".mark-line path").evaluate_all(
            "all => all.map(one => one.getAttribute('stroke-dasharray'))")  # fmt: skip
        assert len(dashes) == len(set(dashes)) == 3
    tab.get_by_role("button", name="Remove kept 1").click()
    settled(tab)
    assert tab.evaluate("() => state.kept.length") == 1
    tab.get_by_role("button", name="Reset").click()
    settled(tab)
    assert tab.get_by_role("list", name="Kept runs").count() == 0


def test_the_solution_is_shown_when_it_is_wanted_and_sets_the_knobs(tab: Any) -> None:
    assert [message["ask"] for message in tab.evaluate("() => asked")].count("solution") == 0
    tab.get_by_text("Show the solution").click()
    tab.get_by_text("At 2 it ends at").wait_for()
    assert tab.locator(".tg-steps li").count() == 2
    tab.get_by_role("button", name="Set the knobs like this: Rate 2, 20 steps, Method plain").click()
    settled(tab)
    assert tab.get_by_role("slider", name="Rate").get_attribute("aria-valuetext") == "2"
    assert "too long" in tab.locator(".tg-said").inner_text()


def test_the_code_can_be_copied_and_the_numbers_read(tab: Any, runner: LocalRunner) -> None:
    tab.get_by_label("Steps").fill("1")
    settled(tab)
    tab.get_by_text("Show the code").click()
    code = tab.locator(".tg-code").inner_text()
    assert code.startswith("lr = 0.1\nsteps = 6\nmethod = 'plain'\nmomentum = 0.0\n\nimport torch\n")
    run = runner.submit(Program(code)).result()
    tab.get_by_text("Numbers", exact=True).click()
    loss, _ = tab.locator(".tg-numbers table").all()
    numbers = [float(text) for text in loss.locator("td").all_inner_texts()]
    assert numbers == pytest.approx(run.losses, rel=1e-3)  # four digits
    assert "x (2,)" in tab.locator(".tg-numbers pre").inner_text()
    assert tab.evaluate("() => navigator.clipboard === undefined")
    tab.get_by_role("button", name="Copy the code").press("Enter")
    tab.get_by_text("The code is selected.").wait_for()
    assert tab.evaluate("() => getSelection().toString().trim()") == code.strip()


def test_a_chart_is_drawn_for_its_place(tab: Any) -> None:
    place = tab.locator(".tg-drawing").first.bounding_box()["width"]
    tab.wait_for_function(
        "place => Math.abs(document.querySelector('figure svg').getAttribute('width') - place) <= 10", arg=place
    )
    tab.set_viewport_size({"width": 420, "height": 900})
    tab.wait_for_function("() => document.querySelector('figure svg').getAttribute('width') <= 420")


@pytest.mark.parametrize("tab", ["light", "dark"], indirect=True)
def test_axe_finds_nothing_serious_and_it_fits_into_320_pixels(tab: Any) -> None:
    for folded in tab.locator("summary").all():
        folded.click()
    tab.get_by_text("At 2 it ends at").wait_for()
    tab.get_by_role("button", name="Keep this run").click()
    settled(tab)
    found = Axe().run(tab)
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious] == []
    assert {"label", "button-name", "color-contrast", "select-name"} <= {one["id"] for one in found.response["passes"]}
    assert min(tab.evaluate(CONTRASTS)) >= 3
    tab.set_viewport_size({"width": 320, "height": 900})
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 320


CONTRASTS = """() => {
  const style = getComputedStyle(document.querySelector('.tg-experiment[role=group]'));
  const parts = text => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = text; c.fillRect(0, 0, 1, 1);
    return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const light = text => { const [r, g, b] = parts(text).map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(style.backgroundColor);
  return ['--tg-line', '--tg-curve-1', '--tg-curve-2', '--tg-curve-3'].map(name => {
    const one = light(style.getPropertyValue(name)); return (Math.max(one, ground) + 0.05) / (Math.min(one, ground) + 0.05); });
}"""
"""How far the lines and curves stand out from the ground, as axe measures it of text only."""


# ---------------------------------------------------------------- the page, with a kernel that we play


@pytest.fixture
def silent(chromium: Any) -> Iterator[Any]:
    """The widget, which has asked what the knobs offer and has no answer yet; its clock stands still."""
    shown = bare_page(chromium)
    shown.clock.install()
    shown.clock.pause_at("2100-01-01")
    shown.evaluate(PLAYED, [SCRIPT.read_text(), True])
    yield shown
    shown.close()


def asked(tab: Any, what: str) -> list[dict[str, Any]]:
    return [message for message in tab.evaluate("() => asked") if message["ask"] == what]


def answer(tab: Any, message: dict[str, Any], **content: Any) -> None:
    tab.evaluate("([message, content]) => again(message, content)", [message, content])


def run_said(text: str) -> dict[str, Any]:
    """An answer with one chart, of which this is said."""
    figure = {"svg": "<svg></svg>", "title": "T", "words": text, "table": "<table></table>", "said": "", "text": ""}
    return {"there": ["lr", "steps", "method"], "labels": [], "code": "x", "colored": "<pre>x</pre>",
            "figures": [figure], "said": []}  # fmt: skip


@pytest.fixture
def offered(silent: Any, service: Service) -> Any:
    """The same, with its knobs."""
    answer(silent, asked(silent, "hello")[0], **ask(service, {"ask": "hello"}))
    return silent


def test_an_answer_to_older_knobs_or_of_another_view_is_not_shown(offered: Any) -> None:
    (first,) = asked(offered, "run")
    offered.get_by_label("Steps").fill("3")
    answer(offered, first, **run_said("of 20 steps"))
    assert words(offered) == []
    offered.clock.run_for(1000)
    second = asked(offered, "run")[-1]
    assert second["settings"]["steps"] == offered.evaluate("() => state.settings.steps") == 8
    answer(offered, second | {"view": "another"}, **run_said("of another view"))
    assert words(offered) == []
    answer(offered, second, **run_said("of 8 steps"))
    answer(offered, first, **run_said("of 20 steps"))
    assert words(offered) == ["of 8 steps"]
    offered.get_by_label("Steps").fill("4")
    assert offered.locator(".tg-old").count() == 1
    assert offered.locator("[role=group]").get_attribute("data-state") == "moved"


def test_a_kernel_that_does_not_answer_is_told_as_one_and_is_asked_again(silent: Any, service: Service) -> None:
    waiting = silent.locator("p.tg-experiment")
    assert "Waiting for the kernel" in waiting.inner_text()
    silent.clock.run_for(10_000)
    assert "run this cell again" in waiting.inner_text()
    answer(silent, asked(silent, "hello")[0], **ask(service, {"ask": "hello"}))
    assert waiting.count() == 0
    silent.clock.run_for(10_000)
    assert "No answer from the kernel" in silent.locator(".tg-status").inner_text()
    silent.get_by_label("Steps").fill("3")
    silent.clock.run_for(1000)
    answer(silent, asked(silent, "run")[-1], problem="the sandbox is gone", there=["lr"])
    assert silent.locator(".tg-status").inner_text() == "the sandbox is gone"


def test_a_solution_that_failed_can_be_asked_for_again(offered: Any) -> None:
    offered.get_by_text("Show the solution").click()
    offered.wait_for_function("() => asked.at(-1).ask === 'solution'")
    answer(offered, asked(offered, "solution")[0], problem="the process that judges has ended")
    assert "has ended" in offered.locator(".tg-status").inner_text()
    offered.get_by_text("Show the solution").click()
    offered.wait_for_function("() => asked.filter(one => one.ask === 'solution').length === 2")
    answer(offered, asked(offered, "solution")[1], steps=[{"settings": {}, "label": "L", "said": "So it is."}])
    assert offered.get_by_text("So it is.").is_visible()


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in (SCRIPT, SCRIPT.with_suffix(".css")):
        assert not re.search(r"(https?:)?//[a-z]+\.", path.read_text()), path


# ---------------------------------------------------------------- the kernel's side


@pytest.mark.usefixtures("here")
def test_the_kernel_s_side_passes_on_and_reads_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = notebook_functions.experiment("t", lr=2.0)
    assert shown.settings == {"lr": 2.0, "steps": 20, "method": "plain", "momentum": 0.0}
    assert shown.code.startswith("lr = 2.0\n")
    text = repr(shown)
    assert "Experiment: How far a step goes\n\nlr=2.0, steps=20, method='plain'\n\n" in text
    assert "The steps are too long" in text
    assert {"topic", "settings", "kept"} <= set(shown.get_state())
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(shown, "send", sent.append)
    shown._newest["v"] = 2
    message = {"ask": "run", "view": "v", "settings": {"lr": 7}, "kept": [], "width": 400}
    shown._answer(message | {"number": 1}, "v", 1)
    shown._answer(message | {"number": 2}, "v", 2)
    assert sent == [{"ask": "run", "view": "v", "number": 2, "problem": "`lr` cannot be 7"}]
    shown._answer({"ask": "solution", "view": "v", "number": 2}, "v", 2)
    assert [step["settings"]["lr"] for step in sent[1]["steps"]] == [2.0, 0.1]


@pytest.mark.usefixtures("here")
def test_what_is_not_there_is_refused_in_one_clear_line() -> None:
    with pytest.raises(InputError, match="`lr` cannot be 7"):
        notebook_functions.experiment("t", lr=7)
    with pytest.raises(InputError, match="there is no experiment on `nowhere`"):
        notebook_functions.experiment("nowhere")
    with pytest.raises(InputError, match="there is no experiment on `schedulers`"):
        notebook_functions.experiment()
    with pytest.raises(InputError, match="settings have names and values"):
        experiment_widget.service.ask("turn_knobs", topic="t", settings=[1])


# ---------------------------------------------------------------- the experiments of our own topics


@pytest.fixture(scope="module")
def ours(bank: Bank) -> dict[str, Experiment]:
    return {topic.name: topic.experiment for topic in bank.topics if topic.experiment}


@pytest.mark.slow
def test_both_topics_have_an_experiment_that_names_the_values_of_earlier_notebooks(ours: dict[str, Experiment]) -> None:
    assert {"warmup", "schedulers"} <= set(ours)
    (scheduler,) = (knob for knob in ours["schedulers"].knobs if knob.name == "scheduler")
    assert scheduler.values == notebook_functions.SCHEDULES
    knobs.read(ours["schedulers"], {"base_lr": 0.63, "warmup": 5, "epochs": 30})
    for experiment in ours.values():
        assert bool(experiment.task) == bool(experiment.solution)
        assert experiment.compare
        assert max(map(len, experiments.source(experiment, experiment.default).splitlines())) <= 100


@pytest.mark.slow
def test_the_page_and_the_knobs_of_schedulers_come_to_the_same(
    ours: dict[str, Experiment], runner: LocalRunner
) -> None:
    page = (ROOT / "lessons/schedulers/experiment.md").read_text()
    experiment = ours["schedulers"]
    for name, row in (("constant", "constant"), ("step", "steps"), ("cosine", "cosine")):
        (mean,) = re.findall(rf"^{row} +0\.2 +([\d.]+) ", page, re.MULTILINE)[:1]
        values = knobs.read(experiment, {"scheduler": name})
        run = runner.submit(experiments.program(experiment, values)).result()
        shown = experiments.shown(experiment, run)
        rate, excess = shown.figures
        assert excess.content.curves[0].values[-1] == pytest.approx(float(mean), rel=1e-2)
        assert f"ends at {float(f'{float(mean):.3g}')}" in shown.said[0]
        assert len(rate.content.curves[0].values) == 20


# ---------------------------------------------------------------- in a notebook

CELLS = [
    'from grader.jupyter import experiment\nshown = experiment("t")\nshown',
    "print(shown.settings)",
    "print(shown.code)",
]
RUN = """async (place) => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = place;
  await jupyterapp.commands.execute('notebook:run-cell');
  return panel.content.model.cells.get(place).toJSON().outputs;
}"""


@pytest.fixture(scope="module")
def in_lab(home: Path, chromium: Any) -> Iterator[Any]:
    """A tab with a notebook in which the experiment is shown."""
    folder = home / "notebooks"
    folder.mkdir()
    notebook(folder / "experiment.ipynb", CELLS)
    variables = {"GRADER_BANK": str(home), "GRADER_CACHE": str(home / "cache"), "GRADER_DB": str(home / "lab.sqlite")}
    with server(home, folder, variables) as address:
        shown = chromium.new_page(viewport={"width": 1300, "height": 1800})
        shown.set_default_timeout(milliseconds())
        shown.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        open_in_lab(shown, address, "experiment.ipynb", run=False)
        shown.evaluate(RUN, 0)
        shown.locator(SETTLED).wait_for()
        yield shown
        end(shown)


def printed(tab: Any, cell: int) -> str:
    """What a cell prints when it is run now."""
    return "".join(tab.evaluate(RUN, cell)[0]["text"])


@pytest.mark.slow
def test_in_jupyterlab_keys_turn_the_knobs_and_the_kernel_knows(in_lab: Any) -> None:
    output = in_lab.evaluate(RUN, 0)[0]["data"]
    in_lab.locator(SETTLED).wait_for()
    assert "application/vnd.jupyter.widget-view+json" in output
    assert "below where it began" in "".join(output["text/plain"])
    in_lab.get_by_role("combobox", name="Method").focus()
    in_lab.keyboard.press("m")  # momentum; in JupyterLab's command mode m makes Markdown of a cell
    settled(in_lab)
    in_lab.get_by_role("slider", name="Rate").focus()
    in_lab.keyboard.press("ArrowRight")
    settled(in_lab)
    assert printed(in_lab, 1) == "{'lr': 0.13, 'steps': 20, 'method': 'momentum', 'momentum': 0}\n"
    in_lab.get_by_text("Show the code").click()
    in_lab.get_by_role("button", name="Copy the code").click()
    in_lab.get_by_text("The code is copied.").wait_for()
    assert printed(in_lab, 2) == in_lab.evaluate("() => navigator.clipboard.readText()") + "\n"


@pytest.mark.slow
def test_in_jupyterlab_only_the_newest_of_many_moves_counts_and_a_page_that_is_loaded_again_shows_the_same(
    in_lab: Any,
) -> None:
    in_lab.get_by_role("button", name="Reset").click()
    settled(in_lab)
    in_lab.get_by_role("button", name="Keep this run").click()
    settled(in_lab)
    rate = in_lab.get_by_role("slider", name="Rate")
    for place in range(11, 20):
        rate.fill(str(place))
    settled(in_lab)
    said = words(in_lab)
    assert printed(in_lab, 1).startswith("{'lr': 0.79, ")
    assert "Kept 1: " in said[0]
    save(in_lab)
    open_in_lab(in_lab, in_lab.url.partition("/lab")[0], "experiment.ipynb", run=False)
    in_lab.locator(SETTLED).wait_for()
    in_lab.wait_for_function("said => document.querySelector('figcaption')?.textContent === said", arg=said[0])
    assert rate.input_value() == "19"
