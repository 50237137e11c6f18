"""The experiment: settings, the program that they stand for, and the widget in a real JupyterLab."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import browser
from conftest import ROOT
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lab import end, notebook, open_in_lab, save, server
from patience import milliseconds

from grader import charts, experiment, knobs
from grader.errors import InputError
from grader.experiment import SCHEDULERS, Settings
from grader.knobs import widget
from grader.model import Limits, Program, Status
from grader.run.local import LocalRunner


@pytest.fixture(scope="module")
def runner() -> Iterator[LocalRunner]:
    """As the widget's own: scikit-learn is loaded ahead."""
    with LocalRunner(preload=experiment.LIBRARIES) as runner:
        yield runner


@st.composite
def anything(draw: st.DrawFn) -> Settings:
    """Settings anywhere within their ranges."""
    scheduler = draw(st.sampled_from(sorted(SCHEDULERS)))
    epochs = draw(st.integers(*experiment.EPOCHS))
    knob = SCHEDULERS[scheduler].knob
    own: st.SearchStrategy[Any] = st.none()
    if knob and knob.whole:
        own |= st.integers(int(knob.low), int(knob.high))
    elif knob:
        own |= st.floats(knob.low, knob.high, allow_subnormal=False)
    base_lr = draw(st.floats(*experiment.BASE_LR))
    return Settings(scheduler, base_lr, draw(st.integers(0, epochs // 2)), epochs, draw(own))


# ------------------------------------------------------------ settings and programs


def without_training(settings: Settings) -> Program:
    """The program as shown, with one image in place of 1797, so that hundreds can be run."""
    source = experiment.code(settings)
    fewer = source.replace("images = images.float() / 16\n", "images, labels = images[:1].float() / 16, labels[:1]\n")
    assert fewer != source
    return Program(fewer, asks=("rates",), limits=Limits(cpu_seconds=60, wall_seconds=240.0))


@given(settings=anything())
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rates_are_those_that_the_program_uses(settings: Settings, runner: LocalRunner) -> None:
    drawn = experiment.rates(settings)
    run = runner.submit(without_training(settings)).result()
    assert run.status is Status.OK, run.error
    assert run.warnings == ()
    assert run.lr_used == drawn
    assert run.asked[0].value == list(drawn)
    assert len(drawn) == settings.epochs


@given(settings=anything())
@hypothesis_settings(max_examples=200, deadline=None)
def test_the_program_is_short_and_settings_survive_a_round_trip(settings: Settings) -> None:
    source = experiment.code(settings)
    assert max(map(len, source.splitlines())) <= experiment.WIDTH
    assert len(source.splitlines()) < 50
    assert experiment.read(json.loads(json.dumps(settings.data))) == settings


@given(settings=anything())
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_warmup_rises_evenly_to_the_base_rate(settings: Settings) -> None:
    drawn = experiment.rates(settings)
    warmup, base = settings.warmup, settings.base_lr
    if settings.scheduler == "onecycle":
        assert max(drawn) <= base * (1 + 1e-9)
        if warmup:
            assert drawn.index(max(drawn)) == warmup or settings.value == 1
        return
    assert drawn[: warmup + 1] == pytest.approx([base * (epoch + 1) / (warmup + 1) for epoch in range(warmup + 1)])


@given(settings=anything())
@hypothesis_settings(max_examples=200, deadline=None)
def test_the_words_name_the_numbers_of_the_curve(settings: Settings) -> None:
    drawn = experiment.rates(settings)
    words = experiment.describe(experiment.rate_chart([("now", drawn)]))
    assert words == charts.describe_curve(drawn, "rate", "epoch")
    numbers = {charts.show(value) for value in drawn}
    named = re.findall(r"(?:from|to|at|between) ([-\d.e+]*\d)", words)
    assert named
    assert set(named) <= numbers


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_is_drawn_is_what_the_shown_program_does(scheduler: str, runner: LocalRunner) -> None:
    settings = Settings(scheduler, base_lr=0.2, warmup=3, epochs=8)
    source = experiment.code(settings)
    run = runner.submit(Program(source, asks=("rates", "losses"))).result()
    assert run.status is Status.OK, run.error
    drawn, losses = experiment.rates(settings), experiment.losses(settings, runner)
    assert run.lr_used == tuple(rate for rate in drawn for _ in range(experiment.BATCHES))
    assert run.asked[0].value == list(drawn)
    assert run.asked[1].value == list(losses)
    assert losses[-1] < losses[0]
    lines = run.stdout.splitlines()
    assert [float(line.split()[3]) for line in lines] == [pytest.approx(rate, rel=5e-3) for rate in drawn]
    assert [float(line.split()[5]) for line in lines] == [pytest.approx(loss, rel=5e-3) for loss in losses]


def test_defaults_are_a_run_that_learns(runner: LocalRunner) -> None:
    losses = experiment.losses(Settings(), runner)
    assert losses[0] == pytest.approx(math.log(10), rel=0.05)  # ten digits, guessed
    assert losses[-1] < 0.1


def test_a_run_that_diverges_is_told_as_one(runner: LocalRunner) -> None:
    losses = experiment.losses(Settings("constant", base_lr=10.0, warmup=0, epochs=5), runner)
    assert not math.isfinite(losses[-1])
    alone = experiment.describe(experiment.loss_chart([("now", losses)]))
    assert "no finite number" in alone
    assert alone.endswith("The run has diverged.")
    calm = experiment.losses(Settings(epochs=5, warmup=0), runner)
    both = experiment.describe(experiment.loss_chart([("now", calm), ("kept 1", losses)]))
    assert both.endswith("Diverged: kept 1.")


def test_rates_leave_the_learner_s_torch_as_it_is() -> None:
    import torch

    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    for scheduler in SCHEDULERS:
        experiment.rates(Settings(scheduler))
    assert torch.equal(torch.rand(3), wanted)
    assert torch.get_num_threads() == threads
    torch.set_default_dtype(torch.float64)
    try:
        assert experiment.rates(Settings())[5] == 0.1
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"scheduler": "cosin"}, "there is no scheduler `cosin`; there are constant, "),
        ({"base_lr": 0}, "base_lr is a number from 0.0001 to 10, not 0"),
        ({"base_lr": math.nan}, "base_lr is a number from 0.0001 to 10, not nan"),
        ({"base_lr": "0.1"}, "base_lr is a number from 0.0001 to 10, not '0.1'"),
        ({"base_lr": True}, "base_lr is a number from 0.0001 to 10, not True"),
        ({"epochs": 61}, "epochs is a whole number from 5 to 60, not 61"),
        ({"epochs": 30.0}, "epochs is a whole number from 5 to 60, not 30.0"),
        ({"warmup": 16}, "warmup is a whole number from 0 to 15 (half of the 30 epochs), not 16"),
        ({"warmup": -1}, "warmup is a whole number from 0 to 15 (half of the 30 epochs), not -1"),
        ({"scheduler": "step", "own": 0}, "own (step_size) is a whole number from 1 to 60, not 0"),
        ({"scheduler": "exponential", "own": 1.5}, "own (gamma) is a number from 0.5 to 1, not 1.5"),
        ({"scheduler": "constant", "own": 1}, "the scheduler `constant` has no knob of its own, but own=1 was given"),
        ({"base_rl": 1}, "there is no setting `base_rl`"),
    ],
)  # fmt: skip
def test_what_is_outside_is_refused_in_one_clear_line(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        experiment.read(given_)
    assert refused.value.message.startswith(message)
    if "cosin" in message:
        assert refused.value.hint == "did you mean `cosine`?"


def test_without_a_notebook_it_reads_as_text(runner: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "_runner", lambda: runner)
    shown = knobs.experiment("step", base_lr=0.2, warmup=0, epochs=9, own=4)
    settings = Settings("step", 0.2, 0, 9, 4)
    assert shown.settings == settings
    assert shown.code == experiment.code(settings)
    text = " ".join(repr(shown).split())
    assert all(said in text for said in (str(settings), *expected(settings, runner)))
    saved = {name: value for name, value in shown.get_state().items() if name in ("knobs", "kept", "start")}
    assert saved == {"knobs": settings.data, "kept": [], "start": settings.data}
    shown.settings = Settings("linear")
    assert "LinearLR" in shown.code
    with pytest.raises(InputError, match="base_lr is a number"):
        shown.knobs = {"base_lr": 11}
    assert shown.settings == Settings("linear")


def test_a_training_that_cannot_be_run_is_told_and_the_rates_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = LocalRunner()
    closed.close()
    monkeypatch.setattr(widget, "_runner", lambda: closed)
    text = " ".join(repr(knobs.experiment(base_lr=0.123)).split())
    assert "No loss: the training could not be run: the runner is closed." in text
    assert "The rate rises from 0.0205 (epoch 1) to 0.123 (epoch 6)" in text


# ------------------------------------------------------------ in a notebook

CELLS = [
    "from grader.knobs import experiment\nshown = experiment()\nshown",
    "print(shown.settings)",
    "print(shown.code)",
]
RUN = """async (place) => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = place;
  await jupyterapp.commands.execute('notebook:run-cell');
  return panel.content.model.cells.get(place).toJSON().outputs;
}"""
SETTLED = ".tg-experiment[data-state=shown]"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Any]:
    """A tab with a notebook in which the experiment is shown; each test turns it back to its start."""
    home = tmp_path_factory.mktemp("experiment")
    folder = home / "notebooks"
    folder.mkdir()
    notebook(folder / "experiment.ipynb", CELLS)
    with server(home, folder) as address:
        tab = chromium.new_page(viewport={"width": 1300, "height": 1800})
        tab.set_default_timeout(milliseconds())
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        open_in_lab(tab, address, "experiment.ipynb", run=False)
        tab.evaluate(RUN, 0)
        tab.locator(SETTLED).wait_for()
        yield tab
        end(tab)


