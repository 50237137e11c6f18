"""Writing in groups: one at a time, all that wait together, and one's trouble is not another's."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.learning import record_writer
from grader.learning.record_writer import GroupWriter
from tests.support.common import Command
from tests.support.patience import seconds, until


class Transactions:
    """Counts transactions, and says whether two were open at once; the first waits until it is let go."""

    def __init__(self) -> None:
        self.count = self.open = self.most = 0
        self.go = threading.Event()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Any]:
        self.count += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            assert self.go.wait(seconds())
            yield None
        finally:
            self.open -= 1


def crowd(writer: GroupWriter, jobs: list[Any]) -> tuple[list[threading.Thread], dict[int, Any]]:
    results: dict[int, Any] = {}

    def work(number: int) -> None:
        try:
            results[number] = writer.write(jobs[number])
        except BaseException as error:  # noqa: BLE001  (that is what is looked at)
            results[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    return threads, results


def failing(_: Any) -> None:
    raise ValueError("mine alone")


def test_all_that_wait_are_written_together_and_one_s_trouble_is_its_own() -> None:
    transactions = Transactions()
    writer = GroupWriter(transactions, None)
    jobs: list[Any] = [lambda _, number=number: number for number in range(40)]
    first, results = crowd(writer, jobs[:1])
    until(lambda: transactions.open == 1, "nobody writes")
    jobs[20] = failing
    threads, others = crowd(writer, jobs[1:])
    until(lambda: len(writer._queue) == 39, "not all wait")
    transactions.go.set()
    for thread in (*first, *threads):
        thread.join()
    assert results == {0: 0}
    assert {number + 1 for number, result in others.items() if isinstance(result, ValueError)} == {20}
    assert all(others[number] == number + 1 for number in range(39) if number != 19)
    assert transactions.most == 1
    assert transactions.count == 1 + 1 + 39  # the group that failed was written one by one
    assert (writer._queue, writer._busy) == ([], False)
    more, results = crowd(writer, [jobs[3]] * 30)
    for thread in more:
        thread.join()
    assert list(results.values()) == [3] * 30


def test_who_is_interrupted_while_waiting_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = Transactions()
    writer = GroupWriter(transactions, None)
    first, _ = crowd(writer, [lambda _: 1])
    until(lambda: transactions.open == 1, "nobody writes")

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    mine = record_writer._Waiting(lambda _: 2)
    mine.turn = Interrupted()
    with monkeypatch.context() as patch:
        patch.setattr(record_writer, "_Waiting", lambda job: mine)
        with pytest.raises(KeyboardInterrupt):
            writer.write(lambda _: 2)
    threads, results = crowd(writer, [lambda _: 3])
    transactions.go.set()
    for thread in (*first, *threads):
        thread.join()
    assert results == {0: 3}
    assert writer.write(lambda _: 4) == 4


def test_other_processes_take_turns_by_a_lock_on_a_file(tmp_path: Path) -> None:
    transactions = Transactions()
    transactions.go.set()
    lock = tmp_path / "records.sqlite.lock"
    writer = GroupWriter(transactions, lock)
    with lock.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        threads, results = crowd(writer, [lambda _: 1])
        until(lambda: writer._busy, "nobody wants to write")
        assert (results, transactions.count) == ({}, 0)
    for thread in threads:
        thread.join()
    assert results == {0: 1}
    assert GroupWriter(transactions, tmp_path / "no/such/folder").write(lambda _: 2) == 2


@pytest.mark.waits
def test_who_waits_too_long_is_told_and_does_not_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_writer, "WAIT", 0.2)
    transactions = Transactions()
    transactions.go.set()
    lock = tmp_path / "records.sqlite.lock"
    writer = GroupWriter(transactions, lock)
    with lock.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        threads, results = crowd(writer, [lambda _: 1] * 20)
        for thread in threads:
            thread.join()
        assert len(results) == 20
        assert {type(result) for result in results.values()} == {record_writer.HeldTooLongError}
        assert "other processes have held records.sqlite.lock for" in str(results[0])
        assert transactions.count == 0
        with pytest.raises(record_writer.HeldTooLongError):
            writer.write(lambda _: 2)
    assert writer.write(lambda _: 3) == 3
    until(lambda: "records-lock" not in {thread.name for thread in threading.enumerate()}, "threads are left that wait")
    with lock.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody has kept it


def test_how_long_is_too_long_grows_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for text, expected in (
        ("0.1 0.2 0.3 1/90 77\n", 1.0),
        ("9.0 1 1 3/90 7\n", 4.5),
        ("1 1 1 30/90 7", 15.0),
        ("?", 1.0),
    ):
        monkeypatch.setattr(Path, "read_text", lambda *_, text=text, **__: text)
        assert record_writer._slowness() == expected


@pytest.mark.waits
def test_a_quiz_says_who_holds_the_records(grader: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_writer, "WAIT", 0.2)
    db = tmp_path / "records.sqlite"
    assert grader("quiz", "warmup", "--count", "1", "--db", db, stdin="A\n").returncode == 0
    with (tmp_path / "records.sqlite.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = grader("quiz", "warmup", "--count", "1", "--db", db, stdin="A\n")
    assert done.returncode == 2
    assert f"the records at {db} cannot be written: they are locked: other processes have held" in done.stderr
    assert "another program holds them; try again when it is done" in done.stderr
    assert grader("quiz", "warmup", "--count", "1", "--db", db, stdin="A\n").returncode == 0
