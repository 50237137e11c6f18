"""The service: what it says at which moment, what it puts on record, and what it never tells before an answer."""

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
from grader.content.verify import PendingProof
from grader.faces.service.__main__ import serve
from grader.faces.service.service import ACTIONS, Service
from grader.learning.records import Records
from grader.model import Bank, Item, Proof
from grader.runner.cached import RememberingRunner


@pytest.fixture
def service(
    tmp_path: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    proven: None,
    remembering: RememberingRunner,
) -> Iterator[Service]:
    """A service with records of its own, and the tests' runner behind it."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    made = Service(str(tmp_path / "records.sqlite"), runner=remembering)
    yield made
    made.close()


def ask(service: Service, do: str, **what: Any) -> dict[str, Any]:
    reply = service.handle({"do": do, **what})
    assert "ok" in reply, reply
    return dict(json.loads(json.dumps(reply["ok"])))


def attempts(tmp_path: Path) -> list[Any]:
    with Records(str(tmp_path / "records.sqlite")) as store:
        return list(store.attempts())


def samples(item: Item, runner: RememberingRunner) -> tuple[dict[str, str], Proof]:
    proof = PendingProof.begin(item, item.variants[0], runner).proof()
    return kinds.of(item).samples(item, proof), proof


def test_an_answer_is_judged_explained_and_on_record(service: Service, tmp_path: Path) -> None:
    sheet = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    shown = ask(service, "show", sheet=sheet, place=0)
    assert shown["told"] is None
    assert shown["inputs"][0]["type"] == "choose"
    told = ask(service, "answer", sheet=sheet, place=0, raw="B")["told"]
    assert (told["outcome"], told["final"]) == ("incorrect", True)
    assert told["explanation"]["solution"]
    (kept,) = attempts(tmp_path)
    assert (kept.item, kept.response, kept.outcome, kept.mode) == ("third-epoch-rate", "B", "incorrect", "practice")
    again = service.handle({"do": "answer", "sheet": sheet, "place": 0, "raw": "A"})
    assert "answered" in again["error"]["message"]
    assert len(attempts(tmp_path)) == 1


def test_what_cannot_be_read_is_no_attempt(service: Service, tmp_path: Path) -> None:
    sheet = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    told = ask(service, "answer", sheet=sheet, place=0, raw="seven or so")["told"]
    assert (told["outcome"], told["final"]) == ("unreadable", False)
    ask(service, "answer", sheet=sheet, place=0, raw="A")
    assert [entry.response for entry in attempts(tmp_path)] == ["A"]


def test_an_earlier_answer_is_shown_and_recalled_without_a_record(service: Service, tmp_path: Path) -> None:
    first = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    ask(service, "answer", sheet=first, place=0, raw="C")
    second = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    shown = ask(service, "show", sheet=second, place=0)
    assert (shown["earlier"]["outcome"], shown["earlier"]["response"], shown["told"]) == ("incorrect", "C", None)
    assert ask(service, "recall", sheet=second, place=0)["told"]["mistake"]
    assert len(attempts(tmp_path)) == 1
    fresh = ask(service, "again", sheet=second, place=0)
    assert (fresh["earlier"], fresh["told"]) == (None, None)
    assert ask(service, "answer", sheet=second, place=0, raw="A")["told"]["outcome"] == "correct"
    assert [entry.sitting == attempts(tmp_path)[0].sitting for entry in attempts(tmp_path)] == [True, False]


def test_a_task_may_be_tried_three_times_in_the_mode_try(service: Service, tmp_path: Path) -> None:
    opened = ask(service, "open", name="warmup", mode="try")
    place = next(
        place
        for place in range(len(opened["places"]))
        if ask(service, "show", sheet=opened["sheet"], place=place)["inputs"][0]["type"] == "text"
    )
    blanks = len(ask(service, "show", sheet=opened["sheet"], place=place)["inputs"])
    left = []
    for wrong in ("None", "None", "0", "0", "None", "..."):
        shown = ask(service, "answer", sheet=opened["sheet"], place=place, raw="\n".join([wrong] * blanks))
        left.append((shown["attempts_left"], shown["told"]["final"], "does not count" in shown.get("remark", "")))
    first, second, third = (2, False), (1, False), (None, True)
    assert left == [
        (*first, False),
        (*first, True),
        (*second, False),
        (*second, True),
        (*second, True),
        (*third, False),
    ]
    assert [entry.tries for entry in attempts(tmp_path)] == [0, 1, 2]


def test_a_test_says_nothing_before_its_end(service: Service, bank: Bank, remembering: RememberingRunner) -> None:
    opened = ask(service, "open", name="warmup", mode="test", seed=5, in_order=True)
    items = {item.id: item for item in bank.items}
    for place, entry in enumerate(opened["places"]):
        shown = ask(service, "show", sheet=opened["sheet"], place=place)
        assert shown["hints_left"] == 0
        assert "error" in service.handle({"do": "hint", "sheet": opened["sheet"], "place": place})
        wrong, _ = samples(items[entry["item"]], remembering)
        said = ask(service, "answer", sheet=opened["sheet"], place=place, raw=wrong["wrong"])
        if place < 9:
            assert set(said["told"]) == {"outcome", "word", "response", "picked", "final"}
            assert said["end"] is None
            assert ask(service, "say", sheet=opened["sheet"], place=place)["text"] == "Noted."
    assert said["end"]["verdict"]["word"] == "not yet"
    assert ask(service, "show", sheet=opened["sheet"], place=0)["told"]["explanation"]


def test_a_test_goes_on_where_it_was_left(service: Service) -> None:
    first = ask(service, "open", name="warmup", mode="test", seed=5, in_order=True)
    ask(service, "solution", sheet=first["sheet"], place=0)
    second = ask(service, "open", name="warmup", mode="test")
    assert second["sheet"] == first["sheet"]
    assert [place["answered"] for place in second["places"]] == [True, *[False] * 9]
    third = ask(service, "open", name="warmup", mode="test", fresh=True)
    assert third["sheet"] != first["sheet"]


def test_a_challenge_is_timed_from_when_a_problem_is_shown(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.learning.modes.LIMITS", dict.fromkeys(("easy", "medium", "hard"), 0))
    opened = ask(service, "open", name="warmup", mode="challenge")
    assert ask(service, "read", sheet=opened["sheet"])["questions"] == []
    ask(service, "show", sheet=opened["sheet"], place=0)
    told = ask(service, "answer", sheet=opened["sheet"], place=0, raw="A")["told"]
    assert told["outcome"] in ("incorrect", "unreadable")
    assert "was up" in told["feedback"] or told["outcome"] == "unreadable"


def test_no_document_before_an_answer_holds_the_key(
    service: Service, bank: Bank, remembering: RememberingRunner
) -> None:
    """Of an item of each kind in each topic: neither a solution step, nor a hint, nor feedback is in what is sent with the question."""
    some = {(item.topic, item.kind): item for item in bank.items}
    for item in some.values():
        _, proof = samples(item, remembering)
        sheet = ask(service, "open", name=item.id, in_order=True)["sheet"]
        shown = ask(service, "show", sheet=sheet, place=0)
        assert {name for name, value in shown.items() if value} <= {
            "sheet", "item", "of", "level", "skill", "stem", "program", "given", "inputs", "reveals", "hints_left",
            "figures", "before",
        }, item.id  # fmt: skip
        said = json.dumps(
            [shown, ask(service, "state", sheet=sheet), ask(service, "read", sheet=sheet)], ensure_ascii=False
        )
        secrets = [*proof.solution, *proof.hints, *(mistake.says for mistake in bank.mistakes.values())]
        assert [secret for secret in secrets if len(secret) > 24 and " ".join(secret.split()) in said] == [], item.id


def test_records_that_cannot_be_opened_are_told_and_asking_goes_on(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, proven: None
) -> None:
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    (tmp_path / "broken.sqlite").write_text("this is no database, but long enough to be taken for one " * 40)
    service = Service(str(tmp_path / "broken.sqlite"))
    sheet = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    shown = ask(service, "answer", sheet=sheet, place=0, raw="A")
    assert shown["told"]["outcome"] == "correct"
    assert "not recorded" in shown["notice"]
    assert "error" in service.handle({"do": "open", "name": "warmup", "mode": "test"})
    service.close()


def test_what_is_not_there_is_said_with_a_next_step(service: Service) -> None:
    for request, said in (
        ({"do": "open", "name": "warmpu"}, "warmup"),
        ({"do": "open", "name": "warmup", "mode": "exam"}, "practice"),
        ({"do": "show", "sheet": "gone", "place": 0}, "run the cell"),
        ({"do": "fly"}, "open"),
        ({"do": "open"}, "give the name of a topic"),
        ({"do": "curve", "name": "third-epoch-rate"}, "answer"),
    ):
        error = service.handle(request)["error"]
        assert said in error["message"] + error["hint"], request


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["do", "sheet", "place", "raw", "name", "mode", "count", "seed"]),
            st.one_of(st.sampled_from(list(ACTIONS)), st.none(), st.integers(-3, 9), st.text(max_size=9), st.just([])),
        )
    )
)
def test_whatever_is_asked_each_line_has_its_answer(requests: list[dict[str, Any]]) -> None:
    """Through the door of the process: as many answers as lines, none of them a traceback."""
    out = io.StringIO()
    lines = [line.encode() for line in (*map(json.dumps, requests), "no JSON", "[]", "7")]
    service = Service("/nowhere/at/all.sqlite")
    serve(service, lines, out)
    service.close()
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == len(lines)
    assert all(set(answer) in ({"ok", "id"}, {"error", "id"}) for answer in answers)


def options_of(service: Service, sheet: str) -> list[str]:
    """The options of a sheet's first question, as they are shown."""
    return list(ask(service, "show", sheet=sheet, place=0)["inputs"][0]["options"])


