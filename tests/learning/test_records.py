"""The records: nothing that was acknowledged is lost, nothing is doubled, and every trouble is one clear message."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy

from grader.errors import InputError
from grader.exchange import records_jsonl
from grader.learning import digests, item_statistics, planning, records, spaced_repetition
from grader.learning.recorder import Recorder
from grader.learning.records import Records, RecordsError
from grader.model import Attempt, Bank, Outcome, Result, Score, Sitting
from tests.support.common import ROOT, Command
from tests.support.patience import COMMAND, seconds

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KILLS = int(os.environ.get("GRADER_KILLS", "200"))
"""Of sittings on SQLite; on PostgreSQL a tenth of them."""


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=30)
        return self.now


def sitting(mode: str = "practice", learner: str = "me") -> Sitting:
    return Sitting(records.new_id(), learner, "warmup", mode, START)


def result(bank: Bank, place: int = 0, *, right: bool = True, variant: int = 0) -> Result:
    item = [item for item in bank.items if item.topic == "warmup"][place]
    score = Score(Outcome.CORRECT, 1.0) if right else Score(Outcome.INCORRECT, 0.0, "no-cap")
    return Result(item, item.variants[variant], "a", score)


def recorder(store: Records, bank: Bank, clock: Clock | None = None, of: Sitting | None = None) -> Recorder:
    return Recorder(store, of or sitting(), bank, "2.13.0", clock or Clock())


# ---------------------------------------------------------------- what is kept


def test_an_attempt_says_all_that_was_known(url: str, bank: Bank) -> None:
    with Records(url) as store:
        writes = recorder(store, bank)
        assert writes(result(bank, 2, right=False, variant=1), 0, 0, 12.3456)
    with Records(url, write=False) as store:
        (attempt,) = store.attempts()
        (kept,) = store.sittings()
    item = result(bank, 2).item
    assert kept == writes.sitting
    assert (attempt.learner, attempt.sitting, attempt.place, attempt.tries) == ("me", kept.id, 0, 0)
    assert (attempt.item, attempt.topic, attempt.skill, attempt.level) == (item.id, "warmup", item.skill, item.level)
    assert (attempt.outcome, attempt.points, attempt.mistake) == ("incorrect", 0.0, "no-cap")
    assert json.loads(attempt.params) == dict(item.variants[1].values)
    assert (attempt.variant, attempt.response, attempt.seconds) == (1, "a", 12.346)
    assert attempt.at == START + timedelta(seconds=30)
    assert (attempt.torch, attempt.digest) == ("2.13.0", digests.claims(item))
    assert len(attempt.bank) == 16


def test_what_cannot_be_judged_is_no_attempt(url: str, bank: Bank) -> None:
    with Records(url) as store:
        writes = recorder(store, bank)
        for outcome in (Outcome.UNREADABLE, Outcome.NOT_RUN):
            with pytest.raises(ValueError, match="not put on record"):
                writes(Result(bank.items[0], bank.items[0].variants[0], "?", Score(outcome, None)), 0, 0, 1.0)
        assert not list(store.attempts())


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_a_server_cut_off_is_one_message_and_is_connected_anew(url: str, bank: Bank) -> None:
    with Records(url) as store, Records(url) as other:
        mine = sitting()
        store.begin(mine)
        assert store.logged(mine.id)
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        other.select(sqlalchemy.text(others))
        with pytest.raises(RecordsError, match="cannot be read"):
            store.logged(mine.id)
        assert store.logged(mine.id)
        assert recorder(store, bank, of=mine)(result(bank), 0, 0, 1.0)


def test_a_place_is_answered_once_and_each_try_is_kept(url: str, bank: Bank) -> None:
    with Records(url) as store:
        same = sitting()
        assert recorder(store, bank, of=same)(result(bank, right=False), 0, 0, 1.0)
        other = Recorder(store, same, bank, "2.13.0", Clock())
        other.begun()
        assert not other(result(bank), 0, 0, 1.0)
        assert other(result(bank), 0, 1, 1.0)
        assert [attempt.outcome for attempt in store.attempts(sitting=same.id)] == ["incorrect", "correct"]


def test_two_sittings_at_once_follow_one_another(url: str, bank: Bank) -> None:
    """What each writes depends on the card before it, so a lost update would show in the chain."""
    with Records(url) as store:
        threads = [
            threading.Thread(target=lambda of=of: [of(result(bank, right=place % 2 == 0), place, 0, 1.0) for place in range(20)])
            for of in [recorder(store, bank) for _ in range(4)]
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        attempts = list(store.attempts())
    assert len(attempts) == 80
    card = None
    for attempt in attempts:
        rated = spaced_repetition.GOOD if attempt.outcome == "correct" else spaced_repetition.AGAIN
        assert attempt.card == spaced_repetition.after(card, rated, attempt.at)
        card = attempt.card


@pytest.mark.long
@pytest.mark.waits
def test_sittings_that_are_killed_lose_and_double_nothing(url: str) -> None:
    kills = KILLS if url.startswith("sqlite") else KILLS // 10
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.killing", url, str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=seconds(COMMAND))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["killed"] >= kills
    assert said["acknowledged"] > kills / 10
    assert (said["failed"], said["lost"], said["doubled"], said["broken_chains"]) == (0, 0, 0, 0), done.stderr
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


# ---------------------------------------------------------------- trouble


def refused(url: str, *, write: bool = True) -> RecordsError:
    with pytest.raises(RecordsError) as told:
        Records(url, write=write)
    assert told.value.hint
    assert "\n" not in told.value.message
    return told.value


def test_a_full_disk_is_told_and_earlier_answers_are_there(tmp_path: Path, bank: Bank) -> None:
    place = tmp_path / "records.sqlite"
    with Records(str(place)) as store:
        writes = recorder(store, bank)
        assert writes(result(bank), 0, 0, 1.0)
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        def until_full() -> None:
            for turn in range(1, 500):
                writes(result(bank), turn, 0, 1.0)

        with pytest.raises(RecordsError, match="cannot be written: no space left on the device") as told:
            until_full()
        assert "make room" in told.value.hint
    with Records(str(place)) as store:
        written = [attempt.place for attempt in store.attempts()]
        assert written == list(range(len(written)))
        assert recorder(store, bank)(result(bank), 0, 0, 1.0)


def test_a_folder_that_cannot_be_written_is_told() -> None:
    told = refused("/proc/nowhere/records.sqlite")
    assert "cannot be opened" in told.message


def test_a_read_only_database_is_told(tmp_path: Path, bank: Bank) -> None:
    place = tmp_path / "records.sqlite"
    with Records(str(place)) as store:
        assert recorder(store, bank)(result(bank), 0, 0, 1.0)
    with Records(f"sqlite:///file:{place}?mode=ro&uri=true") as store:
        with pytest.raises(RecordsError, match="readonly") as told:
            recorder(store, bank)(result(bank), 0, 0, 1.0)
        assert "--db" in told.value.hint
        assert len(list(store.attempts())) == 1


def test_a_locked_database_is_told(tmp_path: Path, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BUSY_SECONDS", 0.2)
    place = tmp_path / "records.sqlite"
    with Records(str(place)) as store:
        other = sqlite3.connect(place, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordsError, match="locked") as told:
            recorder(store, bank)(result(bank), 0, 0, 1.0)
        assert "another program" in told.value.hint
        other.execute("ROLLBACK")
        other.close()
        assert recorder(store, bank)(result(bank), 0, 0, 1.0)


@pytest.mark.parametrize("spoil", [b"this is no database, it is a text\n" * 200, None])
def test_a_corrupt_database_is_told_and_left_as_it_is(spoil: bytes | None, tmp_path: Path, bank: Bank) -> None:
    place = tmp_path / "records.sqlite"
    with Records(str(place)) as store:
        writes = recorder(store, bank)
        for turn in range(20):
            writes(result(bank), turn, 0, 1.0)
    spoilt = spoil or place.read_bytes()[:2000] + os.urandom(6000)
    place.write_bytes(spoilt)
    for path in tmp_path.glob("records.sqlite-*"):
        path.unlink()
    told = refused(str(place))
    assert "move the file away" in told.hint
    assert place.read_bytes() == spoilt


def test_a_database_of_a_newer_version_is_read_and_not_written(url: str, bank: Bank) -> None:
    with Records(url) as store:
        assert recorder(store, bank)(result(bank), 0, 0, 1.0)
        with store._writer.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(sqlalchemy.text("ALTER TABLE attempts ADD COLUMN mood TEXT"))
    told = refused(url)
    assert "written by a newer torch-grader (version 9999, this one knows 0004)" in told.message
    with Records(url, write=False) as store:
        assert store.newer
        assert len(list(store.attempts())) == 1


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    assert "is not a database" in refused("nonsense://x").message
    assert "there are no records" in refused(str(tmp_path / "none.sqlite"), write=False).message
    assert not (tmp_path / "none.sqlite").exists()
    assert "is the server running" in refused("postgresql+psycopg://127.0.0.1:1/x?connect_timeout=2").hint
    with sqlite3.connect(tmp_path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    assert "no records of this version" in refused(str(tmp_path / "other.sqlite"), write=False).message


# ---------------------------------------------------------------- moving


def test_records_move_from_one_database_to_another(url: str, bank: Bank, tmp_path: Path) -> None:
    with Records(url) as store:
        for learner in ("ada", "grace"):
            writes = recorder(store, bank, of=sitting(learner=learner))
            for place in range(3):
                writes(result(bank, place, right=place > 0), place, 0, 1.5)
        text = list(records_jsonl.lines(store.sittings(), store.attempts()))
        before = list(store.attempts()), list(store.sittings())
        writes(result(bank, 3), 3, 0, 1.0)  # after the export: it stays
        store.forget([attempt.id for attempt in before[0]], [kept.id for kept in before[1]])
        assert [attempt.place for attempt in store.attempts()] == [3]
        assert [kept.learner for kept in store.sittings()] == ["grace"]
    taken = records_jsonl.read(text, "file")
    with Records(str(tmp_path / "other.sqlite")) as other:
        assert other.take_in(*taken) == 6
        assert other.take_in(*taken) == 0
        assert (list(other.attempts()), list(other.sittings())) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{}", "file:2: not enough values"),
        ("[1]", "file:2: 'list' object"),
        ('{"attempt": {"id": "x"}}', "file:2: fields are missing"),
        ('{"note": {}}', "file:2: `note` is neither"),
        ("not json", "file:2: Expecting value"),
    ],
)
def test_what_is_no_export_is_told_with_its_line(line: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        records_jsonl.read([json.dumps(records_jsonl.HEADER), line], "file")
    assert told.value.message.startswith(said)
    with pytest.raises(InputError, match="file:1"):
        records_jsonl.read([line], "file")


def test_a_field_of_another_type_is_told(bank: Bank, tmp_path: Path) -> None:
    with Records(str(tmp_path / "records.sqlite")) as store:
        recorder(store, bank)(result(bank), 0, 0, 1.5)
        header, _, line = records_jsonl.lines(store.sittings(), store.attempts())
    for old, new in (('"place": 0', '"place": "0"'), ('"early": false', '"early": 0'), ("+00:00", "")):
        assert old in line
        with pytest.raises(InputError, match="file:2"):
            records_jsonl.read([header, line.replace(old, new, 1)], "file")


def test_the_commands_move_and_delete(grader: Command, tmp_path: Path) -> None:
    here, there, file = (tmp_path / name for name in ("a.sqlite", "b.sqlite", "out.jsonl"))
    grader("quiz", "warmup", "--count", "2", "--db", here, "--learner", "ada", stdin="a\nb\n")
    assert grader("export-records", file, "--db", here).returncode == 0
    assert "there is such a file" in grader("export-records", file, "--db", here).stderr
    assert "2 attempts are new, 0 were" in grader("import-records", file, "--db", there).stdout
    assert "0 attempts are new, 2 were" in grader("import-records", file, "--db", there).stdout
    again = tmp_path / "again.jsonl"
    assert (
        "2 attempts are deleted"
        in grader("export-records", again, "--db", there, "--delete", "--learner", "ada").stderr
    )
    assert again.read_text() == file.read_text()
    missing = grader("export-records", "-", "--db", there, "--learner", "ada")
    assert missing.returncode == 2
    assert "nothing is on record of `ada`" in missing.stderr
    file.write_text("nonsense")
    broken = grader("import-records", file, "--db", there)
    assert broken.returncode == 2
    assert f"{file}:1:" in broken.stderr


def test_sittings_through_the_command(url: str, grader: Command, proven: object) -> None:
    """What is answered in one sitting is known to the next, whatever the database."""
    assert grader("quiz", "warmup", "--count", "2", "--db", url, stdin="b\nb\n").returncode == 0
    assert "1 of 10 answered, and kept" in grader("test", "warmup", "--db", url, stdin="s\n").stdout
    assert "goes on with question 2 of 10" in grader("test", "warmup", "--db", url, stdin="s\n").stdout
    assert grader("review", "warmup", "--db", url, "--ahead", stdin="s\n").returncode == 0
    shown = json.loads(grader("topics", "--db", url, "--json").stdout)["topics"]
    assert {topic["topic"]: topic["progress"]["answered"] for topic in shown}["warmup"] >= 4
    with Records(url) as store:
        assert [attempt.mode for attempt in store.attempts()] == ["practice"] * 2 + ["test"] * 2 + ["review"]
        with store._writer.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '9999'"))
    later = grader("topics", "--db", url)
    assert later.returncode == 0
    assert "a newer torch-grader wrote these records; they are only read" in later.stderr
    assert grader("quiz", "warmup", "--db", url, stdin="b\n").returncode == 2


# ---------------------------------------------------------------- statistics


def attempt(
    learner: str, item: str, points: float, *, response: str = "a", mistake: str | None = None, at: int = 0
) -> Attempt:
    return Attempt(
        id=f"{learner}{item}{at}", learner=learner, sitting=learner, place=0, tries=0, mode="practice",
        at=START + timedelta(seconds=at), topic="t", item=item, kind="choice", level="easy", skill="s", digest="d",
        variant=0, params="{}", response=response, outcome="correct", points=points, mistake=mistake, hints=0,
        seconds=10.0, unit="u", early=False, card=None, torch="2", bank="b",
    )  # fmt: skip


def test_statistics_flag_what_is_too_easy_too_hard_or_keyed_in_doubt() -> None:
    found = []
    for place in range(20):  # the skill rises with the place
        name = f"learner-{place:02}"
        found += [
            attempt(name, "fair-1", float(place >= 8)),
            attempt(
                name,
                "fair-2",
                float(place >= 12),
                response="b" if place < 12 else "a",
                mistake="slip" if place < 12 else None,
            ),
            *(attempt(name, f"fair-{more}", float(place >= 2 * more)) for more in range(3, 9)),
            attempt(name, "easy", 1.0),
            attempt(name, "hard", 0.0),
            attempt(name, "wrong-key", float(place < 10)),
            attempt(name, "fair-1", 1.0, at=99),  # a second time, which does not count
        ]
    computed = {entry.item: entry for entry in item_statistics.compute(found)}
    assert computed["fair-1"].facility == 0.6
    assert computed["fair-2"].mistakes == {"slip": 12}
    assert computed["fair-2"].responses == {"b": 12, "a": 8}
    assert computed["fair-1"].discrimination > 0.3
    assert computed["easy"].discrimination is None
    assert {name: entry.flags for name, entry in computed.items() if entry.flags} == {
        "easy": ["nobody misses it"],
        "hard": ["everybody misses it"],
        "wrong-key": ["the best miss it: look at its key"],
    }
    assert computed["fair-1"].learners == 20
    few = item_statistics.compute(found[:36])
    assert not any(entry.flags for entry in few)


def test_statistics_of_a_class_from_its_files(grader: Command, tmp_path: Path) -> None:
    files = []
    for name, answer in (("ada", "b"), ("grace", "a")):
        grader("quiz", "warmup", "--count", "1", "--db", tmp_path / name, stdin=f"{answer}\n")
        files.append(tmp_path / f"{name}.jsonl")
        grader("export-records", files[-1], "--db", tmp_path / name)
    done = grader("stats", *files, "--json")
    (item,) = json.loads(done.stdout)["items"]
    assert (item["item"], item["learners"], item["facility"]) == ("warmup-purpose", 2, 0.5)
    assert "warmup-purpose" in grader("stats", *files).stdout


# ---------------------------------------------------------------- spaced repetition


def test_a_skill_that_goes_well_is_due_later_each_time() -> None:
    card, at, gaps = None, START, []
    for _ in range(6):
        card = spaced_repetition.after(card, spaced_repetition.GOOD, at)
        gaps.append(spaced_repetition.due(card) - at)
        at = spaced_repetition.due(card)
    assert gaps[2:] == sorted(gaps[2:])
    assert gaps[-1] > timedelta(days=30)
    assert spaced_repetition.due(spaced_repetition.after(card, spaced_repetition.AGAIN, at)) - at < timedelta(hours=1)


def test_an_answer_before_it_is_due_counts_as_such(url: str, bank: Bank) -> None:
    clock = Clock()
    with Records(url) as store:
        writes = recorder(store, bank, clock)
        writes(result(bank), 0, 0, 1.0)
        writes(result(bank), 1, 0, 1.0)  # 30 s later, and it is due in ten minutes
        clock.now += timedelta(days=3)
        writes(result(bank), 2, 0, 1.0)
        assert [entry.early for entry in store.attempts()] == [False, True, False]


def test_a_review_brings_what_is_due_then_something_new_with_fresh_variants(tmp_path: Path, bank: Bank) -> None:
    clock = Clock()
    with Records(str(tmp_path / "records.sqlite")) as store:
        writes = recorder(store, bank, clock)
        item = result(bank, 2).item
        writes(result(bank, 2, right=False), 0, 0, 1.0)
        later = clock.now + timedelta(days=2)
        units = planning.units(bank, store, "me", later, "warmup")
        (overdue,) = planning.due(units, later)
        assert overdue.name == f"skill/warmup/{item.skill}"
        assert not planning.due(planning.units(bank, store, "me", clock.now, "warmup"), clock.now)
        seen = store.seen("me", [item.id])
        assert seen == {item.id: {0}}
        drawn = planning.plan_review(units, seen, later, 1, 20)
        assert drawn[0][0].skill == item.skill
        assert (item.id, 0) not in [(drawn_item.id, variant) for drawn_item, variant in drawn]
        assert len(drawn) == 1 + planning.NEW
        assert len(planning.plan_review(units, seen, clock.now, 1, 20, ahead=True)) == 1 + planning.NEW


@pytest.mark.parametrize(
    ("outcome", "tries", "hints", "rated"),
    [
        (Outcome.CORRECT, 0, 0, spaced_repetition.GOOD),
        (Outcome.CORRECT, 1, 0, spaced_repetition.HARD),
        (Outcome.CORRECT, 0, 1, spaced_repetition.HARD),
        (Outcome.PARTLY, 0, 0, spaced_repetition.HARD),
        (Outcome.INCORRECT, 0, 0, spaced_repetition.AGAIN),
        (Outcome.SKIPPED, 0, 0, spaced_repetition.AGAIN),
    ],
)
def test_answers_are_rated(outcome: Outcome, tries: int, hints: int, rated: int, bank: Bank) -> None:
    given = Result(bank.items[0], bank.items[0].variants[0], "a", Score(outcome, 0.5), None, hints)
    assert spaced_repetition.rating(given, tries) == rated