@pytest.fixture
def tab(page: Any) -> Any:
    page.get_by_role("button", name="Reset").click()
    settled(page)
    return page


def settled(tab: Any) -> None:
    """Wait until all curves are those of the knobs; a move marks them as old at once."""
    tab.locator(SETTLED).wait_for()
    tab.wait_for_function("() => !document.querySelector('.tg-old')")


def words(tab: Any) -> tuple[str, str]:
    """What is said of the rates and of the losses."""
    rates, losses = tab.locator(".tg-experiment figcaption").all_inner_texts()
    return rates, losses


def printed(tab: Any, cell: int) -> str:
    """What a cell prints when it is run now."""
    return "".join(tab.evaluate(RUN, cell)[0]["text"])


def expected(settings: Settings, runner: LocalRunner) -> tuple[str, str]:
    rates, losses = experiment.rates(settings), experiment.losses(settings, runner)
    return (
        experiment.describe(experiment.rate_chart([("now", rates)])),
        experiment.describe(experiment.loss_chart([("now", losses)])),
    )


def test_it_shows_itself_and_reads_as_text(tab: Any, runner: LocalRunner) -> None:
    output = tab.evaluate(RUN, 0)[0]["data"]
    settled(tab)
    text = "".join(output["text/plain"])
    assert "application/vnd.jupyter.widget-view+json" in output
    rates, losses = expected(Settings(), runner)
    flat = " ".join(text.split())
    assert str(Settings()) in flat
    assert rates in flat
    assert losses in flat
    assert max(map(len, text.splitlines())) <= experiment.WIDTH
    assert words(tab) == (rates, losses)
    assert tab.locator(".tg-experiment figure svg").count() == 2


