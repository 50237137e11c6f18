"""A class on the page, through HTTP: who sees whom, what links and names open, dates, clocks, corrected questions; sub-paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from grader.faces.web import classroom, safety
from grader.faces.web.app import SERVED, For
from grader.learning.recorder import now
from grader.runner.local import LocalRunner
from tests.support import html_validator
from tests.support.class_walks import ITEM, WALKS, given, joined, link_of
from tests.support.page import Served, Tab, served


@pytest.fixture(scope="module")
def room(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], runner: LocalRunner
) -> Iterator[Served]:
    """The page of a class over the shipped bank; one for all tests of it. What changes is seen at once."""
    place = tmp_path_factory.mktemp("class")
    with (
        patch.dict(os.environ, {"GRADER_CACHE": environment["GRADER_CACHE"]}),
        patch.object(classroom, "KNOWN_SECONDS", 0.0),
        served(place / "records.sqlite", runner=runner, class_name="spring", frames="https://course.example") as found,
    ):
        yield found


@pytest.mark.parametrize("name", WALKS)
def test_walk(name: str, room: Served) -> None:
    WALKS[name](room)


# ---------------------------------------------------------------- who sees whom


def test_each_learner_sees_their_own_and_the_owner_both(room: Served) -> None:
    ada, bob, owner = joined(room, "Ada Allen"), joined(room, "Bob Baker"), room.tab()
    ada.begin("/t/warmup/practice").send("check", {"a.0": "A"})
    assert "1 answer in 1 sitting" in ada.open("/data").text
    assert "0 answers in 0 sittings" in bob.open("/data").text
    assert "0 answers in 0 sittings" in owner.open("/data").text, "the owner's own"
    seen = ada.open("/").text + ada.open("/me").text + ada.open("/data").text + ada.open("/progress").text
    assert "Bob" not in seen
    assert str(room.site.records and room.site.records.name) not in seen, "where it is kept is the owner's affair"
    text = owner.open("/class").text
    assert "Ada Allen" in text
    assert "Bob Baker" in text


def test_a_name_a_link_an_id_or_a_sitting_that_is_guessed_opens_nothing(room: Served) -> None:
    ada, eve = joined(room, "Anna"), joined(room, "Anna")
    sitting = ada.begin("/t/warmup/practice").path
    ada.send("check", {"a.0": "A"})
    assert "0 answers in 0 sittings" in eve.open("/data").text, "the name alone is somebody else"
    for path in (sitting, sitting.rpartition("/")[0]):
        assert eve.open(path).status == 404
    learner, _, signature = link_of(ada).partition(".")
    mine = link_of(eve).partition(".")[2]
    for link in (f"{learner}.{mine}", f"{learner}.{'A' * len(signature)}", f"{'0' * 32}.{signature}"):
        assert eve.open(f"/back/{link}").status == 404
        assert eve.post(f"/back/{link}", {"key": ada.open("/").key}).status == 403
    forged = eve.client.post(
        sitting, data={"key": eve.open("/").key, "do": "check", "a.0": "B", "tries": "1", "token": "t"}
    )
    assert forged.status_code == 404
    assert "Anna (" in room.tab().open("/class").text, "the owner tells them apart"


def test_a_learner_s_cookie_is_not_an_owner_s(room: Served) -> None:
    tab = joined(room, "Olga")
    owner_s = [one.path for one in SERVED if one.who is For.OWNER]
    assert len(owner_s) > 8
    for path in owner_s:
        plain = re.sub(r"\{(\w+):(\w+)\}", lambda found: ITEM if found[2] == "name" else "0" * 32, path)
        assert tab.open(plain).status == 403, path
        assert tab.client.post(plain, data={"key": tab.open("/").key}).status_code in (403, 405), path


def test_the_owner_s_token_is_on_no_page_of_a_learner(room: Served) -> None:
    tab, task = joined(room, "Tom"), given(room.tab())
    tab.begin("/t/warmup/practice").send("check", {"a.0": "A"})
    paths = ["/", "/t/warmup", "/t/warmup/learn", "/review", "/progress", "/data", "/data/records.jsonl", "/data/class.json",
             "/me", f"/task/{task}", f"/q/{ITEM}", f"/embed/q/{ITEM}", "/class", "/nope", tab.path]  # fmt: skip
    assert room.site.classroom
    secrets = (room.token, room.site.classroom.about.key)
    for path in paths:
        answer = tab.client.get(path)
        assert not any(secret in answer.text + str(answer.headers) for secret in secrets), path
    assert tab.client.get("/", params={"token": room.token[:-1]}).status_code == 403


def test_what_is_kept_can_be_deleted_by_whom_it_is_about(room: Served) -> None:
    tab, task = joined(room, "Gone Gale"), given(room.tab())
    link = link_of(tab)
    tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
    tab.send("check", {"a.0": "A"})
    tab.open("/data")
    learner = link.partition(".")[0]
    assert "your name" in tab.text
    assert room.site.records
    assert list(room.site.records.attempts(learner=learner))
    tab.post("/data/delete", {"key": tab.key, "sure": "yes"})
    assert tab.path == "/join"
    assert not list(room.site.records.attempts(learner=learner))
    assert not list(room.site.records.sittings(learner=learner))
    assert "Gone Gale" not in room.tab().open("/class").text
    assert tab.open("/").status == 403
    assert tab.open(f"/back/{link}").status == 404


def test_of_another_class_in_the_same_records_nothing_is_seen(room: Served, runner: LocalRunner) -> None:
    ada = joined(room, "Ada of spring")
    assert room.site.records
    with served(room.site.records.name, runner=runner, class_name="fall") as fall:
        assert fall.token != room.token
        assert "Ada of spring" not in fall.tab().open("/class").text
        assert fall.tab(owner=False).open(f"/back/{link_of(ada)}").status == 404


# ---------------------------------------------------------------- dates and clocks


def test_what_was_due_takes_no_more_answers_until_it_is_extended(room: Served) -> None:
    owner, tab, late = room.tab(), joined(room, "Dora"), joined(room, "Dana")
    task = given(owner, due="2099-01-01T00:00")
    tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
    sitting = tab.path
    owner.open(f"/tasks/{task}").post(f"/tasks/{task}", {"key": owner.key, "do": "move", "due": "2020-01-01T00:00"})
    assert tab.send("check", {"a.0": "A"}).status == 409
    assert "was due 2020-01-01 00:00 UTC" in tab.text
    assert "takes no more answers" in tab.open(sitting).text
    assert late.open(f"/task/{task}").post(f"/task/{task}", {"key": late.key}).status == 409
    learner = link_of(tab).partition(".")[0]
    owner.open(f"/tasks/{task}")
    extended = {"key": owner.key, "do": "extend", "learner": learner, "due": "2099-02-01T00:00"}
    assert "2099-02-01 00:00 UTC" in owner.post(f"/tasks/{task}", extended).text
    assert tab.open(sitting).send("check", {"a.0": "A"}).status == 200
    assert "You marked A" in tab.text
    assert late.open(f"/task/{task}").post(f"/task/{task}", {"key": late.key}).status == 409, "for one learner"


def test_a_learner_may_have_more_time_against_the_clock(room: Served) -> None:
    owner, tab, usual = room.tab(), joined(room, "Cara"), joined(room, "Carl")
    task = given(owner, mode="challenge")

    def seconds(one: Tab) -> int:
        found = re.search(r'data-seconds="(\d+)"', one.text)
        assert found
        return int(found[1])

    for one in (tab, usual):
        one.open(f"/task/{task}").post(f"/task/{task}", {"key": one.key})
    assert seconds(tab) <= 120
    path = f"/learners/{link_of(tab).partition('.')[0]}"
    owner.open(path).post(path, {"key": owner.key, "do": "clock", "clock": "2.0"})
    tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
    assert 120 < seconds(tab) <= 240, "of what is under way"
    usual.open(f"/task/{task}").post(f"/task/{task}", {"key": usual.key})
    assert seconds(usual) <= 120
    second = given(owner, mode="challenge")
    tab.open(f"/task/{second}").post(f"/task/{second}", {"key": tab.key})
    assert 120 < seconds(tab) <= 240, "of what begins later"
    assert "2 times the usual time" in tab.open("/data").text


# ---------------------------------------------------------------- a question is corrected

BANK = """\
format: 1
topic: t
title: T
items:
- id: sum
  kind: number
  level: easy
  skill: adding
  stem: What is `x`?
  program: |
    x = 2 + 2
  answer: x
  tolerance: {tolerance}
  solution: ["It is {{x}}."]
