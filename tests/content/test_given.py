"""What items share: setups before the program, a module beside the quiz, the digits; and limits of their own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.judging import claims, given
from grader.kinds import of
from grader.learning import digests
from grader.model import Bank, Item, Limits, Program, Status
from grader.nbgrader import assignment
from grader.runner.local import LocalRunner
from tests.support.common import Command

HEAD = """\
format: 1
topic: nets
title: Nets
setup:
  tiny-model: |
    import torch

    torch.manual_seed(0)
    model = torch.nn.Linear(size, 2)
  ones: |
    import torch

    x = torch.ones(3, size)
"""
SHAPE = """\
- id: shape
  kind: choice
  level: easy
  skill: s
  params: {size: [4, 5]}
  uses: [tiny-model, ones]
  stem: What shape?
  program: |
    y = model(x)
  answer: list(y.shape)
  options:
  - {value: "[3, 2]", key: true}
  - {value: "[3, size]", mistake: too-much, instead: {"size, 2": "size, size"}}
  solution: ["It is {list(y.shape)}."]
"""
WRITE = """\
- id: twice
  kind: code
  level: easy
  skill: s
  uses: [ones]
  limits: {seconds: 8, memory: 512}
  stem: Write `twice(x)`.
  program: |
    from helpers import filled

    ...answer...
    result = twice(filled(k)) + 0 * x.sum()
  starter: |
    def twice(x):
        return x
  reference: |
    def twice(x):
        return 2 * x
  observe: result
  cases: {given: [{k: 2, size: 3}], hidden: {k: [3, 4], size: [2, 5]}}
  solution: ["It is {result}."]
"""
MODULE = """\
import torch


def filled(count):
    if count > 100:
        raise ValueError("too many")
    return torch.full((count,), 0.5)