def test_knobs_by_keyboard_change_both_curves_and_the_program(tab: Any, runner: LocalRunner) -> None:
    before = tab.locator(".tg-experiment figure svg").evaluate_all("all => all.map(one => one.outerHTML)")
    tab.get_by_role("combobox", name="Scheduler").focus()
    tab.keyboard.press("s")  # StepLR; in JupyterLab's command mode s saves
    tab.keyboard.press("Tab")
    assert tab.evaluate("() => document.activeElement.labels[0].textContent") == "Base rate"
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Home")
    tab.keyboard.press("Tab")
    for _ in range(6):
        tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("Tab")
    tab.keyboard.press("PageUp")
    settled(tab)
    now = experiment.read(state(tab))
    assert (now.scheduler, now.base_lr, now.warmup, now.epochs) == ("step", 0.16, 0, 24)
    assert now.own is not None
    texts = tab.locator(".tg-experiment input[type=range]").evaluate_all("all => all.map(one => one.ariaValueText)")
    assert texts == ["0.16", "none", "24 epochs", f"{now.own} epochs"]
    assert words(tab) == expected(now, runner)
    after = tab.locator(".tg-experiment figure svg").evaluate_all("all => all.map(one => one.outerHTML)")
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert printed(tab, 2) == experiment.code(now) + "\n"


def state(tab: Any) -> dict[str, Any]:
    """The settings as the kernel has them, read from what a cell prints."""
    text = printed(tab, 1)
    label, rate, warmup, epochs, *own = text.strip().split(", ")
    name = next(name for name, scheduler in SCHEDULERS.items() if scheduler.label == label)
    lengths = [int(number) if (number := re.sub(r"\D", "", part)) else 0 for part in (warmup, epochs)]
    value = float(own[0].split()[1]) if own else None
    whole = SCHEDULERS[name].knob and SCHEDULERS[name].knob.whole
    return {
        "scheduler": name, "base_lr": float(rate.split()[2]), "warmup": lengths[0], "epochs": lengths[1],
        "own": int(value) if whole and value is not None else value,
    }  # fmt: skip


