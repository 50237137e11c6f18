"""What an author is told of a mistake: the place, what is wrong, and the right next step, as the product says it now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.content.yaml_source import parse
from grader.judging import advice
from grader.model import Raised
from tests.support.common import ROOT, Command

CASES = {
    "01-bad-indent-in-yaml": [
        "8:9: bad-yaml: this line is indented by one more than its neighbors | let it begin in column 3, as they do",
    ],
    "03-wrong-field": [
        "5:3: bad-field: the field `skill` is missing | add `skill:`",
        "8:3: bad-field: there is no field `skil` here | did you mean `skill`?",
    ],
    "05-wrong-parameter-name-in-template": [
        "12:58: step-fails: `row` cannot be evaluated: NameError: name 'row' is not defined | the parameters are `rows`; did you mean `rows`?",
    ],
    "07-syntax-error-in-expression": [
        "18:11: bad-expression: `y.numel(` is not a Python expression | write an expression, such as `run.lr_used[0]`",
    ],
    "09-yields-equal-to-the-key": [
        "24:12: mistake-differs: the mistake `nothing-goes` yields 4, the option says 8 | let the option say what its mistake yields",
        "24:12: mistake-differs: the mistake `nothing-goes` yields 4, the option says 12 | let the option say what its mistake yields",
    ],
    "e18": ["31:7: duplicate-id: the id `sum-shape` is taken: e18.yaml:5:7 | a new meaning needs a new id"],
    "e20": [
        "21:5: bad-field: `instead` replaces `dim = 0`, which is not in the program | copy the piece from the program, spaces and all",
    ],
    "e23": ["7:10: bad-field: `level` is `beginner` | it may be `easy`, `medium` or `hard`"],
    "e26": ["5:7: bad-field: `id` is `sum_shape` | use lower-case letters, digits and single hyphens"],
    "e28": [
        "22:3: starter-passes: `observe` is empty in this program: nothing is compared | say what is compared: `observe: result`",
        "32:5: mistake-passes: the mistake `other-dimension` passes | choose cases in which it shows, or fix its code",
    ],
    "e32": [
        "28:29: bad-field: `x` is not what it should be ([[1, 2], [3, 4]]) | an input is a number, a text, true or false, a list of these, or a tensor: `{tensor: [[1, 2], [3, 4]]}`",
    ],
    "limits": [
        "23:12: noise: all of `result.mean(dim=0)` is smaller than 1e-06: it may be rounding noise | say what counts as 0: `compare: {atol: 1e-6}`",
    ],
    "pics": [
        "34:5: program-raises: there is no package `helper` here: ModuleNotFoundError: No module named 'helper' in `import helper` | do without it, or install it beside torch-grader; torch, numpy and scikit-learn are there",
    ],
    "e40-answer-has-no-place": [
        "13:5: bad-field: the program uses `total`, which the answer defines, and has no `...answer...`: the answer comes after it | put `...answer...` on a line of its own, where the answer should stand",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_of_an_author_is_told_with_its_place_and_the_next_step(name: str, grader: Command) -> None:
    folder = ROOT / "tests/data/author"
    done = grader("verify", folder / f"{name}.yaml", "--json")
    findings = json.loads(done.stdout.replace(f"{folder}/", ""))["findings"]
    told = [f"{one['line']}:{one['column']}: {one['code']}: {one['message']} | {one['hint']}" for one in findings]
    assert list(dict.fromkeys(told)) == CASES[name]
    assert done.returncode == (0 if all(one["severity"] == "warning" for one in findings) else done.returncode or -1)


def test_each_case_has_its_file() -> None:
    assert {path.stem for path in (ROOT / "tests/data/author").glob("*.yaml")} == set(CASES)


ANSWERS = [
    # What only rounding tells apart is the same; what is larger is not.
    ("centered", "def centered(x):\n    return (x.double() - x.double().mean(0)).float()", "correct", ""),
    ("centered", "def centered(x):\n    return x - x.mean()", "incorrect", "should be"),
    # How it is done does not count where only what comes of it is compared, and a slow answer is not a wrong one.
    ("falls", "model.weight.data.fill_(3)\nmodel.bias.data.fill_(-1)", "correct", ""),
    ("falls", "import time\ntime.sleep(0.3)\nmodel.weight.data.fill_(3)\nmodel.bias.data.fill_(-1)", "correct", ""),
    ("falls", "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)", "incorrect", "False"),
    # A type and a dtype are part of a value.
    ("clamped", "def clamped(x):\n    return x.relu()", "correct", ""),
    ("clamped", "def clamped(x):\n    return x.clamp(min=0).numpy()", "incorrect", "numpy.ndarray"),
    (
        "clamped",
        "def clamped(x):\n    return x.clamp(min=0).double()",
        "incorrect",
        "`float64`; it should be `float32`",
    ),
    ("clamped", "def clamped(x):\n    x[x < 0] = 0\n    return x", "incorrect", "The underscore changes the input."),
]


@pytest.mark.parametrize(
    ("item", "code", "outcome", "said"), ANSWERS, ids=[f"{row[0]}-{n}" for n, row in enumerate(ANSWERS)]
)
def test_what_was_judged_wrongly_is_judged_rightly(
    item: str, code: str, outcome: str, said: str, grader: Command, tmp_path: Path
) -> None:
    (tmp_path / "answer.py").write_text(code)
    bank = tmp_path / "bank"
    (bank / "quizzes").mkdir(parents=True)
    text = (ROOT / "tests/data/author/limits.yaml").read_text()
    said_of = "  observe: result.mean(dim=0)\n"  # what its author is told to say stands below
    (bank / "quizzes/limits.yaml").write_text(text.replace(said_of, f"{said_of}  compare: {{atol: 1.0e-5}}\n"))
    done = grader("grade", item, "--answer-file", tmp_path / "answer.py", "--json", "--bank", bank)
    document = json.loads(done.stdout)
    assert document["outcome"] == outcome, document["feedback"]
    assert said in document["feedback"]


def test_a_stem_is_drawn_and_its_picture_described(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/pics.yaml").write_text((ROOT / "tests/data/author/pics.yaml").read_text())
    shown = grader("show", "with-a-picture", "--bank", tmp_path).stdout
    assert "[picture: a red box and a blue one]" in shown
    lines = [line.strip() for line in shown.splitlines()]
    for drawn in ("a   b", "1   2", "z = 3", "1. what is `y`?", "2. what is `z`?"):
        assert drawn in lines, shown
    assert "|---|" not in shown


# ---------------------------------------------------------------- YAML

HEAD = "format: 1\ntopic: t\ntitle: T\nitems:\n"
YAML = {
    "- id: a\n\tkind: x\n": ("6:1", "this line is indented with a tab"),
    "- id: a\n  stem: 'abc\n  kind: b\n": ("6:9", "the quote that opens here is not closed"),
    "- id: a\n  modes: [a, b\n  kind: b\n": ("7:7", "the bracket or brace of line 6 is not closed before this"),
    "- {id: a, answer: x[1:2], kind: b}\n": ("5:20", "the bracket or brace of line 5 is not closed before this"),
    "- id: a\n  stem: {x} is it\n": ("6:13", "a text that begins with { needs quotes"),
    "- id: a\n  stem: 'x' is it\n": ("6:13", "a text that begins with a quote ends where that is closed"),
    "- id: a\n  kind:choice\n  level: easy\n": ("7:3", "there is no space after the colon"),
    "- id: a\n  stem: `x` is it\n": ("6:9", "a text cannot begin with ` here"),
    "- id: a\n  stem: *x* is it\n": ("6:9", "found undefined alias 'x*'"),
    "- id: a\n  kind: b\n - id: c\n": ("7:2", "this line is indented by one more than its neighbors"),
    "- id: a\n  kind: b\n level: c\n": ("7:2", "this line is indented by one less than its neighbors"),
    "- id: a\n  level: easy\n    skill: s\n": ("7:10", "this line is indented by 2 more than its neighbors"),
    "- id: a\n  program: |\n    import torch\n   x = 1\n": ("8:4", "this line is indented by one less than its neighbors"),
    "- id: a\n  program: |\n  import torch\n  x = 1\n": ("8:3", "the text after `|` is not indented"),
    "- id: a\n  stem: What is this: a or b?\n": ("6:21", "mapping values are not allowed here"),
}  # fmt: skip


@pytest.mark.parametrize("text", YAML)
def test_what_is_not_yaml_is_told_in_an_author_s_words(text: str) -> None:
    (finding,) = parse(HEAD + text, "quiz.yaml").findings
    place, message = YAML[text]
    assert (str(finding.at), finding.message) == (f"quiz.yaml:{place}", message)
    assert finding.hint != "check the indentation and the quotes at and above this line"


# ---------------------------------------------------------------- the sandbox

REFUSED = {
    "import socket; socket.create_connection(('1.1.1.1', 80))": advice.NETWORK,
    "import urllib.request; urllib.request.urlopen('https://example.com')": advice.NETWORK,
    "import subprocess; subprocess.run(['ls'])": advice.PROCESSES,
    "import os; os.fork()": advice.PROCESSES,
    "list(torch.utils.data.DataLoader([1, 2], num_workers=2))": advice.PROCESSES,
    "open('/etc/new', 'w')": advice.WRITING,
    "torch.save(1, '/tmp/model.pt')": advice.WRITING,
    "open('/home/new', 'w')": advice.WRITING,
    "open('/etc/passwd').read()": advice.FILES,
    "torch.zeros(2, device='cuda')": advice.CUDA,
    "input('How many?')": advice.INPUT,
    "from torch.utils.cpp_extension import load_inline; load_inline('a', '', functions=['f'])": advice.COMPILER,
    "import torchvisionary": ("there is no package `torchvisionary` here", "do without it"),
    "import helpers": ("this topic has no module `helpers`", "put it beside the quiz"),
}


def test_what_the_sandbox_refuses_is_told_as_such_and_never_to_be_expected(tmp_path: Path, grader: Command) -> None:
    items = [
        {"id": f"i{number}", "kind": "number", "level": "easy", "skill": "s", "stem": "?", "answer": "x",
         "program": f"import torch\nx = 1\n{line}\n", "solution": ["{x}"]}
        for number, line in enumerate(REFUSED)
    ]  # fmt: skip
    code = {"id": "code", "kind": "code", "level": "easy", "skill": "s", "stem": "?", "observe": "x", "starter": "x = 1",
            "program": "import torch\n...answer...", "reference": "import os\nx = os.fork()", "solution": ["{x}"]}  # fmt: skip
    quiz = {"format": 1, "topic": "t", "title": "T", "items": [*items, code]}
    (tmp_path / "t.yaml").write_text(json.dumps(quiz))
    findings = json.loads(grader("verify", tmp_path / "t.yaml", "--json").stdout)["findings"]
    raised = {one["item"]: one for one in findings if one["code"] == "program-raises"}
    for number, (line, (said, then)) in enumerate(REFUSED.items()):
        assert raised[f"i{number}"]["message"].startswith(f"{said}: "), line
        assert raised[f"i{number}"]["hint"].startswith(then)
    (reference,) = (one for one in findings if one["code"] == "reference-fails")
    assert reference["message"].startswith("the reference is rejected: a program cannot start processes (")
    assert not any("raises:" in one["hint"] for one in findings)


def test_a_folder_that_is_seen_and_cannot_be_written_is_told_too() -> None:
    """As /tmp is, where torch-grader itself lies in it."""
    said = "[enforce fail at inline_container.cc:747] . open file failed with \nstrerror: Permission denied"
    assert advice.refusal(Raised("RuntimeError", said, 1, "torch.save(1, '/tmp/model.pt')")) == advice.WRITING


def test_an_error_of_the_program_s_own_is_still_one() -> None:
    own = Raised("ZeroDivisionError", "division by zero", 1, "1 / 0")
    assert advice.of_raised(own) == (
        "the program raises ZeroDivisionError: division by zero in `1 / 0`",
        "fix the program, or say `raises: ZeroDivisionError`",
    )
    assert advice.of_raised_instead(own) == "write `raises: ZeroDivisionError`"
    missing = Raised("FileNotFoundError", "[Errno 2] No such file or directory: 'data.csv'", 1, "open('data.csv')")
    assert "or say `raises: FileNotFoundError`" in advice.of_raised(missing)[1]
    compiled = Raised("InductorError", "PermissionError: [Errno 1] Operation not permitted", 3, "f(torch.ones(2))")
    assert advice.of_raised(compiled)[0].startswith("programs have no compiler")
    assert "raises" not in advice.of_raised_instead(Raised("URLError", "<urlopen error>", 1, "get()"))


# ---------------------------------------------------------------- chance


def test_two_runs_that_differ_are_told_apart(tmp_path: Path, grader: Command) -> None:
    programs = {
        "value": ("x = torch.rand(1).item()", "`x` is 0.75"),
        "output": ("print('first'); print(torch.rand(1).item()); x = 1", "it printed `0.75"),
        "error": ("x = 1; assert torch.rand(1) < 0, str(torch.rand(1).item())", "what it raised is AssertionError: 0.2"),
        "losses": ("x = 1; losses = [torch.rand(1).item()]", "the losses are [0.75"),
        "warned": ("import warnings; x = 1; warnings.warn(str(torch.rand(1).item()))", "what it warned of is 0.75"),
        "rates": ("o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=torch.rand(1).item()); o.step(); x = 1", "the rates used are [0.75"),
    }  # fmt: skip
    items = [
        {"id": name, "kind": "number", "level": "easy", "skill": "s", "stem": "?", "answer": "x", "solution": ["{x}"],
         "program": f"import torch\n{line}\n", "raises": "AssertionError", "warns": "0"} for name, (line, _) in programs.items()
    ]  # fmt: skip
    for one in items:
        if one["id"] != "error":
            del one["raises"]
        if one["id"] != "warned":
            del one["warns"]
    (tmp_path / "t.yaml").write_text(json.dumps({"format": 1, "topic": "t", "title": "T", "items": items}))
    findings = json.loads(grader("verify", tmp_path / "t.yaml", "--json").stdout)["findings"]
    found = {one["item"]: one for one in findings if one["code"] == "not-deterministic"}
    for name, (_, said) in programs.items():
        message = found[name]["message"]
        assert message.startswith(f"two runs of the program did different things: {said}"), message
        assert " in one and " in message
        assert found[name]["hint"] == "seed it in the program: torch.manual_seed(0)"
