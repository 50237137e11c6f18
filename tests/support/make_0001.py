"""Makes tests/data/0001: what learners and a course had on disk at version 0001 of the records, before digests had a version.

It was run once, with the code of commit `MADE_AT` and the bank in tests/data/bank, and is kept to say how the data came about.
Tests open copies of them and never make them anew: a later version would make other data, which show nothing.

    .venv/bin/python -m tests.support.make_0001           the data, with the code of then
    .venv/bin/python -m tests.support.make_0001 table     grader/learning/digests_v1.json, with the first code that had digests of version 2

| file | holds |
|---|---|
| `records.sqlite.gz` | two learners' answers in every mode, a finished test on warmup, a half-done one on schedulers |
| `export.jsonl` | the same by `grader export-records` |
| `course/` | `ps1`, an item of each kind; `ps2`, four items with numbers of each student's own; released, submitted, not graded |
| `answers.ipynb` | questions asked and answered in a notebook, with the widget's state |
| `cache/proven.sqlite.gz` | observations |
| `expected.json` | what the code of then made of copies of all this |
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from grader import kinds
from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.learning import planning
from grader.learning.question import choose
from grader.learning.recorder import now
from grader.learning.records import Records
from grader.model import Item
from grader.nbgrader import cell_values, manifest
from grader.runner.cached import RememberingRunner, Store
from grader.runner.local import LocalRunner

MADE_AT = "ea0b29e"
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data/0001"
BANK = ROOT / "tests/data/bank"
LATER = timedelta(hours=3)
"""After the last answer: a test may be taken up again, and what was just learned is due."""

PS1 = (
    "third-epoch-rate", "which-are-warmups", "printed-third-line", "ramp-rate-table", "fill-missing-cap",
    "order-warmup-epoch", "write-the-factor", "mend-doubling-warmup",
)  # fmt: skip
PS2 = ("third-epoch-rate", "printed-third-line", "ramp-rate-table", "fill-missing-cap")


# ---------------------------------------------------------------- what tests use too


def unpacked(name: str, folder: Path) -> Path:
    """A copy of a packed file of the data, as a file in a folder."""
    path = folder / Path(name).name
    path.write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
    return path


def aged(db: Path) -> Path:
    """Move all times in a file of records of version 0001, so that the last answer was given `LATER` ago."""
    with closing(sqlite3.connect(db)) as base, base:
        (last,) = base.execute("SELECT max(at) FROM attempts").fetchone()
        moved = now() - LATER - datetime.fromtimestamp(last / 1e6, tz=now().tzinfo)
        base.execute("UPDATE sittings SET started = started + ?", [moved // timedelta(microseconds=1)])
        for number, at, text in base.execute("SELECT number, at, card FROM attempts").fetchall():
            card = json.loads(text) if text else None
            for name in ("due", "last_review") if card else ():
                card[name] = (datetime.fromisoformat(card[name]) + moved).isoformat()
            values = [at + moved // timedelta(microseconds=1), json.dumps(card) if card else None, number]
            base.execute("UPDATE attempts SET at = ?, card = ? WHERE number = ?", values)
    return db


def answered(db: Path, **equal: object) -> list[list[Any]]:
    """The place, item, variant, numbers and outcome of each answer on record whose fields are these."""
    with Records(str(db), write=False) as store:
        found = list(store.attempts(**equal))
    return [[one.place, one.item, one.variant, one.params, one.response, one.outcome, one.points] for one in found]


def half_done(db: Path) -> str:
    """The sitting of the test that was left."""
    with Records(str(db), write=False) as store:
        (sitting,) = store.sittings(mode="test", topic="schedulers")
    return sitting.id


def scores(course: Path) -> dict[str, dict[str, dict[str, float | None]]]:
    """The points of each cell in a gradebook, by assignment and student."""
    query = """
        SELECT assignment.name, submitted_assignment.student_id, base_cell.name, coalesce(grade.manual_score, grade.auto_score)
        FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
        JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
        JOIN assignment ON submitted_assignment.assignment_id = assignment.id
        JOIN base_cell ON grade.cell_id = base_cell.id"""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    with closing(sqlite3.connect(course / "gradebook.db")) as base:
        for assignment, student, cell, points in base.execute(query):
            found.setdefault(assignment, {}).setdefault(student, {})[cell] = points
    return found


# ---------------------------------------------------------------- making them


@dataclass
class Maker:
    """The command `grader`, and a learner who knows the answers."""

    environment: dict[str, str]
    runner: RememberingRunner

    def grader(self, *arguments: str | Path, stdin: str = "", cwd: Path = ROOT) -> str:
        return self.run(sys.executable, "-m", "grader", *arguments, stdin=stdin, cwd=cwd)

    def run(self, *command: str | Path, stdin: str = "", cwd: Path = ROOT) -> str:
        done = subprocess.run(
            list(map(str, command)),
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=self.environment,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def sample(self, item: Item, variant: int, sort: str) -> str:
        """A raw answer: right, wrong or unreadable."""
        proof = PendingProof.begin(item, item.variants[variant], self.runner).proof()
        return kinds.of(item).samples(item, proof)[sort]

    def typed(self, drawn: Sequence[tuple[Item, int]], sorts: Sequence[str]) -> str:
        """What is typed into a pipe for some questions: `right`, `wrong`, `hint` (and then right), or `skip`."""
        lines = []
        for (item, variant), sort in zip(drawn, sorts, strict=False):
            if sort == "skip":
                lines.append("s\n")
                continue
            text = self.sample(item, variant, "right" if sort == "hint" else sort).rstrip()
            end = "\n.\n" if item.kind in ("code", "repair") else "\n"
            lines.append(f"{'h' + chr(10) if sort == 'hint' else ''}{text}{end}")
        return "".join(lines)

    def cell(self, item: Item, variant: int, sort: str) -> str:
        """The source of a cell with an answer."""
        proof = PendingProof.begin(item, item.variants[variant], self.runner).proof()
        prompt = kinds.of(item).prompt(item, item.variants[variant], proof)
        assert prompt is not None
        text = cell_values.literal(prompt.inputs, kinds.of(item).samples(item, proof)[sort])
        return text if item.kind in ("code", "repair") else f"{cell_values.variable(item.id)} = {text}"


def make_records(maker: Maker, db: Path) -> None:
    bank = bank_files.read(bank_files.files([BANK]))
    items = {item.id: item for item in bank.items}
    sorts = ["right", "wrong", "skip", "hint", "right"]
    for learner in ("me", "ada"):
        for topic, mode in (("warmup", "practice"), ("schedulers", "try"), ("warmup", "challenge")):
            drawn = [(item, item.variant(4).index) for item in choose(bank, topic, mode, 5)]
            mixed = (
                ["right"] * 5 if (learner, mode) == ("me", "challenge") else sorts if learner == "me" else sorts[::-1]
            )
            typed = maker.typed(drawn, mixed)
            maker.grader("quiz", topic, "--mode", mode, "--seed", "4", "--learner", learner, stdin=typed)
    half = ["right", "wrong", "skip", "right"]
    for topic, seed, given in (("warmup", 3, ["right", "right", "wrong", "skip"] * 3), ("schedulers", 5, half)):
        maker.grader("test", topic, "--seed", str(seed))  # nobody answers: it is begun
        with Records(str(db), write=False) as store:
            (sitting,) = store.sittings(mode="test", topic=topic)
        planned = [(items[name], variant) for name, variant in sitting.plan]
        maker.grader("test", topic, stdin=maker.typed(planned, given))
    with Records(str(db)) as store:
        units = planning.units(bank, store, "me", now())
        seen = store.seen("me", [item.id for unit in units for item in unit.items])
        reviewed = planning.plan_review(units, seen, now(), 1, 12, 6, ahead=True)
    typed = maker.typed(reviewed, ["right", "wrong", "right"] * 4)
    maker.grader("review", "--seed", "1", "--count", "12", "--new", "6", "--ahead", stdin=typed)
    drawn = [[item.id, variant] for item, variant in reviewed]
    assert [entry[1:3] for entry in answered(db, mode="review")] == drawn
    assert {entry.split("/")[0] for entry in units_of(db)} == {"card", "skill"}


def units_of(db: Path) -> set[str]:
    with Records(str(db), write=False) as store:
        return {one.unit for one in store.attempts(mode="review")}


def make_notebook(maker: Maker, path: Path) -> None:
    from nbclient import NotebookClient

    late = "def factor(epoch):\n    return min(epoch / warmup_epochs, 1)\n"
    right = late.replace("epoch /", "(epoch + 1) /")
    sources = [
        "from grader.jupyter import answer, hint, quiz",
        'quiz("third-epoch-rate")',
        'answer("third-epoch-rate", "B")',
        f'answer("write-the-factor", {late!r})',
        'hint("write-the-factor")',
        f'answer("write-the-factor", {right!r})',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    os.environ.update(maker.environment)
    done = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    nbformat.write(done, path)


def make_course(maker: Maker, course: Path) -> None:
    course.mkdir()
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "pytorch"\nfrom grader.course import configure\nconfigure(c)\n'
    )
    items = {item.id: item for item in bank_files.read(bank_files.files([BANK])).items}
    students = {
        "right": ["right"] * 8,
        "wrong": ["wrong"] * 8,
        "mixed": ["right", "wrong", "unreadable", ""] * 2,
        "empty": [""] * 8,
    }
    for name, names, more in (("ps1", PS1, ["--seed", "9"]), ("ps2", PS2, ["--per-student", "--seed", "4"])):
        maker.grader(
            "notebook", "warmup", "--assignment", "--items", ",".join(names), "--points", "3", *more,
            "-o", course / "source" / name,
        )  # fmt: skip
        maker.run(sys.executable, "-m", "nbgrader", "generate_assignment", name, cwd=course)
        found = manifest.read(course / "source" / name)
        assert found is not None
        for student, sorts in students.items():
            notebook = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
            for entry, sort in zip(found.items, sorts, strict=False):
                item = items[entry.grade_id]
                if not sort or (sort == "unreadable" and item.kind in ("code", "repair")):
                    continue
                variant = found.variant(entry, student, len(item.variants))
                source = "answer_x = object(" if sort == "unreadable" else maker.cell(item, variant, sort)
                for cell in notebook.cells:
                    if cell.metadata.get("nbgrader", {}).get("grade_id") == entry.answer:
                        cell.source = source
            place = course / "submitted" / student / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True)
            nbformat.write(notebook, place)


def expect(maker: Maker, folder: Path, db: Path) -> dict[str, Any]:
    """What the code of then makes of copies."""
    from grader.learning.records import digest  # of version 1

    expected: dict[str, Any] = {"made at": MADE_AT}
    expected["digests"] = {item.id: digest(item) for item in bank_files.read(bank_files.files([BANK])).items}
    copy = aged(Path(shutil.copy(db, folder / "copy.sqlite")))
    for learner in ("me", "ada"):
        shown = json.loads(maker.grader("topics", "--json", "--db", copy, "--learner", learner))
        expected[f"topics of {learner}"] = {topic["topic"]: topic["progress"] for topic in shown["topics"]}
    expected["stats"] = json.loads(maker.grader("stats", "--json", "--db", copy))["items"]
    left = half_done(copy)
    expected["test before"] = answered(copy, sitting=left)
    document = json.loads(maker.grader("test", "schedulers", "--json", "--db", copy, stdin="s\n" * 6))
    expected["test after"] = answered(copy, sitting=left)
    expected["test score"] = document["score"]
    copy = aged(Path(shutil.copy(db, folder / "copy.sqlite")))
    before = len(answered(copy, mode="review"))
    maker.grader("review", "--seed", "2", "--db", copy, stdin="s\n" * 20)
    expected["review"] = [entry[1:3] for entry in answered(copy, mode="review")[before:]]
    course = Path(shutil.copytree(DATA / "course", folder / "course"))
    for name in ("ps1", "ps2"):
        maker.grader("autograde", name, "--course", course)
    expected["scores"] = scores(course)
    return expected


@contextmanager
def maker(folder: Path) -> Iterator[Maker]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests/support/stubs'}", "PYTHONWARNINGS": "ignore",
        "NO_COLOR": "1", "COLUMNS": "80", "GRADER_BANK": str(BANK), "GRADER_DB": str(folder / "records.sqlite"),
        "GRADER_CACHE": str(folder / "cache"), "GRADER_RUNTIME": str(folder / "runtime"), "IPYTHONDIR": str(folder / "ipython"),
    }  # fmt: skip
    store = Store(folder / "cache")
    runner = RememberingRunner(store, LocalRunner)
    yield Maker(environment, runner)
    runner.close()
    store.close()


def main() -> None:
    if (DATA / "expected.json").exists():
        raise SystemExit(f"{DATA} is there already, and is never made anew")
    (DATA / "cache").mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=Path.home()) as name, maker(Path(name)) as made:
        folder = Path(name)
        db = folder / "records.sqlite"
        make_records(made, db)
        make_notebook(made, DATA / "answers.ipynb")
        with closing(sqlite3.connect(db)) as base:
            base.execute("PRAGMA journal_mode=DELETE")
        (DATA / "records.sqlite.gz").write_bytes(gzip.compress(db.read_bytes(), mtime=0))
        (DATA / "export.jsonl").write_text(made.grader("export-records", "-"))
        make_course(made, DATA / "course")
        (DATA / "expected.json").write_text(json.dumps(expect(made, folder, db), indent=1, ensure_ascii=False) + "\n")
        make_cache(made, folder)
        pack(DATA / "course/gradebook.db")
    print(sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()), "bytes")


def make_cache(maker: Maker, folder: Path) -> None:
    """A cache of its own, of a small bank."""
    from tests.support.common import EXERCISES

    (folder / "small/quizzes").mkdir(parents=True)
    (folder / "small/quizzes/t.yaml").write_text(EXERCISES)
    maker.environment |= {"GRADER_CACHE": str(folder / "small/cache"), "GRADER_BANK": str(folder / "small")}
    maker.grader("quiz", "t", "--count", "2", "--no-records", stdin="s\ns\n")
    found = folder / "small/cache/proven.sqlite"
    with closing(sqlite3.connect(found)) as base:
        base.execute("PRAGMA journal_mode=DELETE")
    (DATA / "cache/proven.sqlite.gz").write_bytes(gzip.compress(found.read_bytes(), mtime=0))


def make_table() -> None:
    """Write the table of digests into the package, once both versions are known."""
    from grader.learning import digests

    known = json.loads((DATA / "expected.json").read_text())["digests"]
    bank = bank_files.read(bank_files.files([BANK]))
    rows = [
        f"{json.dumps(item.id)}: {json.dumps([known[item.id], digests.claims(item), digests.words(item, bank.mistakes)])}"
        for item in bank.items
    ]
    digests.TABLE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def pack(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


if __name__ == "__main__":
    make_table() if sys.argv[1:] == ["table"] else main()
