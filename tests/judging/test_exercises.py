"""Answers that are run: what is right in any form, what each wrong one is told, and that nothing else is ever right."""

from __future__ import annotations

import dataclasses
import random
import textwrap
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import cli, kinds
from grader.content import bank_files
from grader.content.verify import PendingProof, verify
from grader.errors import InputError
from grader.judging import mutants, running_answers
from grader.judging.running_answers import Marker
from grader.kinds.sequence import Table
from grader.model import (
    Bank,
    Expr,
    Item,
    Limits,
    Observation,
    Outcome,
    Program,
    Proof,
    Response,
    Score,
    Span,
    Status,
    Unreadable,
)
from grader.runner import Runner
from grader.runner.local import LocalRunner
from tests.support.common import EXERCISES as TEXT


def items(text: str = TEXT) -> dict[str, Item]:
    topic, findings = bank_files.parse(text, "t.yaml")
    assert not findings
    assert topic
    return {item.id: item for item in topic.items}


@pytest.fixture(scope="module")
def marker(runner: LocalRunner) -> Marker:
    return Marker(lambda: runner, seed=3)


@pytest.fixture(scope="module")
def proofs(runner: LocalRunner) -> dict[str, tuple[Item, Proof]]:
    found = {name: (item, PendingProof.begin(item, item.variants[0], runner).proof()) for name, item in items().items()}
    assert not [proof.findings for _, proof in found.values() if proof.findings]
    return found


def mark(pair: tuple[Item, Proof], marker: Marker, *parts: str) -> Score:
    item, proof = pair
    return kinds.of(item).grade(item, proof, Response("", parts=parts), marker)


RIGHT = {
    "closed form": "def factor(epoch):\n    return min(1.0, (1 + epoch) / ramp)\n",
    "if and else": "def factor(epoch):\n    if epoch + 1 < ramp:\n        return (epoch + 1) / ramp\n    else:\n        return 1.0\n",
    "table": "table = [(n + 1) / ramp for n in range(ramp)]\ndef factor(epoch):\n    return table[epoch] if epoch < ramp else 1\n",
    "class": "class Factor:\n    def __call__(self, epoch):\n        return 1 if epoch >= ramp else (epoch + 1) / ramp\nfactor = Factor()\n",
    "closure": "def make(n):\n    return lambda epoch: min((epoch + 1) / n, 1)\nfactor = make(ramp)\n",
    "tensor": "def factor(epoch):\n    return torch.clamp(torch.tensor((epoch + 1) / ramp, dtype=torch.float64), max=1).item()\n",
}


@pytest.mark.parametrize("name", RIGHT)
def test_whatever_does_the_same_is_right(name: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker) -> None:
    score = mark(proofs["factor"], marker, RIGHT[name])
    assert (score.outcome, score.points) == (Outcome.CORRECT, 1.0), score
    assert len(score.checked) == 4
    assert sum(entry.hidden for entry in score.checked) == 3


