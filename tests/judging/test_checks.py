"""Answers judged by several checks, by statements about what was observed, and by their source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grader.content import bank_files
from grader.content.verify import PendingProof, verify
from grader.judging import answer_remarks, checks, inputs
from grader.judging.bodies import Check, Pattern, written
from grader.judging.running_answers import Marker
from grader.learning.question import Question
from grader.model import Outcome, Result, Span, values
from grader.runner.local import LocalRunner

AT = Span("t.yaml")

HEAD = "format: 1\ntopic: t\ntitle: T\nitems:\n"
MISTAKES = """\
mistakes:
  in-place: {says: The underscore changes the input.}
  looped: {says: A loop is not needed.}
  summed: {says: That is the sum.}
  early: {says: The gradient was clipped before there was one.}
"""

CLAMPED = """\
- id: clamped
  kind: code
  level: easy
  skill: a
  stem: Write `clamped(x)`.
  program: |
    import torch

    ...answer...

    before = x.clone()
    result = clamped(x)
  starter: |
    def clamped(x):
        return x
  reference: |
    def clamped(x):
        return x.clamp(min=0)
  checks:
  - {name: values, observe: result, points: 2}
  - {name: input unchanged, observe: "torch.equal(x, before)", says: "`x` was changed."}
  - {name: no loop, forbid: "for $X in $Y: $$$", says: Write it without a loop.}
  cases:
    given: [{x: {tensor: [-1.0, 2.0, 0.5]}}]
    hidden: {x: {shape: [{from: 2, to: 9}], also: [zeros]}}
  mistakes:
  - mistake: in-place
    code: |
      def clamped(x):
          return x.clamp_(min=0)
  - mistake: looped
    looks: "for $X in $Y: $$$"
    code: |
      def clamped(x):
          out = x.clone()
          for i in range(len(x)):
              out[i] = max(out[i], 0)
          return out
  solution: ["It is {result}."]
"""

FALLS = """\
- id: falls
  kind: repair
  level: easy
  skill: a
  stem: Make the loss fall.
  program: |
    import torch

    torch.manual_seed(seed)
    x = torch.randn(64, 1)
    y = 3 * x - 1
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    ...answer...
    final = ((model(x) - y) ** 2).mean().item()
  starter: |
    for step in range(100):
        loss = ((model(x) - y) ** 2).mean()
        optimizer.step()
  reference: |
    for step in range(100):
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
  observe: {final: final, steps: len(run.lr_used)}
  holds: run.seen["final"] < 0.01 and run.seen["steps"] <= 100
  cases: {given: [{seed: 0}]}
  solution: ["The loss is {final}."]
