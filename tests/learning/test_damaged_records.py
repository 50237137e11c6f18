"""Damaged records, full disks and odd files: one clear line, exit code 2, and nothing lost or half written."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.content import bank_files
from grader.errors import InputError
from grader.exchange import records_jsonl
from grader.faces.service.__main__ import serve
from grader.faces.service.service import Service
from grader.learning import planning
from grader.learning.recorder import Recorder, now
from grader.learning.records import Records, new_id
from grader.model import Attempt, Bank, Outcome, Result, Score, Sitting
from grader.template import CONTROL
from tests.support.common import PATHS, ROOT, Command

ITEM = """\
- id: item-{number}
  kind: choice
  level: easy
  skill: skill-{number}
  stem: Which?
  answer: 1 + {number} + int(run.losses == 1)
  options: [{{value: "1 + {number}", key: true}}, {{value: "7", mistake: seven, yields: "7"}}]
  solution: ["{{1 + {number} + int(run.losses == 1)}}"]
"""
SMALL = "format: 1\ntopic: small\ntitle: Small\nmistakes: {seven: {says: It is not seven.}}\nitems:\n" + "".join(
    ITEM.format(number=number) for number in range(5)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with a small topic."""
    folder = tmp_path_factory.mktemp("bank")
    (folder / "quizzes").mkdir()
    (folder / "quizzes" / "small.yaml").write_text(SMALL)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Records of a practice, a challenge and a test that was left, in one file."""
    bank = bank_files.read(bank_files.files([folder]))
    assert not bank.findings
    path = tmp_path_factory.mktemp("whole") / "records.sqlite"
    with Records(str(path)) as store:
        for mode in ("practice", "challenge"):
            _answer(store, bank, Sitting(new_id(), "me", "small", mode, now()), [(item.id, 0) for item in bank.items])
        left = planning.plan_test(bank, "small", "me", store, 3, now())
        store.begin(left)
        _answer(store, bank, left, list(left.plan)[:2])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


def _answer(store: Records, bank: Bank, sitting: Sitting, asked: list[tuple[str, int]]) -> None:
    items = {item.id: item for item in bank.items}
    writes = Recorder(store, sitting, bank, "2.13.0")
    if sitting.plan:
        writes.begun()
    for place, (name, variant) in enumerate(asked):
        result = Result(items[name], items[name].variants[variant], "A", Score(Outcome.CORRECT, 1.0))
        assert writes(result, place, 0, 2.5)


# ---------------------------------------------------------------- damage


def _truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.choice((1, 15, 99, 100, 4095, 4096, chance.randrange(len(data))))]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 5, 200))):
        spoilt[chance.randrange(chance.choice((100, 4096, len(data))))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def _pages(data: bytes, chance: random.Random) -> bytes:
    pages = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    one, other = chance.sample(range(len(pages)), 2)
    pages[one] = chance.choice((pages[other], bytes(4096), chance.randbytes(4096)))
    return b"".join(pages)


def _text(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"hello\n", b"\x00" * 9000, b"\xff" * 9000, b"SQLite format 3\x00", chance.randbytes(9000)))


def _statements(data: bytes, chance: random.Random) -> list[str]:
    odd = chance.choice(
        ("NULL", "''", "'{'", "'[]'", "'{}'", "7", "-7", "9e99", "1 << 62", "x'ff00'", "CAST(x'ff' AS TEXT)", "'[[\"a\", \"b\"]]'",
         "'[[\"item-1\", -5]]'", "'[[\"item-1\", 99]]'", "'{\"due\": 3}'", "'" + "[" * 5000 + "'", "char(27)", "''", "'2026'")
    )  # fmt: skip
    columns = (
        "card",
        "plan",
        "started",
        "at",
        "points",
        "variant",
        "place",
        "outcome",
        "learner",
        "early",
        "seconds",
        "topic",
    )
    column = chance.choice((*columns, "card", "plan"))
    table = "sittings" if column in ("plan", "started") else "attempts"
    return [
        "PRAGMA writable_schema=ON",
        f"UPDATE sqlite_master SET sql = replace(sql, '{column} TEXT NOT NULL', '{column} TEXT')",
        f"UPDATE sqlite_master SET sql = replace(sql, '{column} BIGINT NOT NULL', '{column}')",
        f"UPDATE sqlite_master SET sql = replace(sql, '{column} INTEGER NOT NULL', '{column}')",
        "PRAGMA writable_schema=RESET",
        f"UPDATE OR IGNORE {table} SET {column} = {odd}",
    ]


def _schema(data: bytes, chance: random.Random) -> list[str]:
    return chance.choice(
        (
            ["DROP TABLE attempts"],
            ["DROP TABLE sittings"],
            ["DROP TABLE alembic_version"],
            ["DELETE FROM alembic_version"],
            ["UPDATE alembic_version SET version_num = '0000'"],
            ["UPDATE alembic_version SET version_num = x'ff'"],
            ["INSERT INTO alembic_version VALUES ('9999')", "DELETE FROM alembic_version WHERE version_num = '0004'"],
            ["DROP TABLE attempts", "CREATE TABLE attempts (number, id, learner)"],
            ["DROP TABLE attempts", "CREATE VIEW attempts AS SELECT 1 AS number"],
            ["DROP TABLE attempts", "DROP TABLE sittings", "DROP TABLE alembic_version", "CREATE TABLE notes (text)"],
            ["ALTER TABLE attempts RENAME COLUMN card TO cards"],
            ["DELETE FROM sittings"],
        )
    )


DAMAGE: tuple[Callable[[bytes, random.Random], bytes | list[str]], ...] = (
    _truncated, _flipped, _pages, _text, _statements, _statements, _statements, _schema,
)  # fmt: skip


def damaged(whole: bytes, path: Path, seed: int) -> str:
    """Write a damaged copy; what was done to it."""
    chance = random.Random(seed)
    damage = DAMAGE[seed % len(DAMAGE)](whole, chance)
    if isinstance(damage, bytes):
        path.write_bytes(damage)
        return f"{DAMAGE[seed % len(DAMAGE)].__name__} {len(damage)}"
    path.write_bytes(whole)
    connection = sqlite3.connect(path)
    for statement in damage:
        connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return damage[-1][:80]


WRITING = ("quiz", "test", "review", "import-records", "export-records")


@pytest.mark.parametrize(
    "start", [0, 40, *(pytest.param(one, marks=pytest.mark.slow) for one in range(8, 80, 8) if one != 40)]
)
def test_damaged_records_are_told_and_left_as_they_are(
    start: int, whole: bytes, folder: Path, grader: Command, tmp_path: Path
) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text("\n".join(records_jsonl.lines([Sitting(new_id(), "me", "small", "practice", now())], [])))
    told = 0
    for seed in range(start, start + 8):
        path = tmp_path / f"records{seed}.sqlite"
        how = damaged(whole, path, seed)
        before = path.read_bytes()
        writing = WRITING[seed // 8 % len(WRITING)]
        commands = {
            "topics": ("topics", "--bank", folder),
            "stats": ("stats",),
            "export": ("export-records", "-"),
            "quiz": ("quiz", "small", "--bank", folder),
            "test": ("test", "small", "--bank", folder),
            "review": ("review", "small", "--bank", folder),
            "import-records": ("import-records", export),
            "export-records": ("export-records", "--delete", tmp_path / f"out{seed}.jsonl"),
        }
        for name in ("topics", "stats", "export", writing):
            done = grader(*commands[name], "--db", path, stdin="A\n")
            what = f"seed {seed} ({how}), {name}: {done.returncode} {done.stderr}"
            assert done.returncode in (0, 2), what
            assert "internal error" not in done.stderr, what
            assert not CONTROL.search(done.stderr), what
            if done.returncode == 2:
                told += 1
                lines = [line for line in done.stderr.splitlines() if line.startswith("grader: ")]
                assert len(lines) == 1, what
                assert str(path) in lines[0], what
                assert path.read_bytes() == before, what
                assert not (tmp_path / f"out{seed}.jsonl").exists(), what
    assert told > 4


@pytest.mark.parametrize("name", ["topics", "stats", "export-records", "quiz", "test", "review", "import-records"])
def test_a_folder_in_place_of_records_is_told(name: str, folder: Path, grader: Command, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text("\n".join(records_jsonl.lines([], [])))
    arguments = {"topics": ["--bank", folder], "stats": [], "export-records": ["-"], "import-records": [export]}
    done = grader(name, *arguments.get(name, ["small", "--bank", folder]), "--db", tmp_path)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr


# ---------------------------------------------------------------- exports


def test_damaged_exports_are_told_with_their_line(whole: bytes, tmp_path: Path, grader: Command) -> None:
    path = tmp_path / "records.sqlite"
    path.write_bytes(whole)
    with Records(str(path), write=False) as store:
        lines = list(records_jsonl.lines(store.sittings(), store.attempts()))
    odd = (
        None,
        "",
        "\x1b[31m",
        "\ud800",
        10**30,
        -1,
        1e999,
        float("nan"),
        [],
        {},
        [[]],
        True,
        "{",
        "[" * 9000,
        "2026-13-01",
    )
    for seed in range(120):
        chance = random.Random(seed)
        place = chance.randrange(1, len(lines))
        spoilt = list(lines)
        if chance.random() < 0.3:
            spoilt[place] = chance.choice(
                (spoilt[place][: chance.randrange(99)] + "x", "[" * 99_999, "7", "[]", '"a"', "{}", '{"sitting": 3}')
            )
        else:
            data = json.loads(spoilt[place])
            (fields,) = data.values()
            fields[chance.choice(sorted(fields))] = chance.choice(odd)
            spoilt[place] = json.dumps(data)
        try:
            records_jsonl.read(spoilt, "export.jsonl")
        except InputError as error:
            assert error.message.startswith(f"export.jsonl:{place + 1}: "), error.message
            continue
        export, target = tmp_path / f"export{seed}.jsonl", tmp_path / f"target{seed}.sqlite"
        export.write_text("\n".join(spoilt))
        done = grader("import-records", export, "--db", target)
        assert done.returncode == 0, done.stderr


def test_an_export_with_odd_characters_comes_back_as_it_was(tmp_path: Path, whole: bytes, grader: Command) -> None:
    path, export = tmp_path / "records.sqlite", tmp_path / "export.jsonl"
    path.write_bytes(whole)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE attempts SET response = ?", ("a\x1b\x85\u2028\u202eb\r\n",))
    connection.close()
    assert grader("export-records", export, "--db", path).returncode == 0
    assert not CONTROL.search(export.read_text())
    _, attempts, _ = records_jsonl.read(export.read_text().splitlines(), "export.jsonl")
    assert {attempt.response for attempt in attempts if isinstance(attempt, Attempt)} == {"a\x1b\x85\u2028\u202eb\r\n"}
    assert grader("import-records", export, "--db", tmp_path / "other.sqlite").returncode == 0


# ---------------------------------------------------------------- the service


def test_a_line_that_is_no_utf_8_is_answered_and_the_desk_goes_on() -> None:
    requests = (
        b'\xff\xfe{"do": "open"}\n{"do": "state", "sheet": "none", "id": 7}\n'
        + b"[" * 99_999
        + b"\n[]\n"
        + b"9" * 5000
        + b"\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "grader.faces.service"],
        input=requests, capture_output=True, env=os.environ | {"PYTHONPATH": PATHS}, cwd=ROOT, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [None, 7, None, None, None]
    assert "not UTF-8" in answers[0]["error"]["message"]
    assert all(answer["error"]["hint"] for answer in answers)
    assert b"Traceback" not in done.stderr


def test_in_a_test_no_card_is_turned_over(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = "- {id: fact, kind: card, level: easy, skill: facts, stem: What?, solution: [{say: It is so., holds: run.losses != 1}], modes: [test]}\n"
    copy = tmp_path / "bank"
    shutil.copytree(folder, copy)
    (copy / "quizzes" / "small.yaml").write_text(SMALL + card)
    monkeypatch.setenv("GRADER_BANK", str(copy))
    service = Service(str(tmp_path / "records.sqlite"))
    try:
        sheet = service.handle({"do": "open", "name": "small", "mode": "test"})["ok"]
        place = next(number for number, entry in enumerate(sheet["places"]) if entry["item"] == "fact")
        answer = service.handle({"do": "turn", "sheet": sheet["sheet"], "place": place})
        assert "in a test no card is turned over" in answer["error"]["message"]
        assert service.handle({"do": "show", "sheet": sheet["sheet"], "place": place})["ok"]["back"] == []
        given_up = service.handle({"do": "solution", "sheet": sheet["sheet"], "place": place})["ok"]
        assert given_up["back"] == []
    finally:
        service.close()
    assert serve.__doc__


# ---------------------------------------------------------------- a full disk

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments", [["schema"], ["topics", "--json"], ["export-records", "-"], ["export-records", "-", "--delete"], ["quiz", "small"], ["verify", "--json"]],
    ids=" ".join,
)  # fmt: skip
def test_a_full_disk_behind_the_output_is_told(
    arguments: list[str], whole: bytes, folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    path = tmp_path / "records.sqlite"
    path.write_bytes(whole)
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grader", *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
            env=environment | {"GRADER_DB": str(path), "GRADER_BANK": str(folder)}, cwd=ROOT, check=False,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "grader: standard output: no space left on the device\n" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    with Records(str(path), write=False) as store:
        assert len(list(store.attempts())) == 12
