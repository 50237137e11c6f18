"""The page without JavaScript, through HTTP: every page of the route table, every kind of question, every way of asking."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader import kinds
from grader.content.verify import PendingProof
from grader.faces.web import assets
from grader.faces.web.app import SERVED
from grader.model import Bank, Item, Prompt, Proof, Response
from grader.runner.cached import RememberingRunner
from grader.runner.local import LocalRunner
from tests.support import html_validator
from tests.support.class_walks import NOBODY
from tests.support.class_walks import WALKS as OF_CLASSES
from tests.support.common import PAIRS, ROOT
from tests.support.page import Served, Tab, filled, served

if TYPE_CHECKING:
    import httpx

    from tests.support.common import Command


def first(bank: Bank, kind: str) -> Item:
    return next(item for item in bank.items if item.kind == kind)


def asked(item: Item, runner: RememberingRunner) -> tuple[Prompt, Proof, dict[str, str]]:
    """The question as written, its proof, and a right, a wrong and an unreadable answer."""
    proof = PendingProof.begin(item, item.variants[0], runner).proof()
    kind = kinds.of(item)
    prompt = kind.prompt(item, proof.variant, proof)
    assert prompt
    return prompt, proof, kind.samples(item, proof)


def fields(item: Item, prompt: Prompt, raw: str) -> dict[str, Any]:
    response = kinds.of(item).read(prompt, raw)
    assert isinstance(response, Response)
    return filled(prompt, response)


def word(tab: Tab) -> str:
    """What the verdict says, in a few words."""
    found = re.search(r'id="word">(.*?)</h', tab.text, re.DOTALL)
    assert found, tab.text[:3000]
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip(" ✓✗◐–")  # noqa: RUF001  (the signs of the page)


# ---------------------------------------------------------------- every page of the route table


def walk_home(tab: Tab) -> None:
    assert "Warmup strategies" in tab.open("/").text


def walk_topic(tab: Tab) -> None:
    tab.open("/t/warmup")
    for mode in (
        "learn",
        "why",
        "deep",
        "trace",
        "metrics",
        "experiment",
        "practice",
        "try",
        "challenge",
        "review",
        "test",
    ):
        assert f'href="/t/warmup/{mode}"' in tab.text


def walk_lesson(tab: Tab) -> None:
    """A question stands in it, is answered there, and the answer is there again after a reload."""
    tab.open("/t/warmup/trace")
    assert '<pre class="output"' in tab.text
    assert "{eval}" not in tab.text
    item = re.search(r'name="item" value="([^"]+)"', tab.text)
    assert item
    questions = tab.text.count('<form class="answer"')
    assert '<details class="held"><summary>' in tab.text, "what a cell prints is predicted first"
    assert '<details class="held" open>' not in tab.text
    action, hidden = tab.form()
    tab.post(action, {**hidden, "a.0": "A", "do": "check"})
    assert tab.path.startswith("/t/warmup/trace?s=")
    assert 'class="option good"' in tab.text
    assert 'class="option good"' in tab.open(tab.path).text
    assert tab.text.count('<form class="answer"') == questions - 1, "the other questions can still be answered"
    assert tab.text.count('<details class="held" open>') == 1
    action, hidden = tab.form()
    tab.post(action, {**hidden, "a.0": "1", "do": "check"})
    assert tab.text.count('<form class="answer"') == questions - 2
    assert len(re.findall(r'<div class="told', tab.text)) == 2, "what was answered before is still there"
    assert f"Begun: 2 of {questions} questions answered" in tab.open("/t/warmup").text


def walk_before(tab: Tab) -> None:
    assert "10 questions" in tab.open("/t/warmup/test").text


def walk_place(tab: Tab) -> None:
    """Whoever skips all is to begin at the start; each question comes after the answer before."""
    assert "at most 10 questions" in tab.open("/place").text.casefold()
    tab.begin("/place")
    sitting = tab.path.split("/")[2]
    for number in range(1, 11):
        assert f"Question {number} of at most 10" in tab.text
        assert 'value="hint"' not in tab.text
        tab.send("solution")
        if tab.path == f"/s/{sitting}":
            break
    assert "Begin with Tensors.</h1>" in tab.text
    assert 'href="/t/tensors/learn"' in tab.text
    assert tab.open("/").status == 200  # which names it, where nothing else was left in the middle


def walk_block(tab: Tab) -> None:
    assert "15 questions" in tab.open("/b/numbers/test").text
    assert "Tensors, Shapes" in tab.text
    tab.begin("/b/numbers/test")
    assert "Question 1 of 15" in tab.text
    assert '<a href="/">Numbers</a>' in tab.text
    sitting = tab.path.split("/")[2]
    while tab.path != f"/s/{sitting}":
        tab.send("solution")
    assert "Not yet</h1>" in tab.text
    assert all(f'<th scope="row">{topic}</th>' in tab.text for topic in ("tensors", "shapes", "indexing", "dtypes"))
    assert 'action="/b/numbers/test"' in tab.text
    assert "Begin" in tab.open("/b/numbers/place").text
    assert tab.open("/b/shapes/test").status == 404


def walk_review(tab: Tab) -> None:
    tab.begin("/review")
    assert re.fullmatch(r"/s/[0-9a-f]{32}/1", tab.path)


def walk_summary(tab: Tab) -> None:
    """Before its end it leads to the question to go on with; afterwards it says how it went."""
    tab.begin("/t/warmup/practice")
    sitting = tab.path.split("/")[2]
    assert tab.open(f"/s/{sitting}").path == f"/s/{sitting}/1"
    for place in range(1, 6):
        tab.open(f"/s/{sitting}/{place}").send("solution")
        assert word(tab) == "Skipped"
    assert "0 of 5 right" in tab.open(f"/s/{sitting}").text


def walk_question(tab: Tab) -> None:
    tab.begin("/t/warmup/practice")
    assert "Question 1 of 5" in tab.text
    assert tab.open(f"{tab.path[:-1]}9").status == 404


def walk_item(tab: Tab) -> None:
    assert "not recorded" in tab.open("/q/third-epoch-rate?v=1").text
    assert tab.open("/q/third-epoch-rate?v=99").status == 404
    assert "has changed since" in tab.open("/q/third-epoch-rate?d=2:00000000000000").text


def walk_report(tab: Tab) -> None:
    tab.open("/q/third-epoch-rate")
    tab.post("/q/third-epoch-rate/report", {"key": tab.key, "v": "1", "text": "The stem is unclear.", "response": "B"})
    assert word(tab) == "Thank you: it is kept"
    assert tab.post("/q/third-epoch-rate/report", {"key": tab.key, "text": " "}).status == 400


def walk_waiting(tab: Tab) -> None:
    assert tab.open("/waiting").text == "", "nothing is being run"


def walk_progress(tab: Tab) -> None:
    assert "Progress" in tab.open("/progress").text


def walk_data(tab: Tab) -> None:
    assert "What is kept about you" in tab.open("/data").text


def walk_download(tab: Tab) -> None:
    assert json.loads(tab.open("/data/records.jsonl").text.splitlines()[0]) == {"torch-grader": "records", "format": 2}


def walk_reports(tab: Tab) -> None:
    assert json.loads(tab.open("/data/reports.json").text)[0]["text"] == "The stem is unclear."


def walk_delete(tab: Tab) -> None:
    tab.open("/data")
    assert tab.post("/data/delete", {"key": tab.key}).status == 400
    tab.open("/data")
    tab.post("/data/delete", {"key": tab.key, "sure": "yes"})
    assert "0 answers in 0 sittings, 0 remarks" in tab.text
    assert len(tab.open("/data/records.jsonl").text.splitlines()) == 1


def walk_look(tab: Tab) -> None:
    tab.open("/progress")
    tab.post("/look", {"key": tab.key, "theme": "dark", "back": "/progress"})
    assert tab.path == "/progress"
    assert 'data-theme="dark"' in tab.text
    tab.post("/look", {"key": tab.key, "keys": "off", "back": "//elsewhere.example"})
    assert tab.path == "/"
    assert 'data-theme="dark" data-keys="off"' in tab.text


def walk_author(tab: Tab) -> None:
    assert 'href="/author/third-epoch-rate"' in tab.open("/author").text


def walk_author_item(tab: Tab) -> None:
    tab.open("/author/third-epoch-rate?v=2")
    assert word(tab).startswith("Proven")
    assert 'aria-current="page">base_lr' in tab.text


WALKS: dict[str, Callable[[Tab], None]] = {
    name.removeprefix("walk_").replace("_", "-"): walk
    for name, walk in sorted(globals().items())
    if name.startswith("walk_")
}
ORDER = [*(name for name in WALKS if name not in ("reports", "delete")), "reports", "delete"]


def test_each_page_of_the_route_table_has_a_walk() -> None:
    assert set(WALKS) | set(OF_CLASSES) == {one.name for one in SERVED}


@pytest.mark.parametrize("name", ORDER)
def test_walk(name: str, page: Served) -> None:
    WALKS[name](page.tab())


# ---------------------------------------------------------------- every kind


@pytest.mark.parametrize("kind", kinds.names())
def test_each_kind_is_answered_by_a_plain_form(
    kind: str, page: Served, bank: Bank, remembering: RememberingRunner
) -> None:
    """Right, wrong, unreadable with what was typed still there, hint, solution; a reload shows the same."""
    item = first(bank, kind)
    prompt, _, samples = asked(item, remembering)
    turns = kinds.of(item).TRAITS.is_card
    tab = page.tab()

    def begin() -> None:
        tab.open(f"/q/{item.id}?v=0")
        if turns:
            tab.send("turn")
            assert "The back" in tab.text

    for sample, words in (("right", {"Right"}), ("wrong", {"Not right", "Not right yet", "Partly right"})):
        begin()
        tab.send("check", fields(item, prompt, samples[sample]))
        assert word(tab) in words or (turns and word(tab).startswith("Noted"))
        assert word(tab) in tab.open(tab.path).text
    begin()
    tab.send("check", {})
    assert "could not be read" in word(tab) or not turns
    assert '<form class="answer"' in tab.text
    if not turns:
        if item.hints:
            begin()
            tab.send("hint", fields(item, prompt, samples["wrong"]))
            assert 'id="hint"' in tab.text
            typed = next(iter(fields(item, prompt, samples["wrong"]).values()))
            assert isinstance(typed, list) or html.escape(str(typed).rstrip("\n")) in tab.text, "what was typed is lost"
        begin()
        tab.send("solution")
        assert word(tab) == "Skipped"
        assert "In steps" in tab.text


def test_every_option_has_its_reason(page: Served, bank: Bank) -> None:
    tab = page.tab().open("/q/third-epoch-rate?v=0").send("check", {"a.0": "B"})
    reasons = re.findall(r'<div class="why">(.*?)</div>', tab.text)
    assert len(reasons) == 4
    assert all(reasons)
    assert "you: 0.04 (step 3)" in tab.text, "the answer is in the drawing"
    assert "all 4 options judged by a run" in tab.text
    assert 'data-tries="0"' not in tab.text


def test_code_is_told_with_both_curves_and_what_was_run(page: Served) -> None:
    tab = page.tab().open("/q/write-the-factor?v=0")
    tab.send("check", {"a.0": "def factor(epoch):\r\n    return epoch / warmup_epochs\r\n"})
    assert word(tab) == "Not right yet"
    assert "should be</text>" in tab.text
    assert "3 of them hidden" in tab.text
    assert "return epoch / warmup_epochs</textarea>" in tab.text


# ---------------------------------------------------------------- ways of asking


@pytest.mark.parametrize("mode", ["try", "challenge"])
def test_modes_with_rules_of_their_own(mode: str, page: Served) -> None:
    tab = page.tab().begin(f"/t/schedulers/{mode}")
    assert ("3 attempts left" in tab.text) is (mode == "try")
    assert ('class="tag clock"' in tab.text) is (mode == "challenge")
    tab.send("solution")
    assert word(tab) == "Skipped"
    assert "Once more" not in tab.text or mode == "try"


def test_a_test_says_nothing_before_its_end_and_then_gives_a_verdict(page: Served) -> None:
    tab = page.tab().begin("/t/warmup/test")
    sitting = tab.path.split("/")[2]
    for place in range(1, 11):
        assert tab.path == f"/s/{sitting}/{place}"
        assert 'value="hint"' not in tab.text
        tab.send("solution")
        if place == 1:
            before = page.tab().open(f"/s/{sitting}/1")
            assert word(before) == "Noted"
            assert "In steps" not in before.text
            tab.open(f"/s/{sitting}/2")
    assert tab.path == f"/s/{sitting}"
    assert "Not yet" in tab.text
    assert "What to do now" in tab.text
    assert "In steps" in tab.open(f"/s/{sitting}/1").text


def sitting_of(page: Served, item: str, mode: str = "practice") -> str:
    """The address of a new sitting of the owner that asks this item alone."""
    found = page.site.item(item)
    return f"/s/{page.site.sittings.begin('me', found.topic, mode, [(found, 0)], mix=5)}/1"


def test_once_more_has_new_numbers_at_the_same_place(page: Served) -> None:
    tab = page.tab().open(sitting_of(page, "third-epoch-rate"))
    tab.send("solution")
    assert "new numbers" in tab.text
    program = re.search(r'<div class="panel".*?</div>', tab.text, re.DOTALL)
    tab.send("new", kind="buttons on")
    again = re.search(r'<div class="panel".*?</div>', tab.text, re.DOTALL)
    assert '<form class="answer"' in tab.text
    assert program
    assert again
    assert program[0] != again[0]


# ---------------------------------------------------------------- one answer, one truth


def post(tab: Tab, action: str, form: dict[str, Any]) -> httpx.Response:
    return tab.client.post(action, data=form)


@pytest.mark.parametrize("pairs", [12, pytest.param(PAIRS, marks=pytest.mark.long)])
def test_of_two_answers_at_once_one_counts_and_both_tabs_show_it(pairs: int, page: Served) -> None:
    """Pairs of simultaneous answers, by the same form (a double click) and by two tabs."""
    tab = page.tab()
    for pair in range(pairs):
        tab.open(sitting_of(page, "third-epoch-rate"))
        sitting = tab.path.split("/")[2]
        action, hidden = tab.form()
        sent = [
            {**hidden, "do": "check", "a.0": letter, "token": hidden["token"] if pair % 2 else f"{letter}{pair}"}
            for letter in ("A", "B")
        ]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(partial(post, tab, action), sent))
        assert [answer.status_code for answer in answers] == [200, 200]
        marked = {re.search(r"You marked (\w)", answer.text)[1] for answer in answers}  # type: ignore[index]
        assert len(marked) == 1, "two tabs show two truths"
        assert page.site.records
        assert len(list(page.site.records.attempts(sitting=sitting))) == 1


def test_a_stale_form_is_told_and_does_not_count(page: Served) -> None:
    tab, other = page.tab().open(sitting_of(page, "third-epoch-rate")), page.tab()
    other.open(tab.path).send("check", {"a.0": "A"})
    tab.send("check", {"a.0": "B"})
    assert "answered in another tab" in tab.text
    assert "You marked A" in tab.text


# ---------------------------------------------------------------- light, and known to the terminal


def test_pages_are_light_and_name_no_other_host(page: Served) -> None:
    tab = page.tab()
    for path in ("/", "/t/warmup", "/t/warmup/learn", "/q/third-epoch-rate", "/progress", "/data"):
        tab.open(path)
        assert len(gzip.compress(tab.text.encode())) < 15_000
        assert set(re.findall(r'(?:src|action)="(?:https?:)?//([^"/]*)', tab.text)) == set()
        assert " style=" not in tab.text
        assert "<script>" not in tab.text
    question = tab.open("/q/third-epoch-rate")
    parts = [page.client().build_request("GET", address) for address in (assets.CSS, assets.JS)]
    sent = [b"".join(page.client().send(part, stream=True).iter_raw()) for part in parts]
    assert len(question.text.encode()) + sum(map(len, sent)) < 30_000, "as they are sent"
    assert len(sent[1]) <= 8 * 1024


def test_reports_are_listed_for_the_author(page: Served, grader: Command) -> None:
    tab = page.tab().open("/q/warmup-purpose")
    tab.post("/q/warmup-purpose/report", {"key": tab.key, "v": "0", "text": "Two options\thold.", "response": "B"})
    assert page.site.records
    done = grader("stats", "--db", page.site.records.url)
    assert "warmup-purpose (variant 0, answered `B`): Two options hold." in done.stdout
    said = json.loads(grader("stats", "--json", "--db", page.site.records.url).stdout)
    assert said["reports"][-1]["text"] == "Two options hold."


# ---------------------------------------------------------------- an experiment


def test_an_experiment_is_a_form_and_its_address_has_the_knobs(
    tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.judging.test_experiments import EXPERIMENT, ITEM

    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/t.yaml").write_text(f"format: 1\ntopic: t\ntitle: T\nitems:\n- {ITEM}{EXPERIMENT}")
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    with served(tmp_path / "records.sqlite", bank=tmp_path, runner=runner) as found:
        tab = found.tab().open("/t/t/experiment")
        assert "Run it" in tab.text
        assert '<svg class="tg-chart"' in tab.text
        assert " style=" not in tab.text
        names = re.findall(r'<select id="k-(\w+)"', tab.text)
        last = re.findall(r'<option value="([^"]*)"', tab.text)[-1]
        before = tab.text
        tab.open(f"/t/t/experiment?{names[-1]}={last}")
        assert f'<option value="{last}" selected>' in tab.text
        assert tab.text != before
        assert tab.open("/t/t/experiment?nonsense=1").status == 200
        assert tab.open(f"/t/t/experiment?{names[0]}=nonsense").status == 400


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_items_of_a_bank_with_all_that_an_item_may_have_are_shown(
    every: bool, tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures, setups, checks, tensors, tables: each question is shown; one of each sort, or every one, is given up and explained."""
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    with served(tmp_path / "records.sqlite", bank=ROOT / "tests/banks/engine", runner=runner) as found:
        tab, explained = found.tab(), set()
        for item in found.site.bank.items:
            sort = kinds.of(item).TRAITS.runs_code, bool(item.figures), bool(item.given)
            assert tab.open(f"/q/{item.id}").status == 200, item.id
            assert '<form class="answer"' in tab.text, item.id
            assert " style=" not in tab.text, item.id
            if any(sort) and (every or sort not in explained):
                explained.add(sort)
                tab.send("solution")
                assert word(tab) == "Skipped"
                assert " style=" not in tab.text, item.id