"""
MISTAKES = "mistakes: {too-much: {says: Two come out.}}\n"


def laid_out(folder: Path, items: str = SHAPE + WRITE, head: str = HEAD, module: str | None = MODULE) -> Path:
    nets = folder / "quizzes/nets"
    nets.mkdir(parents=True, exist_ok=True)
    (nets / "topic.yaml").write_text(head)
    (nets / "one.yaml").write_text(f"format: 1\ntopic: nets\nitems:\n{items}{MISTAKES}")
    if module is not None:
        (nets / "helpers.py").write_text(module)
    return folder


def read(home: Path) -> Bank:
    return bank_files.read(bank_files.files([home]))


def item_of(home: Path, name: str) -> Item:
    bank = read(home)
    assert bank.findings == ()
    return next(item for item in bank.items if item.id == name)


# ---------------------------------------------------------------- setups


def test_a_setup_stands_before_the_program_wherever_that_runs(tmp_path: Path, grader: Command) -> None:
    done = grader("verify", "--bank", laid_out(tmp_path))
    assert (done.returncode, "2 items proven, 0 not, no findings" in done.stdout) == (0, True), done.stdout
    (tmp_path / "answer.py").write_text("def twice(x):\n    return x + x\n")
    done = grader("grade", "twice", "--bank", tmp_path, "--answer-file", tmp_path / "answer.py", "--allow-unsandboxed")
    assert done.stdout == "correct\n"
    (tmp_path / "answer.py").write_text("def twice(x):\n    y = x\n    return y.double().foo\n")
    done = grader("grade", "twice", "--bank", tmp_path, "--answer-file", tmp_path / "answer.py", "--allow-unsandboxed")
    assert "(in line 3 of your code: `return y.double().foo`)" in done.stdout


def test_it_is_shown_before_the_program_and_all_of_it_runs_when_it_is_copied(
    tmp_path: Path, grader: Command, runner: LocalRunner
) -> None:
    item = item_of(laid_out(tmp_path), "shape")
    proof = PendingProof.begin(item, item.variants[1], runner).proof()
    prompt = of(item).prompt(item, item.variants[1], proof)
    assert prompt
    assert [(one.label, one.text.splitlines()[0]) for one in prompt.given] == [
        ("tiny model", "size = 5"),
        ("ones", "import torch"),
    ]
    assert prompt.program == "y = model(x)"
    copied = "\n".join([*(one.text for one in prompt.given), prompt.program])
    assert runner.submit(Program(copied, ("list(y.shape)",))).result().asked[0].value == [3, 2]
    shown = grader("show", "shape", "--bank", tmp_path, "--variant", "1").stdout
    assert "Given: tiny model\n    size = 5\n    import torch\n" in shown
    assert shown.index("Given: ones") < shown.index("Program\n    y = model(x)")
    page = grader("show", "shape", "--bank", tmp_path, "--html").stdout
    assert "<details><summary>Given: tiny model</summary>" in page
    assert assignment.question(prompt).index("Given: ones\n\n```python\nimport torch\n") > 0
    helped = grader("show", "twice", "--bank", tmp_path).stdout
    assert "Given: helpers.py\n    import torch\n" in helped


def test_it_counts_in_the_digest_where_it_is_used(tmp_path: Path) -> None:
    digest = digests.claims(item_of(laid_out(tmp_path / "a"), "shape"))
    other = HEAD.replace("manual_seed(0)", "manual_seed(1)")
    assert digests.claims(item_of(laid_out(tmp_path / "b", head=other), "shape")) != digest
    unused = HEAD + "  more: x = 1\n"
    assert digests.claims(item_of(laid_out(tmp_path / "c", head=unused), "shape")) == digest
    written = digests.claims(item_of(laid_out(tmp_path / "d"), "twice"))
    changed = MODULE.replace("0.5", "0.25")
    assert digests.claims(item_of(laid_out(tmp_path / "e", module=changed), "twice")) != written
    assert digests.claims(item_of(laid_out(tmp_path / "e", module=changed), "shape")) == digest
    more = WRITE.replace("seconds: 8", "seconds: 9")
    assert digests.claims(item_of(laid_out(tmp_path / "f", SHAPE + more), "twice")) == written


@pytest.mark.parametrize(
    ("items", "head", "module", "expected"),
    [
        (SHAPE.replace("tiny-model", "tiny-mode"), HEAD, MODULE, ["one.yaml:9:10: bad-field: there is no setup `tiny-mode`", "did you mean `tiny-model`?"]),
        (SHAPE.replace("[tiny-model, ones]", "[other]"), HEAD, MODULE, ["one.yaml:9:10: bad-field: there is no setup `other`", "have tiny-model, ones, digits"]),
        (SHAPE, HEAD + "  digits: x = 1\n", MODULE, ["topic.yaml:14:3: bad-field: the setup `digits` is there already, in every topic"]),
        (SHAPE, HEAD.replace("torch.manual_seed(0)", "torch.manual_sed(0)"), MODULE, ["topic.yaml:8:5: program-raises: the program raises AttributeError"]),
        (SHAPE.replace("y = model(x)", "z = 1\n    y = modl(x)"), HEAD, MODULE, ["one.yaml:13:5: program-raises: the program raises NameError: name 'modl' is not defined in `y = modl(x)`"]),
        (WRITE, HEAD, "def filled(:\n", ["helpers.py:1:1: bad-field: this module is not Python"]),
        (WRITE, HEAD, MODULE.replace("> 100", "> 1"), ["ValueError: too many (in helpers.py, line 6)"]),
        (WRITE, HEAD, "1 / 0\n", ["ZeroDivisionError: division by zero (in helpers.py, line 1)"]),
        (WRITE, HEAD, "x = 1\n" * 10_000, ["helpers.py:1:1: too-long: the module has 60,000 characters"]),
        (WRITE.replace("seconds: 8", "seconds: 800"), HEAD, MODULE, ["one.yaml:9:21: bad-field: `seconds` is not what it should be (800)"]),
    ],
    ids=lambda value: value[0][:60] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_is_wrong_with_it_is_told_at_its_place(
    items: str, head: str, module: str, expected: list[str], tmp_path: Path, grader: Command
) -> None:
    done = grader("verify", "--bank", laid_out(tmp_path, items, head, module))
    assert done.returncode in (1, 2)
    for said in expected:
        assert said in done.stdout.replace(f"{tmp_path}/quizzes/nets/", "")


# ---------------------------------------------------------------- modules


@pytest.mark.parametrize("place", ["quizzes/nets/helpers.py", "quizzes/nets_helpers.py"])
def test_a_module_may_lie_beside_a_topic_in_a_file_or_in_a_folder(place: str, tmp_path: Path, grader: Command) -> None:
    laid_out(tmp_path, module=None)
    (tmp_path / place).write_text(MODULE)
    assert grader("verify", "--bank", tmp_path).returncode == 0
    one = f"format: 1\ntopic: flat\ntitle: Flat\nsetup:\n  ones: import torch; x = torch.ones(2, size)\nitems:\n{WRITE}"
    flat = tmp_path / "flat/quizzes"
    (flat / "flat").mkdir(parents=True)
    (flat / "flat.yaml").write_text(one)
    (flat / place.removeprefix("quizzes/").replace("nets", "flat")).write_text(MODULE)
    assert grader("verify", "--bank", flat.parent).returncode == 0


def test_each_program_has_modules_of_its_own_and_leaves_none(runner: LocalRunner) -> None:
    counted = (("helpers", "count = 0\ndef more():\n    global count\n    count += 1\n    return count\n"),)
    first = Program("import helpers\nhelpers.more()", ("helpers.more()",), 1, modules=counted)
    other = dataclasses.replace(first, source="import helpers", modules=(("helpers", "more = lambda: 'other'"),))
    without = Program("import helpers", (), 1)
    runs = [future.result() for future in runner.submit_all([first, other, without, first])]
    assert [run.asked[0].value for run in (runs[0], runs[1], runs[3])] == [2, "other", 2]
    assert runs[2].error
    assert runs[2].error.type == "ModuleNotFoundError"
    cases = dataclasses.replace(first, cases=("a = 1\n", "a = 2\n"))
    assert [case.asked[0].value for case in runner.submit(cases).result().cases] == [2, 2]


def test_a_change_of_the_module_is_another_program(tmp_path: Path, runner: LocalRunner) -> None:
    item = item_of(laid_out(tmp_path), "twice")
    assert {program.modules for program in of(item).plan(item, item.variants[0]).programs} == {(("helpers", MODULE),)}


# ---------------------------------------------------------------- digits


def test_the_digits_are_scikit_learn_s_and_come_at_once(tmp_path: Path, runner: LocalRunner, grader: Command) -> None:
    from sklearn.datasets import load_digits

    count = """\