@pytest.mark.parametrize(
    ("code", "outcome", "mistake", "said"),
    [
        ("def factor(epoch):\n    return epoch / ramp if epoch < ramp else 1\n", "incorrect", "late", "each rate comes one epoch too late: 0.02 belongs to epoch 1."),
        ("factor = lambda epoch: (epoch + 1) / ramp\n", "incorrect", "no-cap", "correct through epoch 5. In epoch 6 the rate is 0.12; it should be 0.1, and stay there."),
        ("def factor(epoch):\n    return min((epoch + 1) / 5, 1)\n", "partly", None, "It is right for the inputs that were shown, and not for others."),
        ("def factor(epoch):\n    return [.2, .4, .6, .8][epoch] if epoch < 4 else 1\n", "partly", None, "right for the inputs that were shown"),
        ("def factor(epoch):\n    return 0.5 * min((epoch + 1) / ramp, 1)\n", "incorrect", None, "the shape is right, but each rate is 0.5 times what it should be."),
        ("def factor(epoch):\n    x = epoch + 1\n    return min(x / rump, 1)\n", "incorrect", None, "your code raised NameError: name 'rump' is not defined (in line 3 of your code: `return min(x / rump, 1)`)."),
        ("def factor(epoch):\n    pass\n", "incorrect", None, "A function without `return` gives None."),
        ("def faktor(epoch):\n    return 1\n", "unreadable", None, "the program uses `factor`, and your code defines `faktor`: one of the names is misspelled"),
        ("def warm(epoch):\n    return 1\n", "incorrect", None, "NameError: name 'factor' is not defined (when the program used your code: `scheduler = LambdaLR(optimizer, factor)`)."),
        ("def factor():\n    return 1\n", "incorrect", None, "A scheduler passes the epoch and nothing else."),
        ("def factor(epoch)\n    return 1\n", "unreadable", None, "this is not Python in line 1: expected ':'"),
        ("x = 1\n  y = 2\n", "unreadable", None, "this is not Python in line 2: unexpected indent"),
        ("raise SystemExit(0)\n", "incorrect", None, "it gives no rate at all, and 12 are needed."),
        ("import torch\ndef factor(epoch):\n    return float('nan')\n", "incorrect", None, "already in epoch 1 the rate is nan"),
    ],
)  # fmt: skip
def test_what_a_wrong_program_is_told(
    code: str, outcome: str, mistake: str | None, said: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    score = mark(proofs["factor"], marker, code)
    told = " ".join([score.feedback, *score.details])
    assert (score.outcome.value, score.mistake) == (outcome, mistake), told
    assert said in told
    assert (score.points is None) == (outcome == "unreadable")
    for ours in ("grader", "execute", "Traceback", "<program>", "<expression>"):
        assert ours not in told


@pytest.mark.waits
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("while True: pass", "did not end"),
        ("import time\ntime.sleep(60)", "was waiting and did not go on"),
        ("while True: print('x' * 1000)", "printed too much"),
        ("import os\nos._exit(0)", "ended its own process"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "ended its own process"),
    ],
)
def test_a_program_that_comes_to_no_end_is_told_so(
    code: str, said: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Limits(cpu_seconds=1, waiting_seconds=1.5, memory_bytes=1 << 30, output_bytes=1 << 16)
    monkeypatch.setattr(running_answers, "LIMITS", short)
    score = mark(proofs["factor"], marker, code)
    assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0)
    assert said in score.feedback


