"""`grader place`: by a pipe as at a terminal, in a notebook's service, and what it says where it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.faces.service.service import Service
from grader.runner.cached import RememberingRunner
from tests.support.answers import Oracle
from tests.support.common import Command


def test_who_skips_all_begins_at_the_start(
    grader: Command, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proven: object
) -> None:
    monkeypatch.setitem(environment, "GRADER_DB", str(tmp_path / "records.sqlite"))
    left = grader("place", "numbers", stdin="s\nq\n").stdout
    assert "1 answered, and kept." in left
    said = grader("place", "numbers", stdin="s\n" * 10).stdout
    assert "it goes on with question 2" in said
    assert "Begin with Tensors." in said
    assert re.search(r"^  Indexing, views and memory +to be learned, since Tensors is$", said, re.MULTILINE)
    assert re.search(r"^  grader learn tensors +a lesson: Tensors$", said, re.MULTILINE)
    assert "Right." not in said
    assert "Hint" not in said
    document = json.loads(grader("place", "numbers", "--seed", "2", "--json", stdin="s\n" * 10).stdout)
    assert (document["placed"], document["begin"], document["ended"]) == (True, "tensors", "complete")
    assert {one["topic"] for one in document["topics"]} == {"tensors", "shapes", "indexing", "dtypes"}
    assert json.loads(grader("review", "--json", stdin="").stdout)["questions"] > 0
    assert not re.search("due today", grader("progress").stdout), "what only places is not due"


@pytest.mark.parametrize(("name", "hint"), [("nubers", "did you mean `numbers`?"), ("x", "there are numbers, ")])
def test_a_block_that_is_not_there_is_bad_input(name: str, hint: str, grader: Command) -> None:
    done = grader("place", name)
    assert done.returncode == 2
    assert f"there is no block `{name}`" in done.stderr
    assert hint in done.stderr


@pytest.fixture
def service(remembering: RememberingRunner, tmp_path: Path) -> Iterator[Service]:
    made = Service(str(tmp_path / "records.sqlite"), runner=remembering)
    yield made
    made.close()


def test_a_sheet_that_places_grows_by_its_answers(service: Service, oracle: Oracle, proven: object) -> None:
    sheet = service.handle({"do": "place", "block": "numbers", "seed": 5})["ok"]
    assert (len(sheet["places"]), sheet["most"], sheet["end"]) == (1, 10, None)
    name, sittings = sheet["sheet"], service.backing.sittings
    service.handle({"do": "answer", "sheet": name, "place": 0, "raw": "?!"})
    assert service.handle({"do": "say", "sheet": name, "place": 0})["ok"]["text"] != "Noted.", "it could not be read"
    for place in range(10):
        state = service.handle({"do": "state", "sheet": name})["ok"]
        if state["end"]:
            break
        assert len(state["places"]) == place + 1
        text = service.handle({"do": "read", "sheet": name, "place": place})["ok"]["text"]
        assert text.startswith(f"Question {place + 1} of at most 10")
        raw = oracle.right(sittings.show(name, place).question)
        done = service.handle({"do": "answer", "sheet": name, "place": place, "raw": raw, "written": True})["ok"]
        assert done["told"]["word"] == "Noted." or done["end"]
        assert "error" in service.handle({"do": "hint", "sheet": name, "place": place})
    assert state["end"]["placed"]["words"] == "You can go on behind all of it."
    assert state["end"]["verdict"] is None
    begun = service.handle({"do": "progress"})["ok"]["next"][0]
    assert (begun["do"], begun["topic"]) == ("learn", "autograd")
    assert "there is no block" in service.handle({"do": "place", "block": "x"})["error"]["message"]
    test = service.handle({"do": "open", "name": "numbers", "mode": "test"})["ok"]
    assert len(test["places"]) == 15
