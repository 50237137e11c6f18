"""Quizzes with seeded mistakes in them, and what reading each costs. Run by `test_mutated_banks.py`, also as a program.

`python tests/support/mutations.py FIRST COUNT FOLDER` reads the banks of these seeds, each in a fork of its own with limits, and
prints a line of JSON for each.
"""

from __future__ import annotations

import copy
import io
import json
import math
import os
import random
import resource
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.content.yaml_source import parse
from grader.template import CONTROL

QUIZZES = Path(__file__).parents[2] / "quizzes"
CPU_SECONDS = 20
MEMORY = 512 << 20
"""What the front process may use for one bank."""

Data = Any


@dataclass(frozen=True)
class Read:
    """What became of one mutated bank."""

    seed: int
    how: str
    """The mutations that made it."""
    findings: int
    trouble: str
    """A traceback, a control character that was printed, or how the process ended; empty where all is well."""
    cpu: float
    """Seconds of the process."""
    megabytes: float
    """The most memory that it had, in MiB."""


# ---------------------------------------------------------------- what mutated banks are made from


@cache
def _items() -> list[tuple[dict[str, Data], dict[str, Data]]]:
    """Every shipped item, with the mistakes that it names."""
    found = []
    shared = parse((QUIZZES / "mistakes.yaml").read_text(), "mistakes.yaml").data["mistakes"]
    for path in sorted(QUIZZES.glob("*.yaml")):
        data = parse(path.read_text(), path.name).data
        if "items" not in data:
            continue
        for item in data["items"]:
            rows = [entry for row in item.get("rows", ()) for entry in row.get("mistakes", ())]
            entries = [*item.get("options", ()), *item.get("mistakes", ()), *rows]
            named = {entry["mistake"] for entry in entries if "mistake" in entry}
            found.append((item, {name: {**shared, **data["mistakes"]}[name] for name in sorted(named)}))
    return found


def small(chance: random.Random, most: int = 2) -> dict[str, Data]:
    """A quiz of one or two shipped items, with at most two values for each parameter and four variants."""
    chosen = chance.sample(_items(), chance.randint(1, most))
    items, mistakes = [], {}
    for item, named in copy.deepcopy(chosen):
        params = item.get("params", {})
        if isinstance(params, dict):
            item["params"] = {
                name: values[: 2 if place < 2 else 1] for place, (name, values) in enumerate(params.items())
            }
        else:
            item["params"] = params[:2]
        if not item["params"]:
            del item["params"]
        items.append(item)
        mistakes |= named
    return {"format": 1, "topic": "mutated", "title": "Mutated", "items": items, "mistakes": mistakes}


def written(data: Data, indent: int = 0) -> str:
    """Data as YAML in blocks; texts of several lines as blocks after `|`."""
    pad = "  " * indent
    if isinstance(data, dict) and data:
        return "".join(f"{pad}{_key(key)}:{_after(value, indent)}" for key, value in data.items())
    if isinstance(data, list) and data:
        return "".join(f"{pad}-{_after(value, indent)}" for value in data)
    return f"{pad}{_scalar(data)}\n"