"""


@contextmanager
def proven(tmp_path: Path, runner: LocalRunner, items: str) -> Iterator[Any]:
    path = tmp_path / "quiz.yaml"
    path.write_text(HEAD + items + MISTAKES)
    bank = bank_files.read([path])
    assert [str(one) for one in bank.findings] == []
    assert [str(one) for one in verify(bank, runner).findings] == []
    yield bank


def answered(bank: Any, runner: LocalRunner, code: str) -> Result:
    item = bank.items[0]
    question = Question(item, item.variants[0], PendingProof.begin(item, item.variants[0], runner), Marker(lambda: runner, 3))  # fmt: skip
    return question.answer(code, bank.mistakes)


def test_each_check_has_its_points_and_its_words(tmp_path: Path, runner: LocalRunner) -> None:
    with proven(tmp_path, runner, CLAMPED) as bank:
        score = answered(bank, runner, "def clamped(x):\n    return (x > 0) * x\n").score
        assert (score.outcome, score.points) == (Outcome.CORRECT, 1.0)
        assert [one.passed for one in score.table] == [True, True, True]

        score = answered(bank, runner, "def clamped(x):\n    return x.clamp_(min=0)\n").score
        assert (score.outcome, score.mistake) == (Outcome.PARTLY, "in-place")
        assert [(one.name, one.passed, one.points) for one in score.table] == [
            ("values", True, 2), ("input unchanged", False, pytest.approx(1 / 5)), ("no loop", True, 1),
        ]  # fmt: skip
        assert score.points == pytest.approx((3 + 1 / 5) / 4)
        assert any("`x` was changed." in text for text in score.details)

        looped = "def clamped(x):\n    y = x.clone()\n    for k in range(len(y)):\n        if y[k] < 0: y[k] = 0\n    return y\n"
        score = answered(bank, runner, looped).score
        assert (score.outcome, score.mistake, score.points) == (Outcome.PARTLY, "looped", 0.75)
        assert score.details == ("Write it without a loop.",)


def test_a_failing_drawn_tensor_is_shown_small(tmp_path: Path, runner: LocalRunner) -> None:
    """It is right where there are three entries, as in what is shown; what fails is shrunk to few."""
    items = CLAMPED[: CLAMPED.index("  checks:")] + "  observe: result\n" + CLAMPED[CLAMPED.index("  cases:") : CLAMPED.index("  mistakes:")] + '  solution: ["It is {result}."]\n'  # fmt: skip
    with proven(tmp_path, runner, items.replace("from: 2, to: 9", "from: 4, to: 9")) as bank:
        score = answered(bank, runner, "def clamped(x):\n    return x.clamp(min=0) if len(x) == 3 else x.abs()\n").score
        assert score.outcome is Outcome.PARTLY
        assert "right for the inputs that were shown, and not for others" in score.details[0]
        assert score.details[1].startswith("With `x = torch.tensor([")
        assert score.details[1].count(",") < 6


def test_a_statement_about_what_was_observed_decides(tmp_path: Path, runner: LocalRunner) -> None:
    with proven(tmp_path, runner, FALLS) as bank:
        body = "    loss = ((model(x) - y) ** 2).mean()\n    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
        assert answered(bank, runner, "for step in range(70):\n" + body).score.outcome is Outcome.CORRECT
        score = answered(bank, runner, "for step in range(3):\n" + body).score
        assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0)
        assert answered(bank, runner, "for step in range(101):\n" + body).score.outcome is Outcome.INCORRECT


def test_a_statement_may_name_the_input_of_its_case(tmp_path: Path, runner: LocalRunner) -> None:
    told = FALLS.replace("len(run.lr_used)}", "len(run.lr_used), seeded: seed}").replace(
        "<= 100\n", '<= 100 and run.seen["seeded"] == seed\n'
    )
    with proven(tmp_path, runner, told) as bank:
        assert answered(bank, runner, bank.items[0].body.reference[0]).score.outcome is Outcome.CORRECT


def test_a_pasted_program_and_a_misspelled_name_cost_no_try(tmp_path: Path, runner: LocalRunner) -> None:
    with proven(tmp_path, runner, FALLS) as bank:
        whole = bank.items[0].program.replace("...answer...", "pass")
        score = answered(bank, runner, whole).score
        assert score.outcome is Outcome.UNREADABLE
        assert "the whole program" in score.feedback
    with proven(tmp_path, runner, CLAMPED) as bank:
        score = answered(bank, runner, "def clampd(x):\n    return x.clamp(min=0)\n").score
        assert (score.outcome, "`clampd`" in score.feedback) == (Outcome.UNREADABLE, True)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("  - {name: no loop,", "  - {name: no lambda, forbid: 'lambda $X: $Y'}\n  - {name: no loop,"), "check-idle: no mistake fails the check `no lambda`"),
        (("observe: result, points: 2", "observe: result, holds: run.seen, points: 2"), "bad-field: the check `values` has observe and holds"),
        (("name: no loop", "name: values"), "bad-field: two checks have the same name"),
        (('forbid: "for $X in $Y: $$$", says', 'forbid: "for $X in", says'), "bad-field: `for $X in` is not a pattern of source"),
        (('    looks: "for $X in $Y: $$$"', '    looks: "while $X: $$$"'), "mistake-differs: the mistake `looped` does not look as its `looks` says"),
        (("shape: [{from: 2, to: 9}]", "shape: [n]"), "bad-field: the shape of `x` names `n`"),
        (("shape: [{from: 2, to: 9}]", "shape: [{from: 2, to: 9}], from: 1, to: -1"), "bad-field: the entries of `x` are drawn from 1 to -1"),
        (("tensor: [-1.0, 2.0, 0.5]", "tensor: [[-1.0], [2.0, 0.5]]"), "bad-field: `x` is not what it should be"),
        (("observe: result, points: 2", "holds: 'True'"), "unproven: `holds: True` does not look at the program: it cannot fail"),
        (("  - mistake: looped\n", "  - mistake: early\n    looks: torch.clamp_($$$)\n    code: |\n      def clamped(x):\n          return torch.clamp_(x, min=0)\n  - mistake: looped\n"), "options-collide: the mistakes `in-place` and `early` look alike in every case"),
        (("  - mistake: looped\n", "  - mistake: looped\n    where: k > 2\n"), "bad-expression: `where: k > 2` cannot be decided by the parameters alone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_with_checks_is_found(
    change: tuple[str, str], finding: str, tmp_path: Path, runner: LocalRunner
) -> None:
    assert change[0] in CLAMPED
    path = tmp_path / "quiz.yaml"
    path.write_text(HEAD + CLAMPED.replace(*change) + MISTAKES)
    bank = bank_files.read([path])
    found = bank.findings or verify(bank, runner).findings
    assert finding in "\n".join(str(one) for one in found)


LOOP = "for step in range(3):\n    loss.backward()\n    clip(model)\n    optimizer.step()\n"


@pytest.mark.parametrize(
    ("pattern", "before", "after", "there"),
    [
        ("for $X in $Y: $$$", "", "", True), ("$M.backward()", "", "", True), ("$X.data", "", "", False),
        ("clip($M)", "$L.backward()", "", False), ("clip($M)", "", "$L.backward()", True), ("clip($M)", "$O.step()", "", True),
        ("clip($M)", "$O.gone()", "", False),
    ],
)  # fmt: skip
def test_a_pattern_may_come_before_or_after_another(pattern: str, before: str, after: str, there: bool) -> None:
    assert checks.occurs(Pattern(pattern, AT, before, after), LOOP) == there


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ("[x for x in y]", True), ("[x for x in y if x > 0]", True), ("[f(x) for x in y if x if f(x)]", True),
        ("(x for x in y if x)", False), ("[[x] for row in y for x in row]", False), ("list(y)", False),
    ],
)  # fmt: skip
def test_a_comprehension_is_found_with_its_conditions(source: str, there: bool) -> None:
    assert checks.occurs(Pattern("[$E for $X in $Y]", AT), source) == there
    assert not checks.occurs(Pattern("[$E for $X in $Y if not $C]", AT), source)


def test_one_of_several_patterns_will_do(tmp_path: Path, runner: LocalRunner) -> None:
    """And an answer that has none of them has not what is required."""
    required = "  - {name: no loop, require: {any: [x.clamp($$$), torch.relu(x), {pattern: '$X * x', after: return}]}, says: Use an operation.}\n"
    check = CLAMPED[CLAMPED.index("  - {name: no loop") : CLAMPED.index("  cases:")]
    with proven(tmp_path, runner, CLAMPED.replace(check, required)) as bank:
        for code in ("x.clamp(0)", "torch.relu(x)", "torch.max(x, torch.zeros(()))"):
            score = answered(bank, runner, f"def clamped(x):\n    return {code}\n").score
            last = score.table[-1]
            assert (last.passed, score.outcome is Outcome.CORRECT) == ("max" not in code,) * 2
    path = tmp_path / "quiz.yaml"
    for wrong, said in (
        ("{any: ['x.clamp($$$)']}", "`any` is not what it should be"),
        ("{any: ['x.clamp($$$)', 'for $X in']}", "`for $X in` is not a pattern of source"),
        ("{pattern: x, any: [x, y]}", "there is no field `any` here"),
    ):
        path.write_text(
            HEAD + CLAMPED.replace('forbid: "for $X in $Y: $$$", says', f"require: {wrong}, says") + MISTAKES
        )
        found = [str(one) for one in bank_files.read([path]).findings]
        assert found
        assert said in found[0]


def test_what_was_shown_is_worth_nothing(tmp_path: Path, runner: LocalRunner) -> None:
    """Though it leaves the input alone and has no loop."""
    with proven(tmp_path, runner, CLAMPED) as bank:
        score = answered(bank, runner, "def clamped(x):\n\n    return x  \n").score
        assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0)
        assert [one.points for one in score.table] == [0.0] * 3
        assert answered(bank, runner, "def clamped(x):\n    return 1 * x\n").score.outcome is Outcome.PARTLY


def test_a_pattern_takes_bounded_time_whatever_the_source() -> None:
    for source in ("(" * 30_000, "[" * 30_000 + "]" * 30_000, "for x in y:\n" * 3_000, "\x00\x01" * 1_000, ""):
        assert not checks.occurs(Pattern("$X.data", AT), source)


def test_an_option_may_be_there_in_some_variants_only(tmp_path: Path, runner: LocalRunner) -> None:
    item = """\