def test_memory_that_runs_out_is_told_as_an_error_of_the_program(
    proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    score = mark(proofs["factor"], marker, "data = bytearray(1 << 40)\n")
    assert score.outcome is Outcome.INCORRECT
    assert "MemoryError" in score.details[0]


FORGED = {
    "helpers": "approx = rising = falling = constant = lambda *a, **k: True\nfactor = lambda e: 1\n",
    "builtins": "import builtins, math\nbuiltins.all = builtins.any = lambda *a: True\nmath.isclose = lambda *a, **k: True\nfactor = lambda e: 1\n",
    "equal to all": "class F(float):\n    def __eq__(s, o): return True\n    def __mul__(s, o): return s\n    __rmul__ = __mul__\nfactor = lambda e: F(1)\n",
    "observer": "import sys\nm = sys.modules['grader.runner.inside.helpers']\nm.Run.lr_used = property(lambda s: [0.1] * 12)\nfactor = lambda e: 1\n",
    "json": "import json\nreal = json.dumps\njson.dumps = lambda d, **k: real({**d, 'status': 'ok'} if isinstance(d, dict) else d)\nfactor = lambda e: 1\n",
    "frames": "import gc, sys\nhits = [o for o in gc.get_objects() if isinstance(o, dict) and 'reference' in o]\nfactor = lambda e: 1\n",
    "pipe": "import os, struct, json\nbody = json.dumps({'status': 'ok'}).encode()\nfor fd in range(3, 20):\n    try: os.write(fd, struct.pack('!I', len(body)) + body)\n    except OSError: pass\nos._exit(0)\n",
    "torch": "import torch\ntorch.optim.lr_scheduler.LambdaLR.step = lambda s, *a: None\nfactor = lambda e: 1\n",
    "trace": "import sys\nsys.settrace(lambda *a: None)\nfactor = lambda e: 1\n",
    "exit": "import sys, atexit\natexit.register(lambda: None)\nsys.exit(0)\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_nothing_that_a_program_patches_makes_it_right(
    name: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    score = mark(proofs["factor"], marker, FORGED[name])
    assert score.outcome in (Outcome.INCORRECT, Outcome.PARTLY, Outcome.UNREADABLE), (name, score)
    assert not score.points


@pytest.mark.parametrize(
    "fill",
    [
        "globals().update(approx=lambda *a: True) or 5",
        "__import__('builtins').__dict__.update(approx=lambda *a: True) or 5",
        "setattr(__import__('sys').modules['grader.runner.inside.helpers'], 'approx', lambda *a: True) or 5",
        "__import__('sys').modules['grader.runner.inside.helpers'].HELPERS.update(approx=lambda *a: True) or 5",
    ],
)
def test_what_is_to_hold_is_asked_where_the_learner_s_code_never_was(
    fill: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    assert mark(proofs["blanks"], marker, fill, "1").outcome is Outcome.INCORRECT


@pytest.mark.parametrize(
    ("parts", "mistake"),
    [(("1", "1"), ""), (("1.0", "1 if epoch >= 0 else 0"), ""), (("0", "1"), "late"), (("-epoch+epoch", "1"), "late"), (("1", "2"), None)],
)  # fmt: skip
def test_blanks_are_judged_by_what_they_do(
    parts: tuple[str, ...], mistake: str | None, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    score = mark(proofs["blanks"], marker, *parts)
    assert (score.outcome is Outcome.CORRECT) == (mistake == "")
    assert score.mistake == (mistake or None)


def test_hidden_inputs_differ_from_answer_to_answer(proofs: dict[str, tuple[Item, Proof]], runner: LocalRunner) -> None:
    seen = {
        tuple(
            entry.inputs for entry in mark(proofs["factor"], Marker(lambda: runner, seed), RIGHT["class"]).checked[1:]
        )
        for seed in range(8)
    }
    assert len(seen) == 8


IN_THE_BANK = {
    "": "def factor(epoch):\n    return min(1, (epoch + 1) / warmup_epochs)\n",
    "if": "def factor(epoch):\n    if epoch >= warmup_epochs:\n        return 1\n    return (1 + epoch) / warmup_epochs\n",
    "table": "parts = [n / warmup_epochs for n in range(1, warmup_epochs + 1)]\ndef factor(epoch):\n    return parts[min(epoch, warmup_epochs - 1)]\n",
    "class": "class Ramp:\n    def __init__(self, length):\n        self.length = length\n    def __call__(self, epoch):\n        return min(epoch + 1, self.length) / self.length\nfactor = Ramp(warmup_epochs)\n",
    "closure": "def ramp(length):\n    def inner(epoch):\n        return min((epoch + 1) / length, 1)\n    return inner\nfactor = ramp(warmup_epochs)\n",
    "forgets-plus-one": "def factor(epoch):\n    return min(epoch / warmup_epochs, 1)\n",
    "no-cap": "factor = lambda epoch: (1 + epoch) / warmup_epochs\n",
    "rate-for-factor": "def factor(epoch):\n    return min(base_lr * (epoch + 1) / warmup_epochs, base_lr)\n",
    "steps-per-batch": "def factor(epoch):\n    step = epoch * batches\n    return min((step + 1) / warmup_epochs, 1)\n",
    "starts-at-zero": "def factor(epoch):\n    return 1 if epoch >= warmup_epochs else epoch / (warmup_epochs - 1)\n",
    "hard-coded": "def factor(epoch):\n    return [0.2, 0.4, 0.6, 0.8, 1.0][epoch] if epoch < 5 else 1.0\n",
}  # fmt: skip


@pytest.mark.parametrize("name", IN_THE_BANK)
def test_the_factor_of_our_own_bank(name: str, bank: Bank, runner: LocalRunner, remembering: Runner) -> None:
    item = next(item for item in bank.items if item.id == "write-the-factor")
    proof = PendingProof.begin(item, item.variants[0], remembering).proof()
    for seed in range(3):
        score = mark((item, proof), Marker(lambda: runner, seed), IN_THE_BANK[name])
        if "-" in name and name != "hard-coded":
            assert (score.outcome, score.mistake) == (Outcome.INCORRECT, name)
        else:
            assert (score.outcome is Outcome.CORRECT) == (name != "hard-coded")
            assert score.mistake is None


FRAME = """\
import json, os, struct
def say(frame):
    body = json.dumps(frame).encode()
    for descriptor in range(3, 40):
        try:
            os.write(descriptor, struct.pack("!I", len(body)) + body)
        except OSError:
            pass
    os._exit(0)
one = {"status": "ok", "lr_at_start_by_group": [], "lr_used_by_group": [], "lr_after_step_by_group": [], "losses": [],
       "warnings": [], "error": None, "asked": [{"value": [0.1] * 12}], "seconds": 0.0, "peak_bytes": 0}
deep = 1.0
for _ in range(400): deep = [deep]
whole = {**one, "asked": [], "cases": [one] * 4}
"""
FRAMES = {
    "no cases": "say({**whole, 'cases': []})",
    "too few cases": "say({**whole, 'cases': [one]})",
    "too many cases": "say({**whole, 'cases': [one] * 50})",
    "a huge number": "say({**whole, 'cases': [{**one, 'asked': [{'value': [10**400] * 12}]}] * 4})",
    "a huge time": "say({**whole, 'seconds': 10**400})",
    "a deep value": "say({**whole, 'cases': [{**one, 'asked': [{'value': deep}]}] * 4})",
    "not run": "say({**whole, 'status': 'not-run', 'note': 'the machine is on fire'})",
    "cases in cases": "say({**whole, 'cases': [{**whole, 'status': 'not-run'}] * 4})",
    "endless text": "say({**whole, 'cases': [{**one, 'asked': [{'value': ['x' * 500000] + [0.1] * 11}]}] * 4})",
    "a slow message": "say({**whole, 'cases': [{**one, 'status': 'error', 'error': {'type': 'TypeError', 'message': 'unsupported operand type(s) for ' * 90000, 'line': 1, 'code': ''}}] * 4})",
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_a_forged_result_is_wrong_and_harms_nobody(
    name: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    score = mark(proofs["factor"], marker, FRAME + FRAMES[name])
    assert (score.outcome, score.points) == (Outcome.INCORRECT, 0.0), score
    assert len(" ".join([score.feedback, *score.details])) < 2_000
    assert "on fire" not in score.feedback
    assert mark(proofs["factor"], marker, RIGHT["class"]).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    "before",
    [
        "import os\nos.mkdir('checkpoints')\n",
        "open('log.txt', 'x').close()\n",
        "torch.set_num_interop_threads(1)\n",
        "from __future__ import annotations\n",
        "\n\n\ufeff".removesuffix("\ufeff"),
        "text = 'a\u2028b'\n",
    ],
)
def test_what_one_case_leaves_behind_is_not_in_the_way_of_the_next(
    before: str, proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    item, proof = proofs["factor"]
    kind = kinds.named("code")
    prompt = kind.prompt(item, proof.variant, proof)
    assert prompt
    for raw in (
        before + RIGHT["class"],
        (before + RIGHT["class"]).replace("\n", "\r\n"),
        "\ufeff" + before + RIGHT["class"],
    ):
        response = kind.read(prompt, raw)
        assert isinstance(response, Response)
        assert kind.grade(item, proof, response, marker).outcome is Outcome.CORRECT


def test_code_that_is_indented_as_in_its_class_counts(proofs: dict[str, tuple[Item, Proof]], marker: Marker) -> None:
    item, proof = proofs["factor"]
    kind = kinds.named("code")
    prompt = kind.prompt(item, proof.variant, proof)
    assert prompt
    response = kind.read(prompt, "\n" + textwrap.indent(RIGHT["if and else"], "    "))
    assert isinstance(response, Response)
    assert kind.grade(item, proof, response, marker).outcome is Outcome.CORRECT


def test_lines_are_counted_as_the_learner_counts_them(proofs: dict[str, tuple[Item, Proof]], marker: Marker) -> None:
    item, proof = proofs["factor"]
    kind = kinds.named("code")
    prompt = kind.prompt(item, proof.variant, proof)
    assert prompt
    for raw, said in (
        ("\n\n\ndef factor(epoch):\n    return nope\n", "line 5 of your code: `return nope`"),
        ("def factor(epoch):\r    return nope\r", "line 2 of your code"),
        ("def factor(epoch):\n    return 'a\n", "in line 2: unterminated string literal"),
        (">>> def factor(epoch):\n...     return 1\n", "paste the code alone"),
    ):
        response = kind.read(prompt, raw)
        assert isinstance(response, Response)
        score = kind.grade(item, proof, response, marker)
        assert said in " ".join([score.feedback, *score.details])
        assert "detected at" not in score.feedback


def test_an_error_of_syntax_that_is_raised_later_is_wrong_and_not_unreadable(
    proofs: dict[str, tuple[Item, Proof]], marker: Marker
) -> None:
    for code in ("raise SyntaxError('gave up')\n", "def factor(epoch):\n    return eval('1 +')\n"):
        assert mark(proofs["factor"], marker, code).outcome is Outcome.INCORRECT


@pytest.mark.parametrize("part", ["1) #", "1 +", "1; 2", "(", "'"])
def test_a_blank_takes_what_is_python_by_itself(part: str, proofs: dict[str, tuple[Item, Proof]]) -> None:
    item, proof = proofs["blanks"]
    kind = kinds.named("fill")
    prompt = kind.prompt(item, proof.variant, proof)
    assert prompt
    assert isinstance(kind.read(prompt, f"1; {part}"), Unreadable)


def test_what_cannot_be_asked_is_not_judged(proofs: dict[str, tuple[Item, Proof]], runner: LocalRunner) -> None:
    class NoReplay:
        def submit(self, program: Program, by: str | None = None) -> Future[Observation]:
            if program.replay is None:
                return runner.submit(program)
            future: Future[Observation] = Future()
            future.set_result(Observation(Status.NOT_RUN, note="no"))
            return future

        def close(self) -> None: ...

    score = mark(proofs["blanks"], Marker(NoReplay, 1), "1", "1")
    assert (score.outcome, score.points) == (Outcome.NOT_RUN, None)


# ---------------------------------------------------------------- ten thousand wrong answers


def _expression(chance: random.Random, depth: int = 0) -> str:
    if depth > 2 or chance.random() < 0.3:
        return chance.choice(["epoch", "ramp", "1", "2", "0", "0.5", "(epoch + 1)", "base_lr"])
    one, other = _expression(chance, depth + 1), _expression(chance, depth + 1)
    form = chance.choice(
        ["({} + {})", "({} - {})", "({} * {})", "({} / {})", "min({}, {})", "max({}, {})", "({} if epoch < {} else 1)"]
    )
    return form.format(one, other)


def _values(expression: str, ramp: int, base_lr: float) -> list[float] | None:
    names = {"ramp": ramp, "base_lr": base_lr, "min": min, "max": max, "__builtins__": {}}
    try:
        return [float(eval(expression, names | {"epoch": epoch})) for epoch in range(12)]
    except (ZeroDivisionError, OverflowError):
        return None


@pytest.mark.slow
def test_generated_programs_are_right_exactly_where_they_should_be(
    proofs: dict[str, tuple[Item, Proof]], runner: LocalRunner
) -> None:
    """Some hundreds of programs; the truth is known here by plain arithmetic, on inputs of our own."""
    chance = random.Random(1)
    sources = [_expression(chance) for _ in range(300)] + [
        "min((epoch + 1) / ramp, 1)",
        "max(0, min(1, (1 + epoch) / ramp))",
    ]

    def outcome(number: int) -> Outcome:
        code = f"def factor(epoch):\n    return {sources[number]}\n"
        return mark(proofs["factor"], Marker(lambda: runner, seed=number), code).outcome

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(outcome, range(len(sources))))
    for source, found in zip(sources, outcomes, strict=True):
        truth = all(
            (values := _values(source, ramp, 0.3)) is not None
            and all(abs(value - min((epoch + 1) / ramp, 1)) < 1e-9 for epoch, value in enumerate(values))
            for ramp in range(3, 10)
        )
        assert (found is Outcome.CORRECT) == truth, source
        assert found in (Outcome.CORRECT, Outcome.PARTLY, Outcome.INCORRECT), source
    assert outcomes[-2:] == [Outcome.CORRECT, Outcome.CORRECT]


def test_ten_thousand_wrong_tables_are_wrong(marker: Marker, proofs: dict[str, tuple[Item, Proof]]) -> None:
    _, proof = proofs["factor"]
    item = dataclasses.replace(
        items()["blanks"], kind="sequence", body=Table(counts="epoch", cells=Expr("6", Span("t.yaml")))
    )
    right = [0.02, 0.04, 0.06, 0.08, 0.1, 0.1]
    table = dataclasses.replace(proof, answer=list(right), options=())
    grade, chance = kinds.named("sequence").grade, random.Random(2)
    for _ in range(10_000):
        numbers = list(right)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(6)
            numbers[place] = chance.choice(
                [0.0, -1.0, 1e300, numbers[place] + 0.001, chance.uniform(-1, 1), right[-place]]
            )
        score = grade(item, table, Response("", numbers=tuple(numbers)), marker)
        wrong = any(abs(a - b) > 1e-6 * max(abs(a), abs(b)) + 1e-12 for a, b in zip(numbers, right, strict=True))
        assert (score.outcome is not Outcome.CORRECT) == wrong
        assert (score.points == 1.0) != wrong


# ---------------------------------------------------------------- checks that are too weak


def test_mutants_are_single_changes_and_all_different() -> None:
    source = "def factor(epoch):\n    step = epoch + 1\n    scale = 0.5\n    if step < ramp:\n        return scale * step / ramp\n    return min(step, 1)\n"
    found = mutants.mutants(source)
    assert len({mutant.source for mutant in found}) == len(found) > 10
    whats = {mutant.what for mutant in found}
    assert {
        "another comparison",
        "another operator",
        "a missing `min`",
        "2 in place of 1",
        "0 in place of 1",
        "1 in place of 0.5",
        "two statements swapped",
    } <= whats


def test_a_check_with_one_short_case_is_too_weak(runner: LocalRunner) -> None:
    weak = TEXT.replace("    hidden: {base_lr: {from: 0.01, to: 0.5}, ramp: {from: 3, to: 9}}\n", "")
    weak = weak.replace("given: [{base_lr: 0.1, ramp: 5}]", "given: [{base_lr: 0.1, ramp: 5}]").replace(
        "range(12)", "range(4)"
    )
    topic, findings = bank_files.parse(weak, "t.yaml")
    assert not findings
    assert topic
    report = verify(Bank((topic,)), runner)
    codes = {finding.code for finding in report.findings}
    assert {"mutant-passes", "mistake-passes"} <= codes
    assert any("a missing `min`" in finding.message for finding in report.findings if finding.code == "mutant-passes")


# ---------------------------------------------------------------- the question about one's own code


def test_the_follow_up_asks_about_the_learner_s_own_code(
    proofs: dict[str, tuple[Item, Proof]], runner: LocalRunner
) -> None:
    from grader.learning.question import Question

    item, proof = proofs["factor"]

    class Done:
        def done(self) -> bool:
            return True

        def proof(self) -> Proof:
            return proof

    question = Question(item, item.variants[0], Done(), Marker(lambda: runner, seed=5))
    assert question.follow_up() is None
    assert question.answer("factor = lambda e: 0", {}).score.outcome is Outcome.INCORRECT
    assert question.follow_up() is None
    assert question.answer(RIGHT["table"], {}).score.outcome is Outcome.CORRECT
    asked = question.follow_up()
    assert asked is not None
    inputs, place = dict(asked.asked.inputs), asked.asked.place
    assert isinstance(inputs["base_lr"], float)
    assert isinstance(inputs["ramp"], int)
    right = inputs["base_lr"] * min((place + 1) / inputs["ramp"], 1)
    assert asked.answer(f"{right:.4g}").score.outcome is Outcome.CORRECT
    wrong = asked.answer(str(inputs["base_lr"] * min(place / inputs["ramp"], 1))).score
    assert wrong.outcome is Outcome.INCORRECT
    assert f"is what it gave for epoch {place}" in wrong.feedback
    assert asked.answer("what").score.outcome is Outcome.UNREADABLE


# ---------------------------------------------------------------- without a sandbox


@pytest.fixture
def unwalled() -> Iterator[type[LocalRunner]]:
    """Runners on a machine that has no walls: all of them one, which is closed in the end."""
    with LocalRunner(sandbox=False) as runner:

        class Open(LocalRunner):
            def __init__(self, **_: object) -> None:
                self.__dict__ = runner.__dict__

            def close(self) -> None: ...

        yield Open


def test_a_file_s_code_is_not_run_without_a_sandbox_unless_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unwalled: type[LocalRunner]
) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(TEXT)
    (tmp_path / "answer.py").write_text(RIGHT["class"])
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("grader.runner.local.LocalRunner", unwalled)
    command = ["grade", "factor", "--bank", str(tmp_path)]
    refused = CliRunner().invoke(cli.app, [*command, "--answer-file", str(tmp_path / "answer.py")])
    assert isinstance(refused.exception, InputError)
    assert "there is no sandbox here" in str(refused.exception)
    assert "correct" not in refused.output
    allowed = CliRunner().invoke(
        cli.app, [*command, "--answer-file", str(tmp_path / "answer.py"), "--allow-unsandboxed"]
    )
    assert allowed.exit_code == 0, allowed.output
    assert "correct" in allowed.output
    assert "without a sandbox" in allowed.output
    own = CliRunner().invoke(cli.app, [*command, "--answer", RIGHT["class"]])
    assert own.exit_code == 0
    assert "your own code runs without a sandbox" in own.output


def test_a_runner_that_cannot_run_gives_no_score(proofs: dict[str, tuple[Item, Proof]]) -> None:
    closed = LocalRunner()
    closed.close()

    class Gone:
        def submit(self, program: Program, by: str | None = None) -> object:
            from concurrent.futures import Future

            from grader.model import Observation

            future: Future[Observation] = Future()
            future.set_result(Observation(Status.NOT_RUN, note="no worker"))
            return future

        def close(self) -> None: ...

    score = mark(proofs["factor"], Marker(Gone, 1), RIGHT["class"])  # type: ignore[arg-type, return-value]
    assert (score.outcome, score.points, score.feedback) == (Outcome.NOT_RUN, None, "no worker")