def test_a_knob_by_mouse_is_followed_and_only_the_newest_counts(tab: Any, runner: LocalRunner) -> None:
    box = tab.get_by_label("Base rate").bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * 0.6, middle)
    tab.mouse.down()
    for place in range(20):
        tab.mouse.move(box["x"] + box["width"] * (0.6 + 0.015 * place), middle)
    tab.wait_for_function("text => document.querySelector('figcaption').textContent !== text", arg=words(tab)[0])
    tab.mouse.up()
    settled(tab)
    now = experiment.read(state(tab))
    assert now.base_lr > 0.5
    assert words(tab) == expected(now, runner)


def test_a_run_that_diverges_is_shown_as_one(tab: Any) -> None:
    tab.get_by_label("Base rate").fill("10")
    tab.get_by_label("Warmup").fill("0")
    settled(tab)
    assert words(tab)[1].endswith("The run has diverged.")
    assert "the run has diverged" in tab.locator(".tg-experiment [role=status]").inner_text()


def test_two_curves_are_kept_for_comparison_and_told_apart_by_dashes(tab: Any) -> None:
    keep, status = tab.get_by_role("button", name="Keep this curve"), tab.locator(".tg-experiment [role=status]")
    keep.click()
    settled(tab)
    keep.click()
    assert status.inner_text() == "This curve is kept already."
    for scheduler in ("step", "linear"):
        tab.get_by_role("combobox", name="Scheduler").select_option(scheduler)
        settled(tab)
        if scheduler == "step":
            keep.click()
            settled(tab)
    assert tab.get_by_role("list", name="Kept curves").locator("b").all_inner_texts() == ["kept 1", "kept 2"]
    assert keep.get_attribute("aria-disabled") == "true"
    keep.press("Enter")
    assert status.inner_text() == "2 curves are kept already. Remove one to keep another."
    for place, said in enumerate(words(tab)):
        assert [name in said for name in ("Now: ", "Kept 1: ", "Kept 2: ")] == [True] * 3
        dashes = tab.locator(".tg-experiment figure").nth(place).locator(".mark-line path").evaluate_all(
            "all => all.map(one => one.getAttribute('stroke-dasharray'))")  # fmt: skip
        assert len(dashes) == len(set(dashes)) == 3
    tab.get_by_role("button", name="Remove kept 1").click()
    settled(tab)
    assert tab.get_by_role("list", name="Kept curves").inner_text().startswith("kept 1 StepLR")
    tab.get_by_role("button", name="Reset").click()
    settled(tab)
    assert tab.get_by_role("list", name="Kept curves").count() == 0
    assert experiment.read(state(tab)) == Settings(own=25)


def test_the_code_can_be_copied_and_run_and_the_numbers_read(tab: Any, runner: LocalRunner) -> None:
    tab.get_by_role("combobox", name="Scheduler").select_option("onecycle")
    tab.get_by_label("Epochs").fill("6")
    settled(tab)
    now = Settings("onecycle", warmup=3, epochs=6)
    tab.get_by_text("Show the code").click()
    tab.get_by_role("button", name="Copy the code").click()
    tab.get_by_text("The code is copied.").wait_for()
    copied = tab.evaluate("() => navigator.clipboard.readText()")
    assert copied == experiment.code(now)
    assert tab.locator(".tg-code").inner_text().strip() == copied.strip()
    run = runner.submit(Program(copied)).result()
    tab.get_by_text("Numbers", exact=True).click()
    rows = [row.split("\t") for row in tab.locator(".tg-numbers tbody tr").all_inner_texts()]
    rates = run.lr_used[:: experiment.BATCHES]
    assert rows == [
        [str(epoch), charts.show(rate), charts.show(loss)]
        for epoch, (rate, loss) in enumerate(zip(rates, run.losses, strict=True), 1)
    ]
    tab.get_by_text("Numbers", exact=True).click()
    tab.get_by_text("Show the code").click()


