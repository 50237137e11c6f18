"""Submissions on a cluster: what is an outcome of one of them, and what ends the whole command. The cluster is a table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader.errors import GraderError, InputError
from grader.nbgrader.batch.dask_workers import Remote
from grader.nbgrader.batch.jobs import GradedSubmission, GradingJob, Setup
from grader.runner.dask import Cluster, ClusterError

ROWS: dict[str, list[dict[str, Any]]] = {"grade": [{"id": "1"}]}
GRADED = GradedSubmission({"state": "graded"}, ROWS)


class Table:
    """A cluster that does with each student's submission what the table says."""

    def __init__(self, alive: bool, **students: GradedSubmission | Exception) -> None:
        self.client = SimpleNamespace(scatter=lambda setup, broadcast: setup)
        self.alive = lambda: alive
        self.sent: list[GradingJob] = []
        self._students = students

    def call(self, _: object, setup: bytes, job: GradingJob) -> GradedSubmission:
        assert isinstance(setup, bytes)
        self.sent.append(job)
        found = self._students[job.student]
        if isinstance(found, Exception):
            raise found
        return found


def remote(table: Table, config: object = None) -> Remote:
    return Remote(cast("Cluster", table), Setup("ps1", config, {}, {}))


def job(student: str, folder: Path) -> GradingJob:
    folder.mkdir(exist_ok=True)
    (folder / "ps1.ipynb").write_text("{}")
    return GradingJob(student, folder, ROWS)


def test_a_submission_that_costs_workers_has_failed_and_the_others_go_on(tmp_path: Path) -> None:
    table = Table(True, bad=ClusterError("the cluster did not do it: KilledWorker"), good=GRADED)
    at = remote(table)
    failed = at.grade(job("bad", tmp_path / "bad"))
    assert failed.report["state"] == "failed"
    assert failed.report["failure"] == "the cluster did not do it: KilledWorker"
    assert failed.rows == ROWS  # what is in the gradebook stays
    assert failed.autograded is None
    assert at.grade(job("good", tmp_path / "good")) is GRADED
    assert [one.submitted for one in table.sent] == [{"ps1.ipynb": b"{}"}] * 2  # data, and no path


def test_a_cluster_that_is_gone_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="closed"):
        remote(Table(False, one=ClusterError("closed"))).grade(job("one", tmp_path))


def test_what_no_submission_can_help_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="no sandbox"):
        remote(Table(True, one=InputError("no sandbox", "see `grader doctor`"))).grade(job("one", tmp_path))


def test_a_submission_that_cannot_be_read_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> bytes:
        raise OSError("Input/output error")

    table = Table(True, one=GRADED)
    handed_in = job("one", tmp_path)
    monkeypatch.setattr(Path, "read_bytes", broken)
    failed = remote(table).grade(handed_in)
    assert failed.report["failure"] == "it cannot be read: Input/output error"
    assert table.sent == []


def test_links_of_a_submission_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of another student")
    handed_in = job("one", tmp_path / "one")
    (tmp_path / "one/mine.txt").symlink_to(tmp_path / "secret")
    table = Table(True, one=GRADED)
    assert remote(table).grade(handed_in) is GRADED
    assert [one.submitted for one in table.sent] == [{"ps1.ipynb": b"{}"}]


def test_a_configuration_that_cannot_be_sent_is_told_before_anything_is_graded() -> None:
    with pytest.raises(InputError, match="cannot be sent to the cluster"):
        remote(Table(True), config=(number for number in ()))