- id: some
  kind: choice
  level: easy
  skill: a
  params: {p: [0.25, 0.5]}
  stem: What is the share that stays?
  program: kept = 1 - p
  answer: kept
  options:
  - {value: 1 - p, key: true}
  - {value: p, mistake: summed, yields: p, where: p != 0.5}
  - {value: 2 * p, mistake: in-place, yields: 2 * p}
  solution: ["It is {kept}."]
"""
    with proven(tmp_path, runner, item) as bank:
        one = bank.items[0]
        shown = [PendingProof.begin(one, variant, runner).proof().options for variant in one.variants]
        assert [len(options) for options in shown] == [3, 2]


def test_what_may_be_rounding_noise_is_a_warning_for_the_author_alone(tmp_path: Path, runner: LocalRunner) -> None:
    item = CLAMPED[: CLAMPED.index("  checks:")] + "  observe: result * 1e-9\n  cases: {given: [{x: {tensor: [-1.0, 2.0]}}]}\n" + '  solution: ["It is {result}."]\n'  # fmt: skip
    path = tmp_path / "quiz.yaml"
    path.write_text(HEAD + item)
    bank = bank_files.read([path])
    report = verify(bank, runner)
    assert ([one.code for one in report.findings], report.proven, report.errors) == (["noise"], 1, 0)
    score = answered(bank, runner, "def clamped(x):\n    return x.clamp(min=0)\n").score
    assert score.outcome is Outcome.CORRECT


def test_the_pattern_that_is_in_the_source_is_named() -> None:
    patterns = tuple(Pattern(text, AT) for text in ("torch.func", "torch.autograd.functional"))
    forbids, requires = Check(AT, forbid=patterns), Check(AT, require=patterns)
    source = "torch.autograd.functional.jacobian(f, x)\n"
    assert answer_remarks.unwelcome(forbids, source).endswith(": `torch.autograd.functional`.")
    assert answer_remarks.unwelcome(requires, source).endswith(": `torch.func`.")


def test_a_size_that_ties_tensors_is_no_input(tmp_path: Path) -> None:
    both = "{n: {from: 2, to: 9}, x: {shape: [n]}, y: {shape: [n]}}"
    items = CLAMPED.replace("[{x: {tensor: [-1.0, 2.0, 0.5]}}]", "[{x: {tensor: [1.0]}, y: {tensor: [2.0]}}]")
    path = tmp_path / "quiz.yaml"
    path.write_text(HEAD + items.replace("{x: {shape: [{from: 2, to: 9}], also: [zeros]}}", both) + MISTAKES)
    bank = bank_files.read([path])
    assert not bank.findings
    for case in inputs.draw(written(bank.items[0]), "seed", 5):
        (x, one), (y, other) = case
        tensors = values.tensor(one), values.tensor(other)
        assert (x, y) == ("x", "y")
        assert tensors[0]
        assert tensors[1]
        assert 2 <= tensors[0].shape[0] == tensors[1].shape[0]
