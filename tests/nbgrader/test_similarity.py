"""Normal forms of programs, which must behave as their sources do; and answers of a class that are alike."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import random
import re
import statistics
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.nbgrader.normal_form import normalized
from grader.nbgrader.similarity import NEAR, SimilarGroup, _answer, _similarity, clusters, data, report

AROUND = (
    "base_lr, warmup_epochs, batches = 0.1, 5, 4\nscheduler = LambdaLR(optimizer, factor)\nfor epoch in range(9): pass"
)

EXAMPLES = int(os.environ.get("GRADER_EXAMPLES", "200"))

# ---------------------------------------------------------------- normal forms

SAME = [
    ("def factor(epoch):\n    return epoch + 1", "def factor( e ) :  # mine\n\n  '''Counts.'''\n  return (e+1)"),
    ("factor = lambda epoch: epoch / 2", "factor = lambda number: number/2"),
    (
        "def factor(epoch):\n    done = [k for k in range(epoch)]\n    return sum(done)",
        "def factor(n):\n    parts = [i for i in range(n)]\n    return sum(parts)",
    ),
    (
        "def ramp(k):\n    return k + 1\ndef factor(epoch):\n    return ramp(epoch)",
        "def climb(i):\n    return i + 1\ndef factor(e):\n    return climb(e)",
    ),
    ("import math as m\nx = m.pi\ndel x", "import math as mathematics\ny = mathematics.pi\ndel y"),
    (
        "def factor(epoch):\n    seen = 0\n    def add():\n        nonlocal seen\n        seen += 1\n    add()\n    return seen",
        "def factor(e):\n    count = 0\n    def more():\n        nonlocal count\n        count += 1\n    more()\n    return count",
    ),
    ("total = 3\ndef factor(epoch):\n    global total\n    total += epoch\n    return total",
     "kept = 3\ndef factor(e):\n    global kept\n    kept += e\n    return kept"),
    ("def factor(epoch):\n    return f'{epoch} of {warmup_epochs}'", "def factor(e):\n    return f'{e} of {warmup_epochs}'"),
]  # fmt: skip

OTHER = [
    ("def factor(epoch):\n    return epoch", "def factor_(epoch):\n    return epoch"),  # the checker asks for that name
    ("def factor(epoch):\n    return base_lr", "def factor(epoch):\n    return batches"),  # these it gives
    ("x = 1\nfactor = lambda epoch: x", "scheduler = 1\nfactor = lambda epoch: scheduler"),  # it is set there afterwards
    ("def factor(epoch):\n    return 'a'", "def factor(epoch):\n    return 'b'"),
    ("def factor(epoch):\n    return f'{epoch=}'", "def factor(e):\n    return f'{e=}'"),
    ("def factor(epoch):\n    return len(locals())", "def factor(e):\n    return len(locals())"),
    ("def factor(epoch):\n    return eval('epoch')", "def factor(e):\n    return eval('epoch')"),
    ("def factor(epoch):\n    exec('x = epoch')", "def factor(e):\n    exec('x = epoch')"),
    ("x = 1\ndef factor(e):\n    return globals()['x']", "y = 1\ndef factor(e):\n    return globals()['x']"),
    ("x = 1\nfactor = lambda e: vars()", "y = 1\nfactor = lambda e: vars()"),
    ("def help_(a, b):\n    return a - b\nfactor = lambda e: help_(b=e, a=1)", "def help_(b, a):\n    return b - a\nfactor = lambda e: help_(b=e, a=1)"),
    ("def f(a, b):\n    return a - b\nfactor = lambda e: f(**{'a': 1, 'b': e})", "def f(b, a):\n    return b - a\nfactor = lambda e: f(**{'a': 1, 'b': e})"),
    ("class A:\n    x = 1\nfactor = lambda e: A.x", "class A:\n    y = 1\nfactor = lambda e: A.x"),
    ("x = 5\nclass A:\n    y = 1\n    z = x\nfactor = lambda e: A.z", "x = 5\nclass A:\n    x = 1\n    z = x\nfactor = lambda e: A.z"),
    ("x = 2\nfactor = lambda e: [x for x in range(3)] + [x]", "x = 2\nfactor = lambda e: [y for y in range(3)] + [y]"),
    ("from math import *\nfactor = lambda e: pi", "from math import *\nfactor = lambda e: tau"),
    ("import math\nfactor = lambda e: math.pi", "import cmath\nfactor = lambda e: cmath.pi"),
    ("from math import sin\nfactor = lambda e: sin(e)", "from math import cos\nfactor = lambda e: cos(e)"),
    ("def g():\n    return 1\nfactor = lambda e: g.__name__", "def h():\n    return 1\nfactor = lambda e: h.__name__"),
    ("def g():\n    return 1\nfactor = lambda e: len(repr(g))", "def ggggg():\n    return 1\nfactor = lambda e: len(repr(ggggg))"),
    ("def g():\n    'a'\nfactor = lambda e: g.__doc__", "def g():\n    'b'\nfactor = lambda e: g.__doc__"),
    ("def factor(e):\n    try:\n        return x\n    except NameError as error:\n        return str(error)\n    x = 1",
     "def factor(e):\n    try:\n        return y\n    except NameError as error:\n        return str(error)\n    y = 1"),
    ("def factor(e):\n    x = 1\n    del x\n    return min", "def factor(e):\n    min = 1\n    del min\n    return min"),
    ("import inspect\ndef factor(e):\n    return inspect.getsource(factor)", "import inspect\ndef factor(e):\n    # more\n    return inspect.getsource(factor)"),
    ("def factor(e):\n    return getattr(e, 'r' + 'eal')", "def factor(x):\n    return getattr(x, 'r' + 'eal')"),
    ("def factor(e):\n    n1 = e\n    return n1", "def factor(e):\n    n1 = e\n    return e"),
    ("def factor(epoch:", "def factor(e:"),
    ("%matplotlib inline\nx = 1", "%matplotlib inline\ny = 1"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_own_names_layout_and_comments_do_not_count(one: str, other: str) -> None:
    assert normalized(one, AROUND) == normalized(other, AROUND)
    assert normalized(one, AROUND) == normalized(normalized(one, AROUND), AROUND)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_could_be_told_apart_stays_apart(one: str, other: str) -> None:
    assert normalized(one, AROUND) != normalized(other, AROUND)


def test_without_what_is_around_only_locals_of_functions_are_renamed() -> None:
    source = "def factor(epoch):\n    done = epoch\n    return done\nkept = 3"
    assert normalized(source) == "def factor(epoch):\n    n1 = epoch\n    return n1\nkept = 3"
    assert normalized(source, "") == "def n1(n2):\n    n3 = n2\n    return n3\nn4 = 3"
    assert normalized(source, "factor(epoch=3)") == "def factor(epoch):\n    n1 = epoch\n    return n1\nn2 = 3"


NAMES = ("alpha", "beta", "gamma", "delta", "sum", "len", "given")
ATOMS = st.one_of(
    st.sampled_from([*NAMES, "total", "self_made"]),
    st.integers(-3, 3).map(str),
    st.sampled_from(["'alpha'", "'beta'", "f'{alpha}'", "f'{beta!r} {given}'", "None", "(alpha, beta)"]),
)


@st.composite
def expressions(draw: Any, depth: int = 2) -> str:
    """An expression over a few names, in many of the ways in which a name can be used."""
    if depth == 0:
        return draw(ATOMS)
    part = expressions(depth=depth - 1)
    name, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    forms = [
        "({} + {})", "({} if {} else {})", "[{} for %s in (1, 2) if {}]", "(lambda %s: {})({})", "(lambda %s=1: {})()",
        "(%s := {})", "%s({})", "%s(%o={})", "dict(%s={})", "{{{}: {}}}", "str({})", "f'{{{}}}'", "len(repr(%s))",
        "sorted(k for k in locals() if k in %a)", "eval('%s')", "globals().get('%s')", "(lambda: [%s for %o in (3, 4)])()", "given.%s",
    ]  # fmt: skip
    form = draw(st.sampled_from(forms)).replace("%s", name).replace("%o", other).replace("%a", repr(NAMES))
    if "f'{{" in form:
        return form.format(name)
    return form.format(*(draw(part) for _ in range(form.count("{}"))))


@st.composite
def blocks(draw: Any, depth: int = 2) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        name, other, value = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES)), draw(expressions())
        simple = ["%s = {}", "%s += 1", "del %s", "print({})", "import math as %s", "import math", "global %s", "pass", "'%s'",
                  "%s, %o = 1, 2", "given.%s = {}", "assert {}", "from math import pi as %s", "%s: int = {}", "return {}"]  # fmt: skip
        nested = [
            "def %s(%o, total=2):",
            "def %s(*%o, **total):",
            "class %s:",
            "for %s in (1, 2):",
            "if {}:",
            "try:",
            "with given as %s:",
        ]
        form = draw(st.sampled_from([*simple, *(nested if depth else [])]))
        line = form.replace("%s", name).replace("%o", other).replace("{}", value)
        lines.append(line)
        if form in nested:
            body = draw(blocks(depth=depth - 1))
            if form.startswith(("def", "class")) and draw(st.booleans()):
                body.insert(0, f"'{draw(st.sampled_from(NAMES))} docs'")
            lines += [f"    {one}" for one in body]
            if form == "try:":
                lines.append(draw(st.sampled_from(["except Exception:", f"except Exception as {other}:"])))
                lines += [f"    print({name})" if draw(st.booleans()) else f"    print({other})"]
    return lines


class Given:
    """What the checker gives: takes any attribute, and can be entered."""

    def __enter__(self) -> int:
        return 7

    def __exit__(self, *_: object) -> None:
        """Nothing is to be done."""

    def __repr__(self) -> str:
        return f"Given({sorted(vars(self))})"


def behavior(source: str) -> list[str]:
    """What a program prints, what it leaves that the checker asks for, and what kind of error ended it."""
    scope: dict[str, Any] = {"given": Given(), "total": 3}
    out = io.StringIO()
    ended = ""
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<answer>", "exec"), scope)
            asked = scope.get("self_made")
            left = [repr(asked)] if not callable(asked) else [repr(asked(1, 2))]
        except Exception as error:  # noqa: BLE001  (of a program that was drawn)
            left, ended = [], type(error).__name__
    seen = [out.getvalue(), *left, ended, *(repr(scope.get(name)) for name in ("given", "total"))]
    return [re.sub(r"0x[0-9a-f]+", "0x", text) for text in seen]


def renamed(source: str, seed: int) -> str:
    """The same text with its names exchanged, which may or may not mean the same."""
    shuffled = list(NAMES[:4])
    random.Random(seed).shuffle(shuffled)
    table = dict(zip(NAMES[:4], shuffled, strict=True))
    return re.sub(r"\b(alpha|beta|gamma|delta)\b", lambda found: table[found[0]], source)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blocks(), st.integers(0, 9), st.booleans())
def test_equal_normal_forms_behave_alike(lines: list[str], seed: int, inside: bool) -> None:
    """For a program, its normal form, and the program with its names exchanged where that has the same form."""
    body = [f"    {line}" for line in lines] if inside else [line for line in lines if "return" not in line]
    source = "\n".join(["def self_made(alpha, beta=2):", *body] if inside else [*body, "self_made = 1"])
    around = "given.enter(total)\nprint(self_made)\nself_made(1, 2)"
    try:
        compile(source, "<answer>", "exec")
    except SyntaxError:
        return
    expected = behavior(source)
    assert behavior(normalized(source)) == expected
    assert behavior(normalized(source, around)) == expected
    other = renamed(source, seed)
    if normalized(other, around) == normalized(source, around):
        assert behavior(other) == expected


# ---------------------------------------------------------------- a class, some of whom copied

PARTS: tuple[tuple[str, ...], ...] = (
    (
        "model = torch.nn.Linear(4, 1)",
        "model = torch.nn.Sequential(torch.nn.Linear(4, 1))",
        "layer = torch.nn.Linear(in_features=4, out_features=1)\nmodel = layer",
    ),
    (
        "optimizer = torch.optim.SGD(model.parameters(), lr=rate)",
        "weights = list(model.parameters())\noptimizer = torch.optim.SGD(weights, rate, momentum=0.0)",
        "optimizer = torch.optim.SGD([{'params': model.parameters()}], lr=rate)",
    ),
    (
        "def ramp(epoch):\n    return min((epoch + 1) / warmup, 1)",
        "def ramp(epoch):\n    if epoch < warmup:\n        return (epoch + 1) / warmup\n    return 1.0",
        "ramp = lambda epoch: 1.0 if epoch >= warmup else (1 + epoch) / warmup",
        "def ramp(epoch):\n    part = (epoch + 1) / warmup\n    if part > 1:\n        part = 1\n    return part",
    ),
    (
        "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, ramp)",
        "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=ramp)",
    ),
    ("losses = []", "losses = list()", "losses = [0.0] * 0"),
    ("for epoch in range(epochs):", "for epoch in range(0, epochs):", "for _ in range(epochs):"),
    (
        "    optimizer.zero_grad()\n    loss = torch.nn.functional.mse_loss(model(x), y)",
        "    loss = ((model(x) - y) ** 2).mean()\n    optimizer.zero_grad()",
        "    for weight in model.parameters():\n        weight.grad = None\n    loss = torch.nn.MSELoss()(model(x), y)",
        "    output = model(x)\n    error = output - y\n    loss = torch.mean(error * error)\n    model.zero_grad()",
    ),
    ("    loss.backward()\n    optimizer.step()\n    schedule.step()",),
    (
        "    losses.append(loss.item())",
        "    losses.append(float(loss))",
        "    losses += [loss.detach().item()]",
        "    value = loss.item()\n    losses.append(value)",
    ),
    ("return losses", "result = losses\nreturn result", "return [value for value in losses]"),
)
"""How people write each part of a training loop."""

STARTER = "def train(x, y, rate, warmup, epochs):\n    return []\n"
REFERENCE = "\n".join(
    ["def train(x, y, rate, warmup, epochs):", *(f"    {line}" for part in PARTS for line in part[0].split("\n"))]
)
OWN_NAMES = (
    "model",
    "optimizer",
    "schedule",
    "losses",
    "loss",
    "ramp",
    "epoch",
    "value",
    "weights",
    "output",
    "error",
    "part",
)


def written(luck: random.Random) -> str:
    """A training loop as somebody writes it alone."""
    lines = [line for part in PARTS for line in luck.choice(part).split("\n")]
    return "\n".join(["def train(x, y, rate, warmup, epochs):", *(f"    {line}" for line in lines)])


def copied(source: str, luck: random.Random, *, moved: bool) -> str:
    """The same with other names, comments and layout; and one more statement or two that change places."""
    for name in OWN_NAMES:
        source = re.sub(rf"(?<!\.)\b{name}\b", f"{name}_{luck.randrange(1000)}", source)
    lines = source.split("\n")
    if moved:
        place = next(at for at, line in enumerate(lines) if "SGD" in line)
        lines.insert(place, luck.choice(("    torch.manual_seed(1)", "    started = rate", "    assert epochs > 0")))
    lines.insert(1, luck.choice(("    # train it", "    '''Trains.'''", "")))
    return "\n".join(lines)


KNOWN_MISTAKE = REFERENCE.replace("(epoch + 1) / warmup", "epoch / warmup").replace("    schedule.step()", "    pass")
TYPO = "# the leraning rate goes up first"


def test_names_and_comments_do_not_matter_to_near_and_a_statement_only_a_little() -> None:
    """What NEAR is: measured on programs that were put together apart, and on copies of them."""
    luck = random.Random(0)
    alone = [_answer(written(luck), None) for _ in range(100)]
    apart = [_similarity(one, other) for one, other in itertools.combinations(alone, 2) if one.form != other.form]
    sources = [written(luck) for _ in range(100)]
    assert all(normalized(source) == normalized(copied(source, luck, moved=False)) for source in sources)
    near = [_similarity(_answer(one, None), _answer(copied(one, luck, moved=True), None)) for one in sources]
    assert min(near) >= NEAR
    assert sum(one >= NEAR for one in apart) < len(apart) / 1000
    assert statistics.median(apart) < 0.5


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, str]]:
    """60 who work alone, 20 with the reference, 15 with a known mistake, 5 who handed in the starter; some copied."""
    luck = random.Random(7)
    sources = {f"alone{number:02}": written(luck) for number in range(60)}
    sources |= {f"usual{number:02}": copied(REFERENCE, luck, moved=number > 15) for number in range(20)}
    sources |= {f"fell{number:02}": copied(KNOWN_MISTAKE, luck, moved=False) for number in range(15)}
    sources |= {f"none{number}": STARTER for number in range(5)}
    first, second = (copied(written(luck), luck, moved=True) for _ in range(2))
    first = first.replace("\n    for ", f"\n    {TYPO}\n    for ", 1)
    sources |= {"ada": first, "bob": re.sub(r"_(\d+)", r"_other\1", first)}
    sources |= {"cyd": second, "dan": copied(second, luck, moved=True), "eve": copied(second, luck, moved=False)}
    return {student: {"loop": source, "letter": 'answer_letter = "B"'} for student, source in sources.items()}


def found(answers: dict[str, dict[str, str]]) -> list[SimilarGroup]:
    return clusters(answers, {"loop": STARTER, "letter": 'answer_letter = ""'}, {"loop": [REFERENCE, KNOWN_MISTAKE]})


def test_those_who_copied_are_found_and_those_who_think_alike_are_not(answers: dict[str, dict[str, str]]) -> None:
    groups = {cluster.students: cluster for cluster in found(answers)}
    assert {("ada", "bob"), ("cyd", "dan", "eve")} <= set(groups)
    others = [students for students in groups if students not in {("ada", "bob"), ("cyd", "dan", "eve")}]
    assert len(others) <= 2  # who differ in a detail, by chance
    assert all(name.startswith("alone") for students in others for name in students)
    (one,) = groups["ada", "bob"].items
    assert (one.item, one.equal, one.least, one.most) == ("loop", True, 1.0, 1.0)
    assert one.rare == (TYPO.strip("# "),)
    (other,) = groups["cyd", "dan", "eve"].items
    assert not other.equal
    assert NEAR <= other.least <= other.most


def test_what_is_found_depends_on_neither_order_nor_names(answers: dict[str, dict[str, str]]) -> None:
    turned = dict(reversed(answers.items()))
    assert found(turned) == found(answers)
    assert clusters({}) == []
    assert clusters({"ada": {"loop": REFERENCE}}) == []
    assert clusters({name: {"loop": REFERENCE} for name in ("ada", "bob")})[0].students == ("ada", "bob")


def test_what_is_no_python_is_compared_as_text() -> None:
    broken = written(random.Random(1)).replace("for ", "for for ")
    crowd = {f"s{number}": {"loop": written(random.Random(number))} for number in range(2, 30)}
    (cluster,) = [
        one
        for one in clusters({**crowd, "ada": {"loop": broken}, "bob": {"loop": broken + "\n# x"}})
        if "ada" in one.students
    ]
    assert cluster.students == ("ada", "bob")
    assert clusters({"ada": {"x": "\0"}, "bob": {"x": "(" * 5000}, "cyd": {"x": ""}}) == []


def test_the_report_is_a_hint_in_words_and_as_data(answers: dict[str, dict[str, str]]) -> None:
    said = report(found(answers)).splitlines()
    assert said[0] == "Answers that are alike; a reason to look, and not a verdict:"
    place = said.index("  ada, bob")
    assert said[place + 1 : place + 3] == [
        "    loop: equal but for names, layout and comments", "      few others have: the leraning rate goes up first"
    ]  # fmt: skip
    assert re.fullmatch(r"    loop: 9\d( to 100)? % in common", said[said.index("  cyd, dan, eve") + 1])
    assert report([]) == "No answers stand out as alike.\n"
    document = json.loads(json.dumps(data(found(answers))))
    (pair,) = [one for one in document if one["students"] == ["ada", "bob"]]
    assert pair["items"] == [
        {"item": "loop", "equal": True, "similarity": [1.0, 1.0], "rare": ["the leraning rate goes up first"]}
    ]
    assert pair["weight"] > 0
