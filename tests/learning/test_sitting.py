"""One sitting: of two answers to one question one counts and both see it, and whoever comes later goes on where it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from grader.content import bank_files
from grader.errors import InputError
from grader.faces.backend import backend
from grader.faces.service.service import Service
from grader.learning import planning
from grader.learning.recorder import now
from grader.learning.records import Records
from grader.learning.sitting import Sittings
from grader.learning.sitting_log import MemoryLog
from grader.model import Bank, Item
from grader.runner.cached import RememberingRunner, Store
from tests.support.common import PAIRS, PATHS, ROOT, Command
from tests.support.patience import COMMAND, seconds

KILLS = int(os.environ.get("GRADER_KILLS", "100"))
"""Of sittings, in the test marked `long`, for each of two databases."""

ITEMS = """\
format: 1
topic: small
title: Small
mistakes: {seven: {says: It is not seven.}}
items:
- id: pick
  kind: choice
  level: easy
  skill: picking
  modes: [practice, try, challenge, test]
  stem: Which?
  answer: 2 + int(run.losses == 1)
  hints: [Count., Count on.]
  options: [{value: "1 + 1", key: true}, {value: "7", mistake: seven, yields: "7"}]
  solution: ["{1 + 1 + int(run.losses == 1)}"]
- id: table
  kind: sequence
  level: easy
  skill: counting
  modes: [practice, try, challenge, test]
  stem: Which rates?
  program: |
    import torch
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    optimizer.step()
    optimizer.step()
  answer: run.lr_used
  cells: 2
  solution: ["{run.lr_used}"]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("bank")
    (folder / "quizzes").mkdir()
    (folder / "quizzes/small.yaml").write_text(ITEMS)
    bank = bank_files.read(bank_files.files([folder]))
    assert not bank.findings, bank.findings
    return bank


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Records]:
    with Records(str(tmp_path / "records.sqlite")) as opened:
        yield opened


def sittings_of(bank: Bank, log: Any, runner: RememberingRunner, **more: Any) -> Sittings:
    return Sittings(bank, log, backend(runner), torch="2", **more)


def begun(sittings: Sittings, bank: Bank, mode: str = "practice", learner: str = "me") -> str:
    return sittings.begin(learner, "small", mode, [(item, 0) for item in bank.items], seed=1, face="terminal")


PICK, TABLE = 0, 1


# ---------------------------------------------------------------- the rules