def _after(value: Data, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + written(value, indent + 1)
    block = isinstance(value, str) and value.endswith("\n") and value[0] not in " \n" and value.isascii()
    if block and not value.endswith("\n\n") and not CONTROL.search(value):
        lines = "".join(f"{'  ' * (indent + 1)}{line}\n" if line else "\n" for line in value[:-1].split("\n"))
        return f" |\n{lines}"
    return f" {_scalar(value)}\n"


def _key(key: str) -> str:
    return key if key.replace("_", "a").replace("-", "a").isalnum() and key[0].isalpha() else json.dumps(key)


def _scalar(value: Data) -> str:
    if isinstance(value, Plain):
        return value.text
    if isinstance(value, float) and math.isnan(value):
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return json.dumps(value)


@dataclass(frozen=True)
class Plain:
    """YAML that is written as it stands."""

    text: str


# ---------------------------------------------------------------- mutations of the data

EXPRESSIONS = (
    "", "(", "run.", "a b", "-" * 6000 + "1", "(" * 300 + "1" + ")" * 300, "[" * 90 + "]" * 90, "9" * 5000, "10 ** 100000",
    "1e999999", "run.lr_used[10 ** 9]", "__import__('sys').exit(1)", "lambda: 0", "(x := 1)", "run.lr_used * 1000", "'\\x1b[31m'",
    "chr(27) + ']0;name' + chr(7)", "'\\u202e'", "float('nan')", "{1: 2}[1]", "10 ** 400", "-10 ** 400", "[10 ** 400]", "1j", "b'a'",
    "'a' * 10 ** 6", "[1] * 10 ** 5", "None", "True", "run", "print", "(yield)", "await x", "1 if", "f'{1}'", "{**{}}", "*run.lr_used",
    "0x" + "f" * 4000, "1" + "+1" * 1900, "a" + ".a" * 1900, "{'\\x1b': 1}", "object()", "torch.zeros(3, 3)", "not " * 900 + "1",
)  # fmt: skip

PATTERNS = (
    "(a+)+$",
    "(",
    "[",
    "*",
    "(?P<a>",
    "\\",
    "(?i)",
    "x{99999999999}",
    "(" * 200 + ")" * 200,
    "(.*)*" * 9 + "Q",
    ".",
    "",
    "\x00",
)

TEMPLATES = (
    "{", "}", "{{", "}}", "{}", "{ }", "{a}", "{run.lr_used", "{1}" * 300, "{" * 3000, "{" + "a}" * 3000, "{{{{1}}}}", "{'}'}", "{{1: 2}[1]}",
    "(-8)**0.5 = 2", "-" * 6000 + "1 = 2", "1 + 1 = 3", "1+1=2 " * 900, "1 " * 900 + "+ 1 = 3", "(" * 3000 + "= 1", "0 / 0 = 1",
    "1" * 9000 + " + 1 = 2", "9 ** 9 ** 9 = 1", "1" * 15000 + "a", "=" * 9000, "`" * 999, "<script>alert(1)</script>", "\u00e9" * 99,
    "\x1b[31mred", "\x1b]0;name\x07", "\u202egnp.exe", "\u2066a", "\u2028", "\x85", "\x9b31m", "\ud800", "\r", "\x00", "\ufeff", "💥" * 50,
    "a" * 25_000, " ", "\n" * 500, "| a |\n|---|\n" * 50, "[x](javascript:alert(1))", "![i](http://127.0.0.1/x.png)", "$" * 500,
    "{run.stdout}", "{run.warnings}", "{chr(27)}", "{'\\x9b' + 'x'}", "{10 ** 400 * 1.0}", "{'a' * 10 ** 6}",
)  # fmt: skip

PROGRAMS = (
    "", "...option...", "...answer...\n" * 3, "...1..." * 50, "raise ValueError('\\x1b[31m')\n", "import warnings\nwarnings.warn('a' * 40 + '!')\n",
    "raise type('\\x1b', (Exception,), {})('x')\n", "print('\\x1b]0;name\\x07')\n", "import sys\nsys.exit(3)\n", "x = " + "-" * 6000 + "1\n",
    "def f(:\n", "\tx = 1\n", "x = 1 \\\n", "print(10 ** 400)\n", "run = 1\n", "__import__ = None\n", "raise BaseException\n", "losses = [1e400]\n",
    "x = 0x" + "f" * 9000 + "\n", "x = " + "1+" * 900 + "1\n", "from x import *\n", "# \u202e\n", "é = 1\n",
)  # fmt: skip

NUMBERS = (
    0, -1, 1e308, float("inf"), float("-inf"), float("nan"), 10**300, -(10**18), 1e-300, 0.1, True, Plain("1e999999"), Plain("9" * 5000),
    Plain("0x" + "f" * 5000), Plain("1_000"), Plain("1:30"), Plain(".5e+9999999"), Plain("-0"), Plain("0o17"), Plain("~"), Plain("2024-01-01"),
)  # fmt: skip


def _deep(chance: random.Random) -> Data:
    nested: Data = 1
    for _ in range(chance.choice((5, 14, 20, 80))):
        nested = [nested] if chance.random() < 0.5 else {"a": nested}
    return nested


def _odd(chance: random.Random) -> Data:
    """A value that may stand anywhere."""
    kinds: list[Callable[[], Data]] = [
        lambda: chance.choice(EXPRESSIONS),
        lambda: chance.choice(TEMPLATES),
        lambda: chance.choice(NUMBERS),
        lambda: chance.choice(PATTERNS),
        lambda: chance.choice(PROGRAMS),
        lambda: _deep(chance),
        lambda: chance.choice(
            (None, {}, [], [[]], [None], {"": ""}, {"a": 1}, "a", ["a"] * 400, {f"k{n}": n for n in range(400)})
        ),
    ]
    return chance.choice(kinds)()


_FITTING: dict[str, tuple[Data, ...]] = {
    **dict.fromkeys(("answer", "holds", "value", "yields", "because", "observe", "cells"), EXPRESSIONS),
    **dict.fromkeys(("stem", "text", "say", "hints", "solution", "title", "says"), TEMPLATES),
    **dict.fromkeys(("program", "code", "reference", "starter", "fills", "lines"), PROGRAMS),
    **dict.fromkeys(("warns", "raises"), PATTERNS),
    **dict.fromkeys(("tolerance", "format", "draws", "params", "given", "hidden", "from", "to"), NUMBERS),
}  # fmt: skip


def _places(data: Data, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inside for place in _places(value, (*path, key)))]


