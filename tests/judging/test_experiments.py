"""Experiments as data: what is read, where they are proven, what is found, what a run shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import template
from grader.content import bank_files
from grader.content.verify import Trying, verify
from grader.errors import InputError
from grader.judging import experiment_proofs, experiments, knobs
from grader.model import Bars, Chart, Experiment, Expr, Figure, Finding, Status
from grader.runner.local import LocalRunner
from tests.support.common import EXERCISES, Command

EXPERIMENT = """
experiment:
  title: How far a step goes
  about: Turn up the rate until the loss no longer falls.
  knobs:
    lr: {label: Rate, from: 0.01, to: 2.0, scale: log, start: 0.1}
    steps: {from: 5, to: 30, start: 20, unit: step}
    method: {choices: [plain, momentum]}
    momentum: {from: 0.0, to: 0.9, step: 0.1, where: method == "momentum"}
  program: |
    import torch

    x = torch.tensor([4.0, 4.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum if method == "momentum" else 0)
    losses = []
    for step in range(steps):
        loss = (x * x * torch.tensor([1.0, 0.2])).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
  curves: {loss: {data: losses, scale: log}, rate: run.lr_used}
  figure: {draw: grid, data: '{"x": x.detach()}', title: Where it ends}
  words:
  - {when: "losses[-1] < losses[0]", say: "The loss ends at {losses[-1]}, below where it began."}
  - {when: "losses[-1] >= losses[0]", say: "The steps are too long: the loss ends at {losses[-1]}."}
  compare: true
  task: Find a rate at which the loss grows.
  solution:
  - {set: {lr: 2.0}, holds: "losses[-1] > losses[0]", say: "At 2 it ends at {losses[-1]}."}
  - {say: "Where the knobs start, it ends at {losses[-1]}."}
"""


def read(text: str = EXPERIMENT) -> tuple[Experiment, list[Finding]]:
    topic, findings = bank_files.parse(EXERCISES + text, "t.yaml")
    assert topic, findings
    assert topic.experiment
    return topic.experiment, findings


@pytest.fixture
def experiment() -> Experiment:
    found, findings = read()
    assert not findings
    return found


def test_knobs_have_their_places(experiment: Experiment) -> None:
    rate, steps, method, momentum = experiment.knobs
    assert rate.values[:4] == (0.01, 0.013, 0.016, 0.02)
    assert (rate.values[-1], rate.values[rate.start]) == (2.0, 0.1)
    assert steps.values == tuple(range(5, 31))
    assert (method.values, method.choice) == (("plain", "momentum"), True)
    assert momentum.values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert knobs.there(experiment, experiment.default) == ("lr", "steps", "method")
    assert knobs.label(experiment, experiment.default) == "Rate 0.1, 20 steps, Method plain"


def test_of_many_corners_each_end_is_tried_where_its_knob_is_there() -> None:
    more = "".join(f"    k{place}: {{from: 0, to: 9}}\n" for place in range(6))
    experiment, findings = read(EXPERIMENT.replace("  program: |", f"{more}  program: |", 1))
    assert not findings
    points = [dict(point) for point in knobs.points(experiment)]
    assert len(points) <= 1 + knobs.MOST_CORNERS + knobs.DRAWN
    for knob in experiment.knobs:
        for end in (knob.values[0], knob.values[-1]):
            assert any(point[knob.name] == end for point in points)
    assert any(point["method"] == "momentum" and point["momentum"] == 0.9 for point in points)


def test_each_choice_is_tried_and_a_sentence_never_said_names_what_was() -> None:
    choices = "".join(f"    k{place}: {{choices: [1, 2, 3, 4, 5, 6]}}\n" for place in range(4))
    experiment, findings = read(EXPERIMENT.replace("  program: |", f"{choices}  program: |", 1))
    assert not findings
    points = experiment_proofs.points(experiment)
    for knob in experiment.knobs:
        assert not knob.choice or {dict(point)[knob.name] for point in points} == set(knob.values)
    word = replace(experiment.words[0], when=Expr("k0 == 7", experiment.at))
    found = experiment_proofs.never_said(replace(experiment, words=(word,)), points, [])
    assert found[0].message.endswith("(k0: 1, 2, 3, 4, 5, 6)")


def test_points_are_the_start_the_corners_and_twenty_more(experiment: Experiment) -> None:
    points = knobs.points(experiment)
    assert points[0] == experiment.default
    assert points == knobs.points(experiment)
    given = [dict(point) for point in points]
    for lr in (0.01, 2.0):
        for steps in (5, 30):
            assert {"lr": lr, "steps": steps, "method": "plain", "momentum": 0.0} in given
            assert {"lr": lr, "steps": steps, "method": "momentum", "momentum": 0.9} in given
    assert 24 <= len(points) <= 1 + knobs.MOST_CORNERS + knobs.DRAWN
    assert all(point["momentum"] == 0 for point in given if point["method"] == "plain")


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"lr": 3}, "`lr` cannot be 3", "it is one of 0.01, 0.013, ..., 2; the nearest are 1.6 and 2"),
        ({"method": "adam"}, "`method` cannot be 'adam'", "it is one of plain, momentum"),
        ({"steps": True}, "`steps` cannot be True", "it is one of 5, 6, ..., 30"),
        ({"rl": 1}, "there is no knob `rl`", "it is lr, steps, method, momentum"),
    ],
)
def test_what_no_knob_can_say_is_refused(
    given: dict[str, Any], message: str, hint: str, experiment: Experiment
) -> None:
    with pytest.raises(InputError) as refused:
        knobs.read(experiment, given)
    assert (refused.value.message, refused.value.hint) == (message, hint)
    assert dict(knobs.read(experiment, {"steps": 7}))["steps"] == 7


def test_the_solution_is_made_of_runs(experiment: Experiment, runner: LocalRunner) -> None:
    assert [dict(step.values)["lr"] for step in experiment.solution] == [2.0, 0.1]
    assert set(experiment_proofs.points(experiment)) >= {step.values for step in experiment.solution}
    programs = [experiments.program(experiment, step.values) for step in experiment.solution]
    runs = [runner.submit(program).result() for program in programs]
    said = [experiments.solved(experiment, *one) for one in zip(experiment.solution, runs, strict=True)]
    assert said[0] == f"At 2 it ends at {template.show(runs[0].losses[-1])}."
    assert said[1] == f"Where the knobs start, it ends at {template.show(runs[1].losses[-1])}."


def test_it_is_proven_at_every_point(experiment: Experiment, runner: LocalRunner) -> None:
    assert [str(finding) for finding in Trying(experiment, runner).findings()] == []


def test_a_run_shows_curves_figures_and_the_words_that_are_true(experiment: Experiment, runner: LocalRunner) -> None:
    shown = {}
    for lr in (0.1, 2.0):
        values = knobs.read(experiment, {"lr": lr})
        shown[lr] = experiments.shown(experiment, runner.submit(experiments.program(experiment, values)).result())
        loss, rate, end = shown[lr].figures
        assert isinstance(loss.content, Chart)
        assert (loss.content.log, len(loss.content.curves[0].values)) == (True, 20)
        assert isinstance(rate.content, Chart)
        assert set(rate.content.curves[0].values) == {lr}
        assert end.draw == "grid"
    assert len(shown[0.1].said) == len(shown[2.0].said) == 1
    assert "below where it began" in shown[0.1].said[0]
    assert "too long" in shown[2.0].said[0]
    both = experiments.together([("now", shown[0.1]), ("kept 1", shown[2.0])])
    assert [figure.title for figure in both] == [
        "The loss of each step", "The rate of each step", "Where it ends, now", "Where it ends, kept 1"
    ]  # fmt: skip
    assert isinstance(both[0].content, Chart)
    assert [curve.name for curve in both[0].content.curves] == ["now", "kept 1"]
    bars = [experiments.Shown((Figure("bars", "B", Bars((("a", end), ("b", 1.0)))),)) for end in (2.0, 3.0)]
    (one,) = experiments.together(list(zip(("now", "kept 1"), bars, strict=True)))
    assert one.content == Bars((("a, now", 2.0), ("a, kept 1", 3.0), ("b, now", 1.0), ("b, kept 1", 1.0)))


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("losses[-1] >= losses[0]", "losses[-1] > 1e30", "never-said", "is true at none of"),
        ("losses[-1] >= losses[0]", "losses[-1]", "step-fails", "`losses[-1]` is "),
        (
            "ends at {losses[-1]}.",
            "ends at {lossess[-1]}.",
            "step-fails",
            "`lossess[-1]` cannot be evaluated: NameError",
        ),
        ("losses[-1] > losses[0]", "losses[-1] < losses[0]", "step-fails", "`losses[-1] < losses[0]` is false"),
        ("At 2 it ends at {losses[-1]}", "At 2 it ends at {lost}", "step-fails", "`lost` cannot be evaluated"),
        ("range(steps)", "range(steps - 5)", "bad-figure", "this cannot be drawn (curve): a figure has 1 to 500 steps"),
        (
            "x = torch.tensor([4.0, 4.0]",
            "x = torch.tensor([4.0, 1 / (2.0 - lr)]",
            "program-raises",
            "ZeroDivisionError",
        ),
        (
            "import torch\n",
            "import torch, os\n    print(os.getpid())\n",
            "not-deterministic",
            "two runs of the program",
        ),
    ],
)
def test_verify_finds_what_is_not_so_at_some_point(
    old: str, new: str, code: str, said: str, runner: LocalRunner
) -> None:
    assert old in EXPERIMENT
    experiment, findings = read(EXPERIMENT.replace(old, new))
    assert not findings
    found = Trying(experiment, runner).findings()
    assert code in {finding.code for finding in found}, [str(finding) for finding in found]
    assert any(said in finding.message for finding in found), [str(finding) for finding in found]
    assert len(found) <= 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("start: 0.1}", "start: 0.12}", "`start` of `lr` is none of the values that it can have"),
        ("from: 0.01, to: 2.0", "from: 0, to: 2.0", "the knob `lr` has 0 values"),
        ("{from: 5, to: 30, start: 20, unit: step}", "{from: 5, to: 5000}", "the knob `steps` has 0 values"),
        ("    lr: {", "    in: {", "`in` cannot be a knob"),
        ('method == "momentum"}', "len(method) > 5}", "`where` of `momentum` cannot be decided by the knobs"),
        ("set: {lr: 2.0}", "set: {lr: 3.0}", "`lr` cannot be 3.0"),
        ("set: {lr: 2.0}", "set: {rl: 2.0}", "there is no knob `rl`"),
        ("  task: Find a rate at which the loss grows.\n", "", "this is the solution of no task"),
        ("  program: |", "  uses: [digit]\n  program: |", "there is no setup `digit`"),
        ("losses[-1] >= losses[0]", "losses[-1] >=", "`losses[-1] >=` is not a Python expression"),
    ],
)
def test_what_is_not_well_formed_is_a_finding(old: str, new: str, said: str) -> None:
    assert old in EXPERIMENT
    _, findings = bank_files.parse(EXERCISES + EXPERIMENT.replace(old, new), "t.yaml")
    assert any(said in finding.message for finding in findings), [str(finding) for finding in findings]
    assert all(finding.hint for finding in findings)


def test_setups_and_a_topic_s_own_module_come_along(tmp_path: Path, runner: LocalRunner) -> None:
    uses = EXPERIMENT.replace(
        "  program: |\n    import torch\n", "  uses: [start, digits]\n  program: |\n    import helpers\n"
    )
    assert uses != EXPERIMENT
    (tmp_path / "t.yaml").write_text(f"{EXERCISES}{uses}setup:\n  start: import torch\n")
    (tmp_path / "t_helpers.py").write_text("TWO = 2\n")
    bank = bank_files.read([tmp_path / "t.yaml"])
    assert [str(finding) for finding in bank.findings] == []
    (experiment,) = [topic.experiment for topic in bank.topics]
    assert experiment
    assert [name for name, _ in experiment.modules] == ["helpers", "sklearn.datasets"]
    run = runner.submit(experiments.program(experiment, experiment.default)).result()
    assert run.status is Status.OK, run.error


def test_an_experiment_that_draws_nothing_is_a_finding() -> None:
    lines = [line for line in EXPERIMENT.splitlines() if not line.startswith(("  curves", "  figure"))]
    _, findings = bank_files.parse(EXERCISES + "\n".join(lines), "t.yaml")
    assert [finding.message for finding in findings] == ["this experiment draws nothing"]


def test_verify_counts_it_and_a_terminal_shows_it(grader: Command, tmp_path: Path, runner: LocalRunner) -> None:
    (tmp_path / "quizzes").mkdir()
    path = tmp_path / "quizzes/t.yaml"
    path.write_text("format: 1\ntopic: t\ntitle: T\nitems:\n- " + ITEM + EXPERIMENT)
    report = verify(bank_files.read([path]), runner)
    assert [str(finding) for finding in report.findings] == []
    assert report.experiments == 1
    done = grader("learn", "t", "--mode", "experiment", "--bank", tmp_path, "--set", "steps=6", "--plain")
    assert done.returncode == 0, done.stderr
    assert "  steps = 6        Steps: 5 to 30 steps\n" in done.stdout
    assert "The loss falls from 19.2 (step 1) to " in done.stdout
    assert "Where it ends\n\n  x (2,)\n  ---" in done.stdout
    assert ", below where it began." in done.stdout
    assert "Task: Find a rate at which the loss grows." in done.stdout
    assert "At 2 it ends" not in done.stdout
    wrong = grader("learn", "t", "--mode", "experiment", "--bank", tmp_path, "--set", "steps=60")
    assert (wrong.returncode, "`steps` cannot be 60" in wrong.stderr) == (2, True)
    assert grader("learn", "t", "--bank", tmp_path, "--set", "steps=6").returncode == 2
    more = ("--beside", "lr=2.0", "--solution")
    done = grader("learn", "t", "--mode", "experiment", "--bank", tmp_path, "--set", "steps=6", "--plain", *more)
    said = " ".join(done.stdout.split())
    assert "Now: the loss falls from 19.2 (step 1)" in said
    assert "Beside: the loss rises from 19.2 (step 1)" in said
    assert "Where it ends, beside\n" in done.stdout
    assert "At 2 it ends at 2.16136e+19. (Rate 2, 20 steps, Method plain)" in said


def test_a_choice_that_looks_like_a_tuple_can_be_set(tmp_path: Path, grader: Command) -> None:
    (tmp_path / "quizzes").mkdir()
    chosen = EXPERIMENT.replace("[plain, momentum]", '["(1,)", momentum]')
    (tmp_path / "quizzes/t.yaml").write_text(EXERCISES + chosen)
    done = grader("learn", "t", "--mode", "experiment", "--bank", tmp_path, "--set", "method=(1,)", "--plain")
    assert (done.returncode, "  method = (1,)" in done.stdout) == (0, True)


ITEM = """id: i
  kind: number
  level: easy
  skill: s
  stem: How many entries has `x`?
  program: |
    import torch
    x = torch.zeros(3)
  answer: x.numel()
  solution: ["{x.numel()}"]
"""