def test_a_question_of_another_bank_says_whose_it_is(
    tmp_path: Path, environment: dict[str, str], runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    banks = [ROOT / "tests/banks/engine", ROOT / "tests/data/linear_bank/bank"]
    with served(tmp_path / "records.sqlite", bank=banks, runner=runner) as found:
        tab = found.tab().open("/q/linear:first")
        assert "From another bank: Linear models, CC0-1.0" in tab.text
        tab.send("solution")
        assert "Source: pytorch issue 12345. License: CC0-1.0." in tab.text
        assert tab.open("/t/linear:rates").status == 200
        own = next(item.id for item in found.site.bank.items if not item.origin)
        assert "another bank" not in tab.open(f"/q/{own}").text


# ---------------------------------------------------------------- HTML


@pytest.mark.slow
def test_the_html_of_every_page_and_state_is_valid(page: Served, bank: Bank, tmp_path: Path) -> None:
    """Each page that can be opened, each kind given up, and one of each sort of page that the tests above were shown."""
    tab = page.tab().begin("/t/warmup/practice")
    there = {"topic": "warmup", "block": "numbers", "whole": "test", "item": "third-epoch-rate", "reading": "learn", "asking": "test",
             "sitting": tab.path.split("/")[2], "int": "1", **NOBODY}  # fmt: skip
    for one in SERVED:
        if one.get:
            tab.open(re.sub(r"\{(\w+):(\w+)\}", lambda found: there.get(found[2]) or there[found[1]], one.path))
    for kind in kinds.names():
        tab.open(f"/q/{first(bank, kind).id}")
        if not kinds.of(first(bank, kind)).TRAITS.is_card:
            tab.send("solution")
    assert len(page.seen) > len(kinds.names()), "that is too few pages"
    assert html_validator.complaints(page.seen.values(), tmp_path) == []


@pytest.mark.long
def test_the_html_of_every_question_is_valid(page: Served, bank: Bank, tmp_path: Path) -> None:
    """Before an answer and after it."""
    tab, shown = page.tab(), []
    for item in bank.items:
        shown.append(tab.open(f"/q/{item.id}").text)
        if not kinds.of(item).TRAITS.is_card:
            shown.append(tab.send("solution").text)
    assert html_validator.complaints(shown, tmp_path) == []