def _at(data: Data, path: tuple[Any, ...]) -> Data:
    for key in path:
        data = data[key]
    return data


def mutate_gently(data: Data, chance: random.Random) -> str:
    """Change one text or number of an item into another one; what was done."""
    places = [path for path in _places(data["items"]) if path and isinstance(_at(data["items"], path), str | float)]
    words = {path: next((part for part in reversed(path) if isinstance(part, str)), "") for path in places}
    path = chance.choice([path for path in places if words[path] in _FITTING])
    fitting = [value for value in _FITTING[words[path]] if isinstance(value, str) and not CONTROL.search(value)]
    new = chance.choice(fitting or [1e-9])
    parent = _at(data["items"], path[:-1])
    old = parent[path[-1]]
    parent[path[-1]] = f"{old} {new}" if chance.random() < 0.3 and isinstance(old, str) else new
    if chance.random() < 0.15:
        chance.choice(data["items"])["warns"] = chance.choice(PATTERNS[:-1])
    return f"{words[path]} is {str(new)[:40]!r}"


def mutate_data(data: Data, chance: random.Random) -> str:
    """Change one place of a quiz; what was done."""
    path = chance.choice(_places(data)[1:])
    parent, key = _at(data, path[:-1]), path[-1]
    word = next((part for part in reversed(path) if isinstance(part, str)), "")
    what = chance.choice(("delete", "double", "swap", "fit", "fit", "fit", "odd", "wrap", "rename", "add"))
    match what:
        case "delete":
            del parent[key]
        case "double":
            if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(parent[key]))
            else:
                parent[key] = [copy.deepcopy(parent[key]), parent[key]]
        case "swap":
            other = chance.choice(_places(data)[1:])
            value = copy.deepcopy(_at(data, other))
            parent[key] = value
        case "fit":
            parent[key] = chance.choice(_FITTING.get(word, TEMPLATES))
        case "odd":
            parent[key] = _odd(chance)
        case "wrap":
            parent[key] = chance.choice((lambda old: [old], lambda old: {"a": old}, str, lambda old: [old] * 50))(
                parent[key]
            )
        case "rename" if isinstance(parent, dict):
            parent[
                chance.choice(("", "kind", "id", "\x1b]0;name\x07", "a" * 300, "<<", "params", "é", "\u202e", "mode"))
            ] = parent.pop(key)
        case _ if isinstance(parent, dict):
            name = chance.choice((*_FITTING, "kind", "modes", "mistake", "instead", "unit", "see"))
            parent[name] = chance.choice(_FITTING.get(name, (*TEMPLATES, *NUMBERS)))
            what = f"add {name} to"
    return f"{what} {'/'.join(map(str, path))}"[:80].encode("ascii", "backslashreplace").decode()