def test_a_sheet_mixes_and_an_earlier_answer_means_the_same_option_in_another_order(
    service: Service, tmp_path: Path
) -> None:
    written = options_of(service, ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"])
    opened = {mix: ask(service, "open", name="third-epoch-rate", mix=mix)["sheet"] for mix in (1, 2)}
    first, second = (options_of(service, opened[mix]) for mix in (1, 2))
    assert written != first != second
    picked = written[2]
    letter = "ABCD"[first.index(picked)]
    told = ask(service, "answer", sheet=opened[1], place=0, raw=letter)["told"]
    assert (told["response"], told["picked"]) == (letter, [letter])
    (kept,) = attempts(tmp_path)
    assert (kept.response, kept.choice) == (letter, "[2]")
    later = ask(service, "open", name="third-epoch-rate", mix=2)["sheet"]
    now = ["ABCD"[second.index(picked)]]
    earlier = ask(service, "show", sheet=later, place=0)["earlier"]
    assert (earlier["response"], earlier["picked"]) == (letter, now)
    recalled = ask(service, "recall", sheet=later, place=0)["told"]
    assert (recalled["outcome"], recalled["picked"]) == ("incorrect", now)
    assert recalled["mistake"] == told["mistake"]
    wrong = {one["label"] for one in recalled["explanation"]["mistakes"]}
    assert now[0] not in wrong
    assert recalled["explanation"]["answer"][0]["label"] == "ABCD"[second.index(written[0])]


def test_what_is_read_as_text_and_answered_in_a_cell_is_in_the_written_order(service: Service, tmp_path: Path) -> None:
    plain = ask(service, "open", name="third-epoch-rate", in_order=True)["sheet"]
    text, written = ask(service, "read", sheet=plain)["text"], options_of(service, plain)
    mixed = ask(service, "open", name="third-epoch-rate", mix=1)["sheet"]
    assert options_of(service, mixed) != written
    read = ask(service, "read", sheet=mixed)
    assert (read["text"], read["questions"][0]["inputs"][0]["options"]) == (text, written)
    told = ask(service, "answer", sheet=mixed, place=0, raw="C", written=True)["told"]
    assert options_of(service, mixed)["ABCD".index(told["picked"][0])] == written[2]
    assert [entry.choice for entry in attempts(tmp_path)] == ["[2]"]
    said = ask(service, "say", sheet=mixed, place=0)["text"]
    assert f"Final answer\n  A  {written[0]}" in said
    assert "Common mistakes\n  B" in said


def test_the_same_seed_mixes_in_the_same_way_and_none_by_chance(service: Service) -> None:
    def shown(**how: Any) -> list[str]:
        return options_of(service, ask(service, "open", name="third-epoch-rate", **how)["sheet"])

    assert shown(mix=5) == shown(mix=5)
    assert shown(seed=0) == shown(seed=0)
    assert len({tuple(shown()) for _ in range(12)}) > 1


@pytest.mark.parametrize("mix", [-1, 1.5, "1", True, 1 << 63])
def test_a_seed_that_is_none_is_refused(service: Service, mix: object) -> None:
    reply = service.handle({"do": "open", "name": "third-epoch-rate", "mix": mix})
    assert "options are mixed by a whole number" in reply["error"]["message"]
    reply = service.handle({"do": "open", "name": "third-epoch-rate", "mix": 1, "in_order": True})
    assert reply["error"]["hint"] == "give one of the two"


def test_practice_asks_something_new_each_time_and_goes_on_where_it_was_left(service: Service) -> None:
    first = ask(service, "open", name="warmup")
    begun = ask(service, "progress")
    assert begun["next"][0]["do"] == "learn"
    for place in range(5):
        ask(service, "solution", sheet=first["sheet"], place=place)
    second = ask(service, "open", name="warmup")
    ids = [[place["item"] for place in opened["places"]] for opened in (first, second)]
    assert not set(ids[0]) & set(ids[1])
    ask(service, "solution", sheet=second["sheet"], place=0)
    left = ask(service, "progress", topic="warmup")["next"][0]
    assert (left["do"], left["why"], left["count"]) == ("practice", "left", 4)
    assert ask(service, "open", name="warmup")["sheet"] == second["sheet"]
    assert ask(service, "open", name="warmup", fresh=True)["sheet"] != second["sheet"]