def test_it_fits_into_320_pixels(tab: Any) -> None:
    tab.get_by_text("Show the code").click()
    tab.get_by_text("Numbers", exact=True).click()
    root = tab.locator(".tg-experiment[role=group]")
    root.evaluate("node => { node.style.width = '320px'; }")
    try:
        tab.wait_for_function("() => document.querySelector('.tg-drawing svg').getAttribute('width') <= 320")
        too_wide = root.evaluate("""root => [...root.querySelectorAll('*')].filter(
          node => !node.closest('pre, .tg-numbers, svg') && node.getBoundingClientRect().right
            > root.getBoundingClientRect().right + 1).map(node => node.outerHTML.slice(0, 80))""")
        assert too_wide == []
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth")
    finally:
        root.evaluate("node => { node.style.width = ''; }")
        tab.get_by_text("Numbers", exact=True).click()
        tab.get_by_text("Show the code").click()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(tab: Any, theme: str) -> None:
    tab.get_by_text("Show the code").click()
    tab.get_by_text("Numbers", exact=True).click()
    tab.get_by_role("button", name="Keep this curve").click()
    settled(tab)
    tab.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    light = "true" if theme.endswith("Light") else "false"
    tab.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)
    found = Axe().run(tab, context=".tg-experiment[role=group]")
    serious = [entry for entry in found.response["violations"] if entry["impact"] in ("serious", "critical")]
    assert [(entry["id"], [node["html"] for node in entry["nodes"]]) for entry in serious] == []
    passed = {entry["id"] for entry in found.response["passes"]}
    assert {"label", "button-name", "color-contrast", "select-name"} <= passed
    contrasts = tab.evaluate("""() => {
      const style = getComputedStyle(document.querySelector('.tg-experiment[role=group]'));
      const parts = text => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = text; c.fillRect(0, 0, 1, 1);
        return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3); };
      const light = text => { const [r, g, b] = parts(text).map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = light(style.backgroundColor);
      return ['--tg-line', '--tg-curve-1', '--tg-curve-2', '--tg-curve-3'].map(name => {
        const one = light(style.getPropertyValue(name)); return (Math.max(one, ground) + 0.05) / (Math.min(one, ground) + 0.05); });
    }""")
    assert min(contrasts) >= 3, contrasts
    tab.get_by_text("Numbers", exact=True).click()
    tab.get_by_text("Show the code").click()


def test_a_page_that_is_loaded_again_shows_the_same(tab: Any) -> None:
    tab.get_by_role("button", name="Keep this curve").click()
    tab.get_by_role("combobox", name="Scheduler").select_option("restarts")
    tab.get_by_label("Base rate").fill("-15")
    settled(tab)
    said = words(tab)
    assert "Kept 1: " in said[1]
    save(tab)
    open_in_lab(tab, tab.url.partition("/lab")[0], "experiment.ipynb", run=False)
    settled(tab)
    assert words(tab) == said
    assert tab.get_by_role("combobox", name="Scheduler").input_value() == "restarts"
    assert tab.get_by_label("Base rate").input_value() == "-15"


# ------------------------------------------------------------ the page's side, with a kernel that we play

PLAYED = """async source => {
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  window.asked = [];
  window.state = {knobs: {scheduler: 'cosine', base_lr: 0.1, warmup: 5, epochs: 30, own: null}, kept: []};
  state.start = state.knobs;
  const model = {get: name => state[name], set: (name, value) => { state[name] = value; }, save_changes() {}, off() {},
    send: message => asked.push(message), on: (name, call) => { if (name === 'msg:custom') window.answer = call; }};
  module.default.render({model, el: document.body});
}"""
OFFER = {
    "schedulers": [{"name": "cosine", "label": "CosineAnnealingLR", "does": "Falls.", "own": None}],
    "base_lr": [0.0001, 10], "epochs": [5, 60], "kept": 2,
}  # fmt: skip


@pytest.fixture
def played(chromium: Any) -> Iterator[Any]:
    """The widget in a bare page, which has asked for what the knobs offer; its clock stands still."""
    tab = chromium.new_page()
    tab.clock.install()
    tab.clock.pause_at("2100-01-01")
    tab.evaluate(PLAYED, (ROOT / "grader/knobs/experiment.js").read_text())
    yield tab
    tab.close()


def asked(tab: Any, what: str) -> list[dict[str, Any]]:
    return [message for message in tab.evaluate("() => asked") if message["ask"] == what]