def test_what_happens_is_on_record_and_another_process_goes_on(
    small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    here = sittings_of(small, store, remembering)
    name = begun(here, small)
    here.ask(name, PICK)
    assert here.hint(name, PICK).hints == ("Count.",)
    here.draft(name, TABLE, "0.5")
    assert here.answer(name, TABLE, "1 2").final is False
    elsewhere = sittings_of(small, store, remembering)
    picked, table = elsewhere.show(name, PICK), elsewhere.show(name, TABLE)
    assert (picked.hints, picked.question.hints_used, picked.result) == (("Count.",), 1, None)
    assert (table.draft, table.tries, table.final) == ("", 1, False)  # the answer has taken its place
    assert table.result is not None
    assert table.result.response == "1 2"
    assert elsewhere.draft(name, TABLE, "0.5 0").draft == here.show(name, TABLE).draft == "0.5 0"
    assert elsewhere.answer(name, TABLE, "0.5 0.5", tries=1).final
    assert elsewhere.solution(name, PICK).final
    kept = store.logged(name)
    assert kept is not None
    assert [one.kind for one in kept.events] == ["asked", "hint", "draft", "asked", "draft", "finished"]
    assert [one.seq for one in kept.events] == list(range(6))
    assert [(one.place, one.tries, one.outcome) for one in kept.attempts] == [
        (TABLE, 0, "incorrect"), (TABLE, 1, "correct"), (PICK, 0, "skipped"),
    ]  # fmt: skip
    assert kept.attempts[2].hints == 1
    assert (kept.sitting.seed, kept.sitting.face, kept.sitting.ended is not None) == (1, "terminal", True)
    assert here.view(name).over


@pytest.mark.parametrize(("mode", "repeats"), [("practice", True), ("try", True), ("review", False)])
def test_the_same_wrong_answer_again_is_said_and_counts_where_it_always_did(
    mode: str, repeats: bool, small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    sittings = sittings_of(small, store, remembering)
    name = begun(sittings, small, mode)
    first = sittings.answer(name, TABLE, "1 2")
    again = sittings.answer(name, TABLE, " 1.0, 2.0 ")
    assert (first.repeated, again.repeated) == (False, repeats)
    assert again.tries == (1 if repeats else 2)
    assert sittings.show(name, TABLE).repeated == repeats
    assert len(list(store.attempts())) == again.tries
    other = sittings.answer(name, TABLE, "1 3")
    assert (other.repeated, other.tries) == (False, again.tries + 1)


def test_a_token_brings_the_same_and_a_stale_page_is_told(
    small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    sittings = sittings_of(small, store, remembering)
    name = begun(sittings, small)
    first = sittings.answer(name, TABLE, "1 2", tries=0, token="one")
    same = sittings.answer(name, TABLE, "1 2", tries=0, token="one")
    assert (first.result, first.elsewhere) == (same.result, same.elsewhere)
    assert sittings.answer(name, TABLE, "1 2", token="one").tries == 1  # without a number of tries as well
    stale = sittings.answer(name, TABLE, "0.5 0.5", tries=0, token="two")
    assert (stale.elsewhere, stale.tries, stale.result) == (True, 1, first.result)
    assert sittings.answer(name, PICK, "B", tries=0).final
    assert sittings.answer(name, PICK, "A", tries=0).elsewhere
    with pytest.raises(InputError, match="has been answered"):
        sittings.answer(name, PICK, "A")
    assert len(list(store.attempts())) == 2


def test_a_clock_runs_on_while_nobody_is_there_and_never_backwards(
    small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    from datetime import timedelta

    moment = now()
    first = sittings_of(small, store, remembering, clock=lambda: moment)
    name = begun(first, small, "challenge")
    first.ask(name, PICK)
    later = sittings_of(small, store, remembering, clock=lambda: moment + timedelta(seconds=20))
    assert later.show(name, PICK).seconds_left == 40
    before = sittings_of(small, store, remembering, clock=lambda: moment - timedelta(days=1))
    assert before.show(name, PICK).seconds_left == 60
    late = sittings_of(small, store, remembering, clock=lambda: moment + timedelta(hours=1))
    told = late.answer(name, PICK, "A")
    assert told.result is not None
    assert "was up" in told.result.score.feedback
    once_more = sittings_of(small, store, remembering).show(name, PICK)
    assert once_more.result is not None
    assert once_more.result.score == told.result.score


def test_a_question_that_is_asked_again_is_appended_to_the_plan(
    small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    sittings = sittings_of(small, store, remembering)
    name = begun(sittings, small)
    sittings.answer(name, PICK, "B")
    fresh = sittings.again(name, PICK)
    assert (fresh.place, fresh.tries, fresh.result, fresh.final) == (PICK, 0, None, False)
    assert sittings.again(name, PICK).tries == 0  # a second click asks for nothing new
    assert sittings.answer(name, PICK, "A").final
    kept = store.logged(name)
    assert kept is not None
    assert kept.sitting.plan == (("pick", 0), ("table", 0), ("pick", 0))
    assert [(one.place, one.tries, one.outcome) for one in kept.attempts] == [(0, 0, "incorrect"), (2, 0, "correct")]
    assert len(sittings.view(name).asked) == 2


def test_nobody_else_s_sitting_is_opened_and_none_that_has_changed(
    small: Bank, store: Records, remembering: RememberingRunner
) -> None:
    from dataclasses import replace

    sittings = sittings_of(small, store, remembering)
    name = begun(sittings, small, learner="ada")
    sittings.answer(name, PICK, "A")
    assert sittings.view(name, "ada").id == name
    for wrong in ((name, "grace"), ("none", "ada")):
        with pytest.raises(InputError, match="no longer open"):
            sittings.view(*wrong)
    topics = [replace(topic, items=tuple(map(_with_other_answer, topic.items))) for topic in small.topics]
    changed = sittings_of(replace(small, topics=tuple(topics)), store, remembering)
    with pytest.raises(InputError, match="have changed"):
        changed.view(name)


def _with_other_answer(item: Item) -> Item:
    from dataclasses import replace

    return replace(item, program=f"{item.program}\n# another one\n")


def test_what_is_kept_nowhere_has_the_same_rules(small: Bank, remembering: RememberingRunner) -> None:
    sittings = sittings_of(small, MemoryLog(), remembering)
    name = begun(sittings, small, "try")
    assert sittings.hint(name, PICK).hints == ("Count.",)
    assert sittings.answer(name, TABLE, "1 2", tries=0).tries_left == 2
    assert sittings.answer(name, TABLE, "1 2").repeated
    assert sittings.answer(name, TABLE, "1 2", tries=0).elsewhere
    assert sittings.again(name, PICK).place == PICK
    assert sittings.solution(name, TABLE).final


def test_a_quiz_that_was_left_is_taken_up_by_the_command(
    small: Bank, tmp_path: Path, grader: Command, remembering: RememberingRunner
) -> None:
    """Begun in another face: its answers count, its hints are there, and nothing is asked twice."""
    db, home = tmp_path / "records.sqlite", Path(small.topics[0].at.path).parents[1]
    command = ("quiz", "small", "--bank", home, "--db", db, "--json")
    with Records(str(db)) as store:
        sittings = sittings_of(small, store, remembering)
        name = begun(sittings, small)
        sittings.answer(name, PICK, "A")
        sittings.hint(name, PICK)
    document = json.loads(grader(*command, "--resume", stdin="0.5 0.5\n").stdout)
    assert [(one["item"], one["outcome"]) for one in document["results"]] == [("pick", "correct"), ("table", "correct")]
    assert (document["questions"], document["ended"]) == (2, "complete")
    again = json.loads(grader(*command, "--resume", stdin="B\n").stdout)  # that one is finished, this is another
    assert [one["outcome"] for one in again["results"]] == ["incorrect"]
    with Records(str(db), write=False) as store:
        assert [(one.place, one.tries) for one in store.attempts(sitting=name)] == [(0, 0), (1, 0)]
        assert [one.face for one in store.sittings()] == ["terminal", "pipe"]
    assert "leave out --no-records" in grader(*command, "--resume", "--no-records").stderr


# ---------------------------------------------------------------- two at once


def _document(entry: Any) -> tuple[Any, ...]:
    return entry.tries, entry.final, entry.result and (entry.result.response, entry.result.score.outcome.value)


def _pairs(url: str, bank: Bank, runner: RememberingRunner, pairs: int) -> None:
    """Two threads answer one question at once, so many times; half of them with one token for both."""
    with Records(url) as store:
        sittings = sittings_of(bank, store, runner)
        for turn in range(pairs):
            name = begun(sittings, bank)
            meet = threading.Barrier(2)
            shown: dict[str, Any] = {}

            def answer(raw: str, token: str, name: str = name, meet: threading.Barrier = meet) -> None:
                meet.wait(seconds())
                shown[raw] = sittings.answer(name, PICK, raw, tries=0, token=token)  # noqa: B023  (the threads are joined)

            tokens = ("one", "one") if turn % 2 else ("one", "two")
            threads = [threading.Thread(target=answer, args=pair) for pair in zip("AB", tokens, strict=True)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            (kept,) = store.attempts(sitting=name)
            documents = [_document(shown[raw]) for raw in "AB"]
            assert documents[0] == documents[1] == (1, True, (kept.response, kept.outcome)), turn
            assert sum(entry.elsewhere for entry in shown.values()) == (0 if turn % 2 else 1)


def test_of_two_threads_that_answer_at_once_one_is_on_record_and_both_show_it(
    url: str, small: Bank, remembering: RememberingRunner
) -> None:
    _pairs(url, small, remembering, 50 if url.startswith("sqlite") else 15)


@pytest.mark.long
def test_the_same_of_many_pairs(url: str, small: Bank, remembering: RememberingRunner) -> None:
    _pairs(url, small, remembering, PAIRS)


ONE_OF_TWO = """
import json, sys
from pathlib import Path
from grader.content import bank_files
from grader.faces.backend import backend
from grader.learning.records import Records
from grader.learning.sitting import Sittings
from grader.runner.cached import RememberingRunner, Store
url, folder, cache, raw = sys.argv[1:]
bank = bank_files.read(bank_files.files([Path(folder)]))
def none():
    raise AssertionError("nothing has to be run")
with Records(url) as store:
    sittings = Sittings(bank, store, backend(RememberingRunner(Store(Path(cache)), none)), torch="2")
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        entry = sittings.answer(name, 0, raw, tries=0, token=raw)
        print(json.dumps([entry.tries, entry.final, entry.result.response, entry.result.score.outcome.value]), flush=True)
"""


def _two_processes(url: str, bank: Bank, environment: dict[str, str], runner: RememberingRunner, pairs: int) -> None:
    folder = Path(bank.topics[0].at.path).parents[1]
    with Records(url) as store:
        sittings = sittings_of(bank, store, runner)
        for entry in sittings.view(begun(sittings, bank)).asked:
            assert entry.question.proof  # from now on it is remembered
        names = [begun(sittings, bank) for _ in range(pairs)]
        for name in names:
            sittings.ask(name, PICK)
        others = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", ONE_OF_TWO, url, str(folder), environment["GRADER_CACHE"], raw],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**environment, "PYTHONPATH": PATHS},
            )
            for raw in "AB"
        ]  # fmt: skip
        said: list[list[Any]] = []
        for other in others:
            assert other.stdin is not None
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
        for name in names:
            for other in others:
                other.stdin.write(f"{name}\n")  # type: ignore[union-attr]
                other.stdin.flush()  # type: ignore[union-attr]
            said.append([json.loads(other.stdout.readline()) for other in others])  # type: ignore[union-attr]
        for other in others:
            other.communicate(timeout=seconds(COMMAND))
        for name, (one, two) in zip(names, said, strict=True):
            (kept,) = store.attempts(sitting=name)
            assert one == two == [1, True, kept.response, kept.outcome]
        assert [other.returncode for other in others] == [0, 0]


@pytest.mark.waits
def test_of_two_processes_that_answer_at_once_one_is_on_record_and_both_show_it(
    url: str, small: Bank, environment: dict[str, str], remembering: RememberingRunner
) -> None:
    _two_processes(url, small, environment, remembering, 50 if url.startswith("sqlite") else 15)


@pytest.mark.long
@pytest.mark.waits
def test_the_same_of_many_pairs_of_processes(
    url: str, small: Bank, environment: dict[str, str], remembering: RememberingRunner
) -> None:
    _two_processes(url, small, environment, remembering, PAIRS)


def test_two_tabs_of_one_service_agree_with_the_record(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, remembering: RememberingRunner, proven: None
) -> None:  # fmt: skip
    """Two threads ask one service, as pages do: without tokens, and through its messages."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    service = Service(str(tmp_path / "records.sqlite"), runner=remembering)
    for turn in range(12):
        sheet = service.handle({"do": "open", "name": "third-epoch-rate", "seed": turn})["ok"]["sheet"]
        service.show(sheet, 0)
        meet = threading.Barrier(2)

        def answer(raw: str, sheet: str = sheet, meet: threading.Barrier = meet) -> None:
            meet.wait(seconds())
            service.handle({"do": "answer", "sheet": sheet, "place": 0, "raw": raw})

        threads = [threading.Thread(target=answer, args=(raw,)) for raw in "AB"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with Records(str(tmp_path / "records.sqlite"), write=False) as store:
            (kept,) = store.attempts(sitting=sheet)
        told = service.show(sheet, 0)["told"]
        assert (told["response"], told["outcome"], told["final"]) == (kept.response, kept.outcome, True)
    service.close()
    after = Service(str(tmp_path / "records.sqlite"), runner=remembering)  # another process, or after a restart
    assert after.show(sheet, 0)["told"] == told
    after.close()


def _answering(url: str, bank: Bank, runner: RememberingRunner, lasts: float, threads: int = 50) -> list[str]:
    """So many threads answer for a while; what went wrong."""
    wrong: list[str] = []
    until = time.monotonic() + lasts
    with Records(url) as store:
        sittings = sittings_of(bank, store, runner)
        counts = [0] * threads

        def learn(number: int) -> None:
            while time.monotonic() < until or not counts[number]:
                try:
                    name = begun(sittings, bank, learner=f"learner {number % 7}")
                    sittings.ask(name, PICK)
                    assert sittings.answer(name, PICK, "AB"[number % 2], tries=0).final
                    counts[number] += 1
                except Exception as error:  # noqa: BLE001  (all of them are told)
                    wrong.append(f"{type(error).__name__}: {error}")
                    return

        crowd = [threading.Thread(target=learn, args=(number,)) for number in range(threads)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert len(list(store.attempts())) == sum(counts)
    return wrong


def test_fifty_threads_answer_without_an_error(url: str, small: Bank, remembering: RememberingRunner) -> None:
    assert not _answering(url, small, remembering, 2)


@pytest.mark.long
def test_fifty_threads_answer_for_long_without_an_error(url: str, small: Bank, remembering: RememberingRunner) -> None:
    assert not _answering(url, small, remembering, 20)


# ---------------------------------------------------------------- what it costs


def test_a_topic_s_progress_takes_three_queries(bank: Bank, store: Records, remembering: RememberingRunner) -> None:
    sittings = sittings_of(bank, store, remembering)
    drawn = [(item, 0) for item in bank.items if item.topic == "warmup" and item.kind == "choice"][:5]
    name = sittings.begin("me", "warmup", "challenge", drawn)
    for place in range(len(drawn)):
        sittings.solution(name, place)
    asked: list[tuple[str, Any]] = []
    event.listen(store._engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    progress = planning.progress(bank, "warmup", "me", store, now())
    queries = [given for given in asked if given[0].lstrip().startswith("SELECT")]
    assert (progress.answered, progress.badge) == (5, False)
    assert len(queries) <= 3, queries
    with store._engine.connect() as connection:
        for query, given in queries:  # look-ups by an index each, however many attempts there are
            plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", given)]
            assert not [step for step in plan if re.match(r"SCAN (attempts|sittings|events)", step)], plan
            assert not [step for step in plan if "B-TREE" in step], plan


def test_a_shared_cache_is_enough_for_a_second_process(
    small: Bank, store: Records, environment: dict[str, str], remembering: RememberingRunner
) -> None:
    """What was judged here is judged there without running anything again."""
    here = sittings_of(small, store, remembering)
    name = begun(here, small)
    here.answer(name, PICK, "B")

    def none() -> Any:
        raise AssertionError("nothing has to be run")

    memory = Store(Path(environment["GRADER_CACHE"]))
    there = sittings_of(small, store, RememberingRunner(memory, none))
    assert _document(there.show(name, PICK)) == _document(here.show(name, PICK))
    memory.close()


# ---------------------------------------------------------------- killed, and going on


def _killed(url: str, bank: Bank, environment: dict[str, str], runner: RememberingRunner, kills: int) -> None:
    folder = Path(bank.topics[0].at.path).parents[1]
    for entry in sittings_of(bank, MemoryLog(), runner)._items.values():
        assert backend(runner).begin(entry, entry.variants[0]).proof()  # from now on it is remembered
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.killed_sittings"]
    done = subprocess.run(
        [*command, url, str(folder), environment["GRADER_CACHE"], str(kills)], env={**environment, "PYTHONPATH": PATHS},
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=seconds(COMMAND),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["killed"] >= kills
    assert said["attempts"] > kills / 5
    wrong = {name: said[name] for name in ("failed", "lost", "doubled", "asked_twice", "broken_chains", "unfinished")}
    assert not any(wrong.values()), (said, done.stderr)


@pytest.mark.waits
def test_killed_sittings_go_on_in_another_process_and_face(
    url: str, small: Bank, environment: dict[str, str], remembering: RememberingRunner
) -> None:
    _killed(url, small, environment, remembering, 20)


@pytest.mark.long
@pytest.mark.waits
def test_the_same_of_many_kills(
    url: str, small: Bank, environment: dict[str, str], remembering: RememberingRunner
) -> None:
    _killed(url, small, environment, remembering, KILLS)