- id: count
  kind: number
  level: easy
  skill: s
  uses: [digits]
  stem: How many ones are there?
  program: "count = (labels == 1).sum().item()"
  answer: count
  solution: ["There are {count}."]
"""
    item = item_of(laid_out(tmp_path, count), "count")
    asks = ("images.sum().item()", "[*images.shape]", "str(images.dtype)", "str(labels.dtype)", "labels.tolist()",
            "images[1234].flatten().tolist()", "images.max().item()")  # fmt: skip
    timed = f"import time\nstart = time.process_time()\n{item.program}\nspent = time.process_time() - start"
    program = given.program(item, timed, (*asks, "spent"), claims.LIMITS)
    runs = [runner.submit(program).result() for _ in range(5)]
    assert runs[0].status is Status.OK, runs[0].error
    total, shape, *dtypes, labels, image, largest, _ = [asked.value for asked in runs[0].asked]
    real = load_digits()
    assert (shape, dtypes, largest) == ([1797, 8, 8], ["torch.float32", "torch.int64"], 1.0)
    assert total == pytest.approx(real.images.sum() / 16)
    assert labels == real.target.tolist()
    assert image == (real.images[1234] / 16).flatten().tolist()
    assert min(run.asked[-1].value for run in runs) < 0.05  # of CPU time; the import takes 2 s
    assert grader("verify", "--bank", tmp_path).returncode == 0
    assert "    from sklearn.datasets import load_digits\n" in grader("show", "count", "--bank", tmp_path).stdout
    other = (
        "from sklearn.datasets import load_iris\nflowers = len(load_iris().target)"  # all else is scikit-learn's own
    )
    program = given.program(item, f"{item.program}\n{other}", ("flowers",), Limits(cpu_seconds=60))
    assert runner.submit(program).result().asked[0].value == 150


# ---------------------------------------------------------------- limits


def test_an_item_s_limits_hold_for_its_answers_and_its_programs(tmp_path: Path, grader: Command) -> None:
    item = item_of(laid_out(tmp_path), "twice")
    limits = {program.limits for program in of(item).plan(item, item.variants[0]).programs}
    assert {(one.cpu_seconds, one.memory_bytes >> 20) for one in limits} == {(8, 512)}
    plain = item_of(tmp_path, "shape")
    assert {program.limits.cpu_seconds for program in of(plain).plan(plain, plain.variants[0]).programs} == {10}
    (tmp_path / "answer.py").write_text("import torch\ndef twice(x):\n    torch.ones(1 << 28)\n    return 2 * x\n")
    done = grader(
        "grade", "twice", "--bank", tmp_path, "--answer-file", tmp_path / "answer.py", "--allow-unsandboxed", "--json"
    )
    assert json.loads(done.stdout)["outcome"] == "incorrect"
    laid_out(tmp_path, SHAPE + WRITE.replace(", memory: 512", ""))
    done = grader(
        "grade", "twice", "--bank", tmp_path, "--answer-file", tmp_path / "answer.py", "--allow-unsandboxed", "--json"
    )
    assert json.loads(done.stdout)["outcome"] == "correct"


def test_a_program_that_takes_longer_than_its_limit_is_over_it(tmp_path: Path, grader: Command) -> None:
    slow = SHAPE.replace("uses:", "limits: {seconds: 1}\n  uses:").replace(
        "y = model(x)", "while size == 4: pass\n    y = model(x)"
    )
    done = grader("verify", "--bank", laid_out(tmp_path, slow))
    assert "over-limit: the program did not end: stopped after 1 s of CPU time" in done.stdout