# ---------------------------------------------------------------- mutations of the text

TAGS = (
    "!!python/object:os.system ",
    "!x ",
    "!!binary ",
    "!!set ",
    "!!int ",
    "!<tag:%1b> ",
    "&a ",
    "*a ",
    "!!str ",
    "!" * 500 + " ",
    "? ",
    "- ",
    "| ",
    "> ",
    "@",
    "`",
    "%",
)
BYTES = (
    b"\xff",
    b"\x00",
    b"\x1b[31m",
    b"\x9b",
    b"\xc2\x9b",
    "\u202e".encode(),
    b"\xef\xbb\xbf",
    b"\r",
    b"\x07",
    "\u2028".encode(),
    b"\x85",
    b"\xed\xa0\x80",
    b"\t",
    "💥".encode(),
    b"\x0c",
    b"\x7f",
)


def mutate_text(text: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Change one place of a file; what was done."""
    lines = text.split(b"\n")
    place = chance.randrange(len(lines))
    line = lines[place]
    what = chance.choice(
        ("truncate", "delete", "double", "swap", "retag", "bytes", "indent", "deep", "encode", "start", "cut", "word")
    )
    match what:
        case "truncate":
            return text[: chance.randrange(len(text) + 1)], what
        case "delete":
            del lines[place : place + chance.randint(1, 5)]
        case "double":
            lines[place:place] = [line] * chance.choice((1, 2, 300))
        case "swap":
            other = chance.randrange(len(lines))
            lines[place], lines[other] = lines[other], line
        case "retag":
            head, colon, rest = line.partition(b": ")
            lines[place] = head + (colon or b" ") + chance.choice(TAGS).encode() + rest
        case "bytes":
            at = chance.randrange(len(line) + 1)
            lines[place] = line[:at] + chance.choice(BYTES) + line[at:]
        case "indent":
            lines[place] = b" " * chance.randrange(9) + line.lstrip()
        case "deep":
            opened = chance.choice((b"[", b"{a: ", b"- ", b"? ", b"(", b"'", b'"'))
            lines[place] = line + b" " + opened * chance.choice((3, 50, 10_000))
        case "encode":
            decoded = text.decode("utf-8", "replace")
            return decoded.encode(
                chance.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252")), "replace"
            ), what
        case "start":
            before = (
                b"\xef\xbb\xbf",
                b"%YAML 1.1\n---\n",
                b"%TAG ! tag:a,2000:\n---\n",
                b"---\n---\n",
                b"...\n",
                b"\n" * 300,
                b"# c\n%a\n",
            )
            return chance.choice((chance.choice(before) + text, text.replace(b"\n", b"\r\n"), b"", text * 3)), what
        case "cut":
            lines[place] = line[: chance.randrange(len(line) + 1)]
        case _:
            old, new = chance.choice(
                (
                    (b":", b": :"),
                    (b"'", b'"'),
                    (b"{", b"{{"),
                    (b"}", b""),
                    (b"]", b"]]"),
                    (b"-", b"--"),
                    (b"1", b"9" * 400),
                    (b"|", b">+9"),
                )
            )
            lines[place] = line.replace(old, new)
    return b"\n".join(lines), what


STYLES = ("text", "data", "both", "gentle")
"""What is changed in the bank of a seed, in turn. Gentle changes leave every field its kind, so that much is run."""


def mutated(seed: int, most: int = 2) -> tuple[bytes, str]:
    """The bank of a seed, and how it was made."""
    chance, style = random.Random(seed), STYLES[seed % len(STYLES)]
    data = small(chance, most)
    how = [mutate_data(data, chance) for _ in range(chance.randint(1, 3) if style in ("data", "both") else 0)]
    how += [mutate_gently(data, chance) for _ in range(chance.randint(1, 2) if style == "gentle" else 0)]
    text = written(data).encode("utf-8", "surrogatepass")
    for _ in range(chance.randint(1, 3) if style in ("text", "both") and text else 0):
        text, what = mutate_text(text, chance)
        how.append(what)
        if not text:
            break
    return text, "; ".join(how)


# ---------------------------------------------------------------- reading them


def _look(path: Path) -> tuple[int, str]:
    """Read a bank as far as the front process goes without a runner; its findings, and what was printed raw."""
    from grader import kinds
    from grader.cli.shared import print_findings
    from grader.content import bank_files
    from grader.judging import claims

    found = bank_files.read([path])
    shown = io.StringIO()
    print_findings(found.findings, to=shown)
    for topic in found.topics if not found.findings else ():
        print(topic.title, file=shown)
        for item in topic.items:
            for variant in item.variants:
                plan = kinds.of(item).plan(item, variant)
                assert plan.programs
                print(claims.shown_program(item, variant), claims.shown_before_proof(item, variant), file=shown)
    odd = CONTROL.search(shown.getvalue())
    lacking = [finding for finding in found.findings if not (finding.message and finding.hint)]
    return len(found.findings), f"printed {odd[0]!r}" if odd else f"no hint: {lacking}" if lacking else ""


def read_apart(seed: int, folder: Path) -> Read:
    """Read the bank of a seed in a fork with limits."""
    text, how = mutated(seed)
    path = folder / "quiz.yaml"
    path.write_bytes(text)
    receive, send = os.pipe()
    if (child := os.fork()) == 0:
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 2))
            answer: object = _look(path)
        except BaseException:  # noqa: BLE001  (whatever it is, it is reported)
            answer = (-1, traceback.format_exc()[-1500:])
        os.write(send, json.dumps(answer).encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        answered = pipe.read()
    _, status, usage = os.wait4(child, 0)
    findings, trouble = json.loads(answered) if answered else (-1, f"the process ended with {status}")
    return Read(seed, how, findings, trouble, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    first, count = map(int, sys.argv[1:3])
    path = Path(sys.argv[3]) / "whole.yaml"
    for kind in sorted({item["kind"] for item, _ in _items()}):  # so that each fork has all that it needs
        item, mistakes = next(found for found in _items() if found[0]["kind"] == kind)
        path.write_text(
            written({"format": 1, "topic": "t", "title": "T", "items": [item], "mistakes": mistakes}), encoding="utf-8"
        )
        assert _look(path) == (0, "")
    for seed in range(first, first + count):
        print(json.dumps(asdict(read_apart(seed, Path(sys.argv[3])))), flush=True)


def worst(reads: list[Read]) -> str:
    """The five that cost most CPU and the five that took most memory."""
    lines = [
        f"{len(reads)} mutated banks, seeds {min(r.seed for r in reads)} to {max(r.seed for r in reads)}; the worst five:"
    ]
    for name, key in (("CPU", lambda one: one.cpu), ("memory", lambda one: one.megabytes)):
        most = sorted(reads, key=key, reverse=True)[:5]
        lines += [
            f"  {name:6} {one.cpu:6.2f} s {one.megabytes:6.0f} MiB  seed {one.seed}: {one.how[:90]}" for one in most
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
