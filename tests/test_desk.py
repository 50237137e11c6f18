"""The desk: what it says at which moment, what it puts on record, and what it never tells before an answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import kinds
from grader.desk import ACTIONS, Desk
from grader.desk.__main__ import serve
from grader.model import Bank, Item, Proof
from grader.records import Records
from grader.run.local import LocalRunner
from grader.run.remembered import RememberingRunner
from grader.verify import Proving


@pytest.fixture
def desk(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, runner: LocalRunner, proven: None
) -> Iterator[Desk]:
    """A desk with records of its own, and the tests' runner behind it."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    made = Desk(str(tmp_path / "records.sqlite"))
    monkeypatch.setattr(made, "_start", lambda: runner)
    monkeypatch.setattr(made._runner, "close", lambda: None)
    yield made
    made.close()


def ask(desk: Desk, do: str, **what: Any) -> dict[str, Any]:
    reply = desk.handle({"do": do, **what})
    assert "ok" in reply, reply
    return dict(json.loads(json.dumps(reply["ok"])))


def attempts(tmp_path: Path) -> list[Any]:
    with Records(str(tmp_path / "records.sqlite")) as store:
        return list(store.attempts())


def samples(item: Item, runner: RememberingRunner) -> tuple[dict[str, str], Proof]:
    proof = Proving.begin(item, item.variants[0], runner).proof()
    return kinds.get(item.kind).samples(item, proof), proof


def test_an_answer_is_judged_explained_and_on_record(desk: Desk, tmp_path: Path) -> None:
    sheet = ask(desk, "open", name="third-epoch-rate")["sheet"]
    shown = ask(desk, "show", sheet=sheet, place=0)
    assert shown["told"] is None
    assert shown["interaction"]["type"] == "pick"
    told = ask(desk, "answer", sheet=sheet, place=0, raw="B")["told"]
    assert (told["outcome"], told["final"]) == ("incorrect", True)
    assert told["explanation"]["solution"]
    (kept,) = attempts(tmp_path)
    assert (kept.item, kept.response, kept.outcome, kept.mode) == ("third-epoch-rate", "B", "incorrect", "practice")
    again = desk.handle({"do": "answer", "sheet": sheet, "place": 0, "raw": "A"})
    assert "answered" in again["error"]["message"]
    assert len(attempts(tmp_path)) == 1


def test_what_cannot_be_read_is_no_attempt(desk: Desk, tmp_path: Path) -> None:
    sheet = ask(desk, "open", name="third-epoch-rate")["sheet"]
    told = ask(desk, "answer", sheet=sheet, place=0, raw="seven or so")["told"]
    assert (told["outcome"], told["final"]) == ("unreadable", False)
    ask(desk, "answer", sheet=sheet, place=0, raw="A")
    assert [entry.response for entry in attempts(tmp_path)] == ["A"]


def test_an_earlier_answer_is_shown_and_recalled_without_a_record(desk: Desk, tmp_path: Path) -> None:
    first = ask(desk, "open", name="third-epoch-rate")["sheet"]
    ask(desk, "answer", sheet=first, place=0, raw="C")
    second = ask(desk, "open", name="third-epoch-rate")["sheet"]
    shown = ask(desk, "show", sheet=second, place=0)
    assert (shown["earlier"]["outcome"], shown["earlier"]["response"], shown["told"]) == ("incorrect", "C", None)
    assert ask(desk, "recall", sheet=second, place=0)["told"]["mistake"]
    assert len(attempts(tmp_path)) == 1
    fresh = ask(desk, "again", sheet=second, place=0)
    assert (fresh["earlier"], fresh["told"]) == (None, None)
    assert ask(desk, "answer", sheet=second, place=0, raw="A")["told"]["outcome"] == "correct"
    assert [entry.sitting == attempts(tmp_path)[0].sitting for entry in attempts(tmp_path)] == [True, False]


def test_a_task_may_be_tried_three_times_in_the_mode_try(desk: Desk, tmp_path: Path) -> None:
    opened = ask(desk, "open", name="warmup", mode="try")
    place = next(
        place
        for place in range(len(opened["places"]))
        if ask(desk, "show", sheet=opened["sheet"], place=place)["interaction"]["type"] == "blanks"
    )
    blanks = ask(desk, "show", sheet=opened["sheet"], place=place)["interaction"]["count"]
    left = []
    for _ in range(3):
        shown = ask(desk, "answer", sheet=opened["sheet"], place=place, raw="\n".join(["None"] * blanks))
        left.append((shown["attempts_left"], shown["told"]["final"]))
    assert left == [(2, False), (1, False), (None, True)]
    assert [entry.tries for entry in attempts(tmp_path)] == [0, 1, 2]


