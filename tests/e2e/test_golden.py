"""What learners, teachers and authors are shown, byte for byte: goldens over a bank that stays as it is.

They show that a change of our own code changes nothing else. `tests/data` has copies of `quizzes/` and `tests/cases`; for each item,
`tests/golden/items/TOPIC/ITEM.txt` has the first variant in full and a line of digests for each other one: the question, and what is
said of a right, a wrong and an unreadable answer, as JSON, on a terminal, on a page. Beside them are assignments, reports of `verify`,
and the digests that records and assignments keep of items. Hidden inputs are drawn by a fixed seed; times, versions and paths are masked.

`GRADER_GOLDEN=write` writes what differs anew: read `git diff` then, for each line of it is a promise that is changed.
`GRADER_GOLDEN_TEXTS=DIR` also writes there what the digests are of; done at two commits, `diff -r` shows what one of them changed.

What programs do, and how Python words an error, comes with torch and Python: with others than `tests/golden/made-with.json` names,
the tests are skipped. Of some questions about networks only three digits of each number are kept: processors round otherwise.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import golden_adapter as adapter
from tests.support.common import Case, Command, cases

HERE = Path(__file__).parents[1]
BANK = HERE / "data/bank"
GOLDEN = HERE / "golden"

MODE = os.environ.get("GRADER_GOLDEN", "")
assert MODE in ("", "write"), f"GRADER_GOLDEN is `write`, not `{MODE}`"
WRITE = MODE == "write"

LONGEST_DIFFERENCE = 60
"""So many lines of a difference are shown."""

ITEMS = {
    f"{path.stem}/{name}": name
    for path in sorted((BANK / "quizzes").glob("*.yaml"))
    for name in re.findall(r"^- id: (\S+)", path.read_text(), re.MULTILINE)
}
"""The items of the bank by where their goldens are."""


def made_with() -> dict[str, str]:
    return {"python": "{}.{}".format(*sys.version_info), "torch": adapter.torch_version()}


@pytest.fixture(scope="session", autouse=True)
def _the_versions_that_these_were_made_with() -> None:
    path = GOLDEN / "made-with.json"
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(made_with()) + "\n")
    then = json.loads(path.read_text())
    if then != made_with():
        pytest.skip(f"the goldens were made with {then}, and this is {made_with()}")


@pytest.fixture(scope="session")
def frozen(together: Path, environment: dict[str, str], remembering: Any) -> Any:
    """The bank of the goldens. One process of the tests proves it, the others wait and remember."""
    with (together / "proving").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        bank = adapter.read(BANK, Path(environment["GRADER_CACHE"]))
        done = together / "golden-bank-is-proven"
        if not done.exists():
            for _ in adapter.proofs(bank.items, remembering):
                pass
            done.touch()
    return bank


# ---------------------------------------------------------------- comparing


def compare(path: Path, new: str, what: str) -> None:
    """Fail with what differs from a golden; or write it anew."""
    old = path.read_text() if path.exists() else ""
    if new == old:
        return
    if WRITE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new)
        return
    fail([f"{what} is not what it was:", *difference(old, new, str(path.relative_to(HERE.parent)))])


def difference(old: str, new: str, name: str) -> list[str]:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), name, "now", n=2, lineterm=""))
    more = len(lines) - LONGEST_DIFFERENCE
    return lines[:LONGEST_DIFFERENCE] + ([f"... and {more} lines more"] if more > 0 else [])


def fail(lines: list[str]) -> None:
    hint = "If that is meant, `GRADER_GOLDEN=write` writes it anew; see tests/e2e/test_golden.py."
    pytest.fail("\n".join([*lines, hint]), pytrace=False)


def readable(value: Any) -> str:
    """JSON in which a long text is a list of its pieces under `joined`: its lines, and the elements of HTML."""
    text = json.dumps(_pieces(value), indent=1, ensure_ascii=False)
    return re.sub(r"\[\n([^][{}\"]*)\]", lambda numbers: f"[{' '.join(numbers[1].split())}]", text)


def _pieces(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pieces(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_pieces(part) for part in value]
    if isinstance(value, str) and (len(value) > 100 or "\n" in value):
        pieces = re.split(r"(?<=\n)(?=.)|(?<=>)(?=<(?!/?(?:span|code|strong|em|a|th|td)\b))", value)
        return {"joined": pieces} if len(pieces) > 1 else value
    return value


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


# ---------------------------------------------------------------- questions and answers

DRAWN = ("warmup/third-epoch-rate", "warmup/write-the-factor", "schedulers/plateau-table")
"""Items whose charts are drawn, and kept in full, as are the colors of their programs."""

SHARE = 6
"""One item in so many is looked at in the first tier; the others are of the second."""

TRAINED = (
    "schedulers/order-the-epoch", "schedulers/order-the-logging", "warmup/adam-first-distance", "warmup/order-accumulated-warmup",
    "warmup/order-build-and-train", "warmup/order-fine-tuning", "warmup/order-warmup-epoch", "warmup/order-warmup-per-batch",
    "warmup/why-start-low",
)  # fmt: skip
"""Items that show numbers of a network, the last digits of which come with the processor: all that differed on another one, and
with `ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE`."""


def rounded(value: Any) -> Any:
    """JSON data, or a text, with three digits of each number that has a fraction."""
    if isinstance(value, str):
        return re.sub(r"-?\d+\.\d+(?:e[-+]?\d+)?", lambda number: f"{float(number[0]):.3g}", value)
    return json.loads(rounded(json.dumps(value)))


Parts = dict[str, dict[str, Any]]
"""A variant of an item: its question, and what is said of each sample answer, as every face has it."""

OTHERS = "=== the other variants: digests of the question, and of what is said of a right, a wrong and an unreadable answer\n"


def test_there_is_a_golden_for_each_item_and_for_nothing_else(frozen: Any) -> None:
    assert list(ITEMS) == [f"{item.topic}/{item.id}" for item in frozen.items]
    there = {path: str(path.relative_to(GOLDEN / "items").with_suffix("")) for path in GOLDEN.glob("items/*/*.txt")}
    for path, place in there.items():
        if WRITE and place not in ITEMS:
            path.unlink()
    assert WRITE or set(there.values()) == set(ITEMS)


@pytest.mark.parametrize(
    "place",
    [
        place if number % SHARE == 0 or place in DRAWN else pytest.param(place, marks=pytest.mark.slow)
        for number, place in enumerate(ITEMS)
    ],
)
def test_what_is_asked_and_said_is_what_it_was(
    place: str, frozen: Any, remembering: Any, runner: Any, tmp_path: Path
) -> None:
    item = next(item for item in frozen.items if item.id == ITEMS[place])
    ((_, proofs),) = adapter.proofs([item], remembering)
    words = [adapter.in_words(proof) for proof in proofs]
    parts = [parts_of(adapter.Views(frozen, item, proof, runner, drawn=place in DRAWN)) for proof in proofs]
    if place in TRAINED:
        words, parts = rounded(words), rounded(parts)
    texts = [f"=== variant {k}: {said}\n{in_full(place, parts[k])}" for k, said in enumerate(words)]
    lines = [line(k, parts[k], said) for k, said in enumerate(words) if k]
    keep(place, texts)
    path = GOLDEN / "items" / f"{place}.txt"
    if WRITE:
        compare(path, texts[0] + OTHERS + "".join(lines), place)
        return
    assert path.exists(), f"{path} is missing: GRADER_GOLDEN=write writes it"
    first, _, rest = path.read_text().partition(OTHERS)
    if first != texts[0]:
        shown = difference(first, texts[0], str(path.relative_to(HERE.parent)))
        fail([f"The first variant of {place} is not what it was:", *shown])
    then = rest.splitlines(keepends=True)
    if then != lines:
        shown = difference(rest, "".join(lines), str(path.relative_to(HERE.parent)))
        paths = [write(tmp_path / f"{k}.txt", texts[k]) for k, now in enumerate(lines, 1) if now not in then]
        kept = [f"now in full: {path}" for path in paths]
        fail([f"The first variant of {place} is what it was, and others are not:", *shown, *kept])


def parts_of(views: Any) -> Parts:
    return {"question": views.question(), **{sample: views.answered(sample) for sample in adapter.SAMPLES}}


def line(variant: int, parts: Parts, words: str) -> str:
    digests = " ".join(f"{name}:{digest(part)[:16]}" for name, part in parts.items())
    return f"{variant} {digests} {words}\n"


def in_full(place: str, parts: Parts) -> str:
    """A variant as a text that people can compare, in which little stands twice.

    Of what a page says of a wrong answer, what it says of a right one too is left out; of the page without JavaScript, the stem and
    the program; questions of assignments are in `assignments`. Most charts and highlighted programs are digests.
    """
    shown = {name: dict(views) for name, views in parts.items()}
    shown["question"].pop("assignment", "")
    shown["wrong"]["page"] = adapter.beyond(shown["right"]["page"], shown["wrong"]["page"])
    page = shown["question"]["page"]
    for name in ("stem", "program"):
        if page[name]:
            static = shown["question"]["page without JavaScript"].replace(page[name], f"[{name}]")
            shown["question"]["page without JavaScript"] = static
    if place not in DRAWN:
        shown["question"]["page"] = page | {"program": digest(page["program"])}
    text = "".join(
        f"--- {name}: {view}\n{value if isinstance(value, str) else readable(value)}\n"
        for name, views in shown.items()
        for view, value in views.items()
    )
    return text if place in DRAWN else re.sub(r"(<svg.*?>)(.*?</svg>)", _without_drawing, text, flags=re.DOTALL)


def _without_drawing(svg: re.Match[str]) -> str:
    return svg[1] + digest(svg[2])


def keep(place: str, texts: list[str]) -> None:
    """Write what digests are of, where that is wanted."""
    if folder := os.environ.get("GRADER_GOLDEN_TEXTS"):
        for variant, text in enumerate(texts):
            write(Path(folder, place, f"{variant}.txt"), text)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_digests_of_items_are_what_they_were(frozen: Any) -> None:
    """Apart from the rest: a new way to make them changes this file alone."""
    compare(
        GOLDEN / "digests.txt",
        "".join(f"{item.id} {adapter.kept_of(item, frozen)}\n" for item in frozen.items),
        "A digest",
    )


# ---------------------------------------------------------------- assignments


@pytest.mark.parametrize("topic", ["warmup", "schedulers"])
@pytest.mark.parametrize("per_student", [False, True], ids=["the same for all", "per student"])
def test_an_assignment_is_what_it_was(
    topic: str, per_student: bool, frozen: Any, grader: Command, tmp_path: Path
) -> None:
    """All items of a topic that a notebook can ask; or the five of an ordinary one, with numbers for each student."""
    names = [item.id for item in frozen.items if item.topic == topic and item.kind != "card"]
    which = ["--per-student", "--seed", "5"] if per_student else ["--items", ",".join(names)]
    name = f"{topic}-per-student" if per_student else topic
    done = grader("notebook", topic, "--assignment", *which, "--bank", BANK, "-o", tmp_path / name, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.replace(f"{tmp_path}/", ""))
    notebook = json.loads((tmp_path / name / f"{name}.ipynb").read_text())
    manifest = json.loads((tmp_path / name / "torch-grader.json").read_text())
    for entry in manifest["items"]:
        entry["digest"] = "see digests.txt"
    shown = {"printed": said, "noticed": done.stderr.splitlines(), "notebook": notebook, "torch-grader.json": manifest}
    compare(GOLDEN / "assignments" / f"{name}.json", readable(shown) + "\n", f"The assignment {name}")


# ---------------------------------------------------------------- reports


@pytest.mark.parametrize("name", ["bank", "verify"])
def test_what_verify_says_of_bad_quizzes_is_what_it_was(name: str, grader: Command, tmp_path: Path) -> None:
    said = {}
    for parameter in cases(f"../data/cases/{name}.txt"):
        case: Case = parameter.values[0]
        (tmp_path / "quiz.yaml").write_text(case.input)
        said[case.title] = verified(grader, tmp_path / "quiz.yaml", tmp_path)
    compare(
        GOLDEN / "verify" / f"{name}.json", readable(said) + "\n", f"What verify says of tests/data/cases/{name}.txt"
    )


def test_what_verify_says_of_the_bank_is_what_it_was(frozen: Any, grader: Command) -> None:
    said = verified(grader, BANK / "quizzes", BANK)
    compare(GOLDEN / "verify" / "the-bank.json", readable(said) + "\n", "What verify says of the bank")


def verified(grader: Command, path: Path, above: Path) -> dict[str, Any]:
    """What `grader verify --json` printed, without times and versions, and paths from `above` on."""
    done = grader("verify", path, "--json")
    report = json.loads(done.stdout.replace(f"{above}/", ""))
    return {"exit code": done.returncode, **report, "seconds": 0, "torch": ""}