"""


def test_answers_to_a_question_that_was_corrected_are_judged_again(
    tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered stays on record, and what it is worth is what the question says now."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    monkeypatch.setattr(classroom, "KNOWN_SECONDS", 0.0)
    (tmp_path / "quizzes").mkdir()
    file = tmp_path / "quizzes/t.yaml"
    file.write_text(BANK.format(tolerance=0.01))
    with served(tmp_path / "records.sqlite", bank=tmp_path, runner=runner, class_name="c") as found:
        tab, owner = joined(found, "Ada"), found.tab()
        task = given(owner, items="sum")
        tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
        tab.send("check", {"a.0": "4.4"})
        assert "Not right" in tab.text
        assert "It has changed" not in owner.open("/class/sum").text
        file.write_text(BANK.format(tolerance=0.5))
        found.site.backing.reread()
        assert "It has changed since 1 answer was given" in owner.open("/class/sum").text
        owner.post("/class/sum", {"key": owner.key})
        assert "It has changed" not in owner.text
        assert "100% right first time" in owner.text
        assert ",1.0,1,correct," in owner.open("/class/answers.csv").text
        assert found.site.records
        (kept,) = found.site.records.attempts(item="sum")
        assert (kept.outcome, kept.points) == ("incorrect", 0.0)
        row = re.search(r">Ada</a></th>(.*?)</tr>", owner.open(f"/tasks/{task}").text)
        assert row
        assert re.findall(r"<td>(.*?)</td>", row[1])[:3] == ["1", "1", "1"]


# ---------------------------------------------------------------- in frames, behind a proxy


def test_who_may_show_a_question_in_a_frame_is_configured(room: Served, page: Served) -> None:
    framed = room.client().get(f"/embed/q/{ITEM}").headers
    assert "frame-ancestors https://course.example" in framed["content-security-policy"]
    assert framed["cross-origin-resource-policy"] == "cross-origin"
    assert "frame-ancestors 'none'" in room.client().get(f"/q/{ITEM}").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.client().get(f"/embed/q/{ITEM}").headers["content-security-policy"]
    module = room.client().get("/embed/question.js", headers={"origin": "https://course.example"})  # as browsers ask
    assert module.status_code == 200
    assert module.headers["access-control-allow-origin"] == "*"
    assert f'"{module.url!s}"' in module.text, "wherever it is copied to"


def test_a_learner_s_answer_in_a_frame_of_the_same_site_is_on_record(room: Served) -> None:
    tab = joined(room, "Fay").open(f"/embed/q/{ITEM}?v=0").send("check", {"a.0": "B"})
    assert "You marked B" in tab.text
    assert "1 answer in 1 sitting" in tab.open("/data").text


def test_code_of_guests_is_run_where_that_is_allowed_and_waits_by_address(
    tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    code = "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)"
    submitted: set[str | None] = set()
    submit = LocalRunner.submit

    def noted(self: LocalRunner, program: object, by: str | None = None) -> object:
        submitted.add(by)
        return submit(self, program, by)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalRunner, "submit", noted)
    with served(tmp_path / "records.sqlite", runner=runner, public_code=True, proxied=True) as found:
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"):
            tab = Tab(found.client(headers={"x-forwarded-for": f"203.0.113.9, {address}"}))
            tab.open("/embed/q/write-the-factor?v=0").send("check", {"a.0": code})
            assert "Right" in tab.text
        assert found.site.records
        assert not list(found.site.records.attempts())
    assert len(submitted - {None}) == 3, "an address, or a network of IPv6, has one line"
    assert not any(str(name).startswith(("192", "2001")) for name in submitted)


def test_under_a_path_of_a_proxy_with_tls(
    tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address on every page begins with the path, and forms are taken from the proxy's origin alone."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    said = {"host": "class.example:8443", "x-forwarded-proto": "https", "origin": "https://class.example:8443"}
    with served(
        tmp_path / "r.sqlite",
        runner=runner,
        class_name="c",
        root="/grader",
        proxied=True,
        names=frozenset({"class.example"}),
    ) as found:
        client = httpx.Client(base_url=found.url, headers=said, timeout=None)
        found.clients.append(client)

        def follow(answer: httpx.Response) -> httpx.Response:
            while answer.is_redirect:
                assert answer.headers["location"].startswith("/grader/")
                for one in answer.headers.get_list("set-cookie"):
                    assert "Path=/grader;" in one
                    assert "Secure" in one
                    client.cookies.set(*one.partition(";")[0].split("=", 1), path="/")  # ours is not TLS
                answer = client.get(answer.headers["location"])
            assert answer.status_code == 200, answer.text
            own = re.findall(r'\b(?:href|action|src)="(/[^"]*)"', answer.text)
            assert own
            assert all(one.startswith("/grader/") for one in own)
            return answer

        owner = follow(client.get(f"/grader/?token={found.token}"))
        assert follow(client.get("/")).text == owner.text, "a proxy may take the path off"
        key = re.search(r'name="key" value="([^"]+)"', owner.text)
        assert key
        asked = follow(client.post("/grader/t/warmup/practice", data={"key": key[1]}))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.text))
        told = client.post(str(asked.url.path), data={**form, "do": "check", "a.0": "A"})
        assert "You marked A" in follow(told).text
        assert "https://class.example:8443/grader/join?code=" in follow(client.get("/grader/class")).text
        for origin in ("http://class.example:8443", "https://elsewhere.example"):
            refused = client.post("/grader/look", data={"key": key[1]}, headers={"origin": origin})
            assert refused.status_code == 403


def test_the_html_of_the_pages_of_a_class_is_valid(room: Served, tmp_path: Path) -> None:
    assert len(room.seen) > 15, "that is too few pages"
    assert html_validator.complaints(room.seen.values(), tmp_path) == []


def test_a_link_says_in_a_chat_what_it_is(page: Served) -> None:
    text = page.tab(owner=False).open(f"/q/{ITEM}").text
    assert '<meta property="og:title" content="Question: ' in text
    assert re.search(r'<meta property="og:description" content="[^"<]{20,}">', text)


def test_dates_are_of_learners_and_links_of_keys() -> None:
    first, second = safety.Keys.of_class("a" * 40, "c"), safety.Keys.of_class("b" * 40, "c")
    assert first.learner_of(first.link("x")) == "x"
    assert second.learner_of(first.link("x")) is None
    assert first.token != second.token
    assert first.cookie == second.cookie
    assert classroom.in_utc(now() + timedelta(days=1)).endswith("UTC")
