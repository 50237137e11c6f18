"""What is remembered of topics: read back as they were, proven once, and nothing else comes out of a spoilt memory."""

from __future__ import annotations

import base64
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from grader.content import bank_files, remembered_topics
from grader.content.verify import verify
from grader.model import Bank, Severity, Topic
from grader.runner.local import LocalRunner
from tests.support.common import EXERCISES


class Memory(dict[str, str]):
    put = dict.__setitem__


class Harm:
    """Does something where it is read back as an ordinary pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


def text_of(thing: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(thing))).decode()


def test_each_shipped_topic_is_read_back_as_it_was(bank: Bank) -> None:
    for topic in bank.topics:
        assert remembered_topics.load(remembered_topics.dump(topic), Topic) == topic


@pytest.mark.parametrize(
    "thing", [Harm(), Path("x"), Severity.ERROR, [1], os.getcwd], ids=["harm", "path", "severity", "list", "function"]
)
def test_what_is_no_topic_is_read_as_nothing(thing: object) -> None:
    assert remembered_topics.load(text_of(thing), Topic) is None
    assert remembered_topics.load(text_of(thing)[:-9], Topic) is None
    assert remembered_topics.load("", Topic) is None


def test_a_topic_is_proven_again_only_where_something_changed(tmp_path: Path, runner: LocalRunner) -> None:
    path, memory = tmp_path / "t.yaml", Memory()
    path.write_text(EXERCISES)

    class Refuses(LocalRunner):
        def submit(self, *_: object, **__: object) -> Any:
            raise AssertionError("something is run")

    first = verify(bank_files.read([path], memory), runner, memory=memory)
    assert (first.proven, first.findings) == (2, ())
    assert verify(bank_files.read([path], memory), Refuses(), memory=memory) == first
    path.write_text(EXERCISES.replace('fills: ["1", "1"]', 'fills: ["2", "1"]'))
    changed = verify(bank_files.read([path], memory), runner, memory=memory)
    assert (changed.proven, [finding.code for finding in changed.findings][:1]) == (1, ["reference-fails"])
    assert verify(bank_files.read([path], memory), runner, memory=memory).findings == changed.findings