def answer(tab: Any, message: dict[str, Any], **content: Any) -> None:
    drawn = {"svg": "<svg></svg>", "title": "T", "words": "", "code": "x", "colored": "<pre>x</pre>", "value": None,
             "labels": [], "table": "<table></table>", "last": "1"}  # fmt: skip
    echo = {name: message[name] for name in ("ask", "view", "number")}
    tab.evaluate("content => answer(content)", drawn | echo | content)


def test_a_late_answer_does_not_overwrite_a_newer_one(played: Any) -> None:
    answer(played, asked(played, "hello")[0], **OFFER)
    answer(played, asked(played, "rates")[0], words="rates of 30")
    played.get_by_label("Epochs").fill("20")
    played.clock.run_for(1000)
    old, new = asked(played, "losses")
    assert [message["settings"]["epochs"] for message in (old, new)] == [30, 20]
    assert played.evaluate("() => state.knobs.epochs") == 20
    answer(played, new, words="losses of 20")
    answer(played, old, words="losses of 30")
    assert words(played)[1] == "losses of 20"
    answer(played, new | {"view": "another"}, words="of another view")
    assert words(played)[1] == "losses of 20"


def test_an_answer_to_older_knobs_does_not_look_like_one_to_the_newest(played: Any) -> None:
    answer(played, asked(played, "hello")[0], **OFFER)
    answer(played, asked(played, "rates")[0])
    answer(played, asked(played, "losses")[0], words="losses of 30")
    played.get_by_label("Epochs").fill("20")
    played.clock.run_for(1000)
    late = asked(played, "losses")[-1]
    played.get_by_label("Epochs").fill("10")
    answer(played, late, words="losses of 20")
    assert words(played)[1] == "losses of 30"
    assert played.locator(".tg-old").count() == 1
    assert played.locator("[role=group]").get_attribute("data-state") == "moved"


def test_while_a_knob_moves_one_question_is_open_and_the_next_has_the_newest_settings(played: Any) -> None:
    answer(played, asked(played, "hello")[0], **OFFER)
    for epochs in range(31, 51):
        played.get_by_label("Epochs").fill(str(epochs))
    assert len(asked(played, "rates")) == 1
    answer(played, asked(played, "rates")[0])
    first, second = asked(played, "rates")
    assert (first["settings"]["epochs"], second["settings"]["epochs"]) == (30, 50)


def test_a_kernel_that_does_not_answer_is_told_as_one_and_is_asked_again(played: Any) -> None:
    assert "Waiting for the kernel" in played.locator("p.tg-experiment").inner_text()
    played.clock.run_for(10_000)
    assert "run this cell again" in played.locator("p.tg-experiment").inner_text()
    answer(played, asked(played, "hello")[0], **OFFER)
    assert played.locator("p.tg-experiment").count() == 0
    played.clock.run_for(10_000)
    assert "No answer from the kernel" in played.locator("[role=status]").inner_text()
    played.get_by_label("Epochs").fill("20")
    assert asked(played, "rates")[-1]["settings"]["epochs"] == 20
    answer(played, asked(played, "rates")[-1], problem="the sandbox is gone")
    assert played.locator("[role=status]").inner_text() == "the sandbox is gone"


def test_where_there_is_no_clipboard_the_code_is_selected(played: Any) -> None:
    assert played.evaluate("() => navigator.clipboard === undefined")
    answer(played, asked(played, "hello")[0], **OFFER)
    answer(played, asked(played, "rates")[0], code="x = 1", colored="<pre>x = 1</pre>")
    played.get_by_text("Show the code").click()
    played.get_by_role("button", name="Copy the code").press("Enter")
    played.get_by_text("The code is selected.").wait_for()
    assert played.evaluate("() => getSelection().toString().trim()") == "x = 1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"settings": {"base_lr": 99}}, "base_lr is a number from 0.0001 to 10, not 99"),
        ({"settings": "cosine"}, "settings have names and values, this is 'cosine'"),
        ({"settings": {}, "kept": [{"epochs": 1}]}, "epochs is a whole number from 5 to 60, not 1"),
    ],
)
def test_the_kernel_refuses_what_no_knob_can_say(
    content: dict[str, Any], problem: str, runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget, "_runner", lambda: runner)
    shown = knobs.experiment()
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(shown, "send", sent.append)
    shown._asked(shown, {"ask": "rates", "view": "v", "number": 1} | content, [])
    assert sent == [{"ask": "rates", "view": "v", "number": 1, "problem": problem}]


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in (ROOT / "grader/knobs").iterdir():
        if path.is_file():
            assert not re.search(r"(https?:)?//[a-z]+\.", Path(path).read_text()), path