def test_a_test_says_nothing_before_its_end(desk: Desk, bank: Bank, remembering: RememberingRunner) -> None:
    opened = ask(desk, "open", name="warmup", mode="test", seed=5)
    items = {item.id: item for item in bank.items}
    for place, entry in enumerate(opened["places"]):
        shown = ask(desk, "show", sheet=opened["sheet"], place=place)
        assert shown["hints_left"] == 0
        assert "error" in desk.handle({"do": "hint", "sheet": opened["sheet"], "place": place})
        wrong, _ = samples(items[entry["item"]], remembering)
        said = ask(desk, "answer", sheet=opened["sheet"], place=place, raw=wrong["wrong"])
        if place < 9:
            assert set(said["told"]) == {"outcome", "word", "response", "final"}
            assert said["end"] is None
            assert ask(desk, "say", sheet=opened["sheet"], place=place)["text"] == "Noted."
    assert said["end"]["verdict"]["word"] == "not yet"
    assert ask(desk, "show", sheet=opened["sheet"], place=0)["told"]["explanation"]


def test_a_test_goes_on_where_it_was_left(desk: Desk) -> None:
    first = ask(desk, "open", name="warmup", mode="test", seed=5)
    ask(desk, "solution", sheet=first["sheet"], place=0)
    second = ask(desk, "open", name="warmup", mode="test")
    assert second["sheet"] == first["sheet"]
    assert [place["answered"] for place in second["places"]] == [True, *[False] * 9]
    third = ask(desk, "open", name="warmup", mode="test", fresh=True)
    assert third["sheet"] != first["sheet"]


def test_a_challenge_is_timed_from_when_a_problem_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.modes.LIMITS", dict.fromkeys(("easy", "medium", "hard"), 0))
    opened = ask(desk, "open", name="warmup", mode="challenge")
    assert ask(desk, "read", sheet=opened["sheet"])["questions"] == []
    ask(desk, "show", sheet=opened["sheet"], place=0)
    told = ask(desk, "answer", sheet=opened["sheet"], place=0, raw="A")["told"]
    assert told["outcome"] in ("incorrect", "unreadable")
    assert "was up" in told["feedback"] or told["outcome"] == "unreadable"


def test_no_document_before_an_answer_holds_the_key(desk: Desk, bank: Bank, remembering: RememberingRunner) -> None:
    """Of every item: neither a solution step, nor a hint, nor feedback is in what is sent with the question."""
    for item in bank.items:
        _, proof = samples(item, remembering)
        sheet = ask(desk, "open", name=item.id)["sheet"]
        shown = ask(desk, "show", sheet=sheet, place=0)
        assert {name for name, value in shown.items() if value} <= {
            "sheet", "item", "of", "kind", "level", "skill", "stem", "program", "given", "interaction", "hints_left",
        }, item.id  # fmt: skip
        said = json.dumps([shown, ask(desk, "state", sheet=sheet), ask(desk, "read", sheet=sheet)], ensure_ascii=False)
        secrets = [*proof.solution, *proof.hints, *(mistake.says for mistake in bank.mistakes.values())]
        assert [secret for secret in secrets if len(secret) > 24 and " ".join(secret.split()) in said] == [], item.id


def test_records_that_cannot_be_opened_are_told_and_asking_goes_on(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, proven: None
) -> None:
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    (tmp_path / "broken.sqlite").write_text("this is no database, but long enough to be taken for one " * 40)
    desk = Desk(str(tmp_path / "broken.sqlite"))
    sheet = ask(desk, "open", name="third-epoch-rate")["sheet"]
    shown = ask(desk, "answer", sheet=sheet, place=0, raw="A")
    assert shown["told"]["outcome"] == "correct"
    assert "not recorded" in shown["notice"]
    assert "error" in desk.handle({"do": "open", "name": "warmup", "mode": "test"})
    desk.close()


def test_what_is_not_there_is_said_with_a_next_step(desk: Desk) -> None:
    for request, said in (
        ({"do": "open", "name": "warmpu"}, "warmup"),
        ({"do": "open", "name": "warmup", "mode": "exam"}, "practice"),
        ({"do": "show", "sheet": "gone", "place": 0}, "run the cell"),
        ({"do": "fly"}, "open"),
        ({"do": "open"}, "cannot be done"),
        ({"do": "curve", "name": "third-epoch-rate"}, "answer"),
    ):
        error = desk.handle(request)["error"]
        assert said in error["message"] + error["hint"], request


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["do", "sheet", "place", "raw", "name", "mode", "count", "seed"]),
            st.one_of(st.sampled_from(ACTIONS), st.none(), st.integers(-3, 9), st.text(max_size=9), st.just([])),
        )
    )
)
def test_whatever_is_asked_each_line_has_its_answer(requests: list[dict[str, Any]]) -> None:
    """Through the door of the process: as many answers as lines, none of them a traceback."""
    out = io.StringIO()
    lines = [line.encode() for line in (*map(json.dumps, requests), "no JSON", "[]", "7")]
    desk = Desk("/nowhere/at/all.sqlite")
    serve(desk, lines, out)
    desk.close()
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == len(lines)
    assert all(set(answer) in ({"ok", "id"}, {"error", "id"}) for answer in answers)
