"""Tests of a topic: which questions, what the verdict means, and taking one up again at the very question."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest

from grader import kinds
from grader.content.verify import PendingProof
from grader.learning import planning, test_plan, verdict
from grader.learning.recorder import Recorder, now
from grader.learning.records import Records
from grader.model import Bank, Item, Outcome, Result, Score
from grader.runner.cached import RememberingRunner
from tests.bench import verdicts
from tests.support.common import ROOT, Command
from tests.support.patience import seconds

TOPICS = ("warmup", "schedulers")


def draw(bank: Bank, topic: str, seed: int, seen: dict[str, set[int]] | None = None) -> list[tuple[Item, int]]:
    return test_plan.draw(verdicts.items_of(bank, topic), bank.mistakes, seen or {}, seed)


# ---------------------------------------------------------------- the questions


@pytest.mark.parametrize("topic", TOPICS)
def test_ten_questions_easy_to_hard_over_many_skills(topic: str, bank: Bank) -> None:
    for seed in range(50):
        drawn = draw(bank, topic, seed)
        assert [item.level for item, _ in drawn] == ["easy"] * 3 + ["medium"] * 4 + ["hard"] * 3
        assert len({item.id for item, _ in drawn}) == 10
        assert len({item.skill for item, _ in drawn}) >= 5
    assert draw(bank, topic, 1) == draw(bank, topic, 1)
    assert draw(bank, topic, 1) != draw(bank, topic, 2)


@pytest.mark.slow
def test_tests_of_a_topic_differ_and_leave_no_main_misconception_out(bank: Bank) -> None:
    for topic in bank.topics:
        drawn = [[item for item, _ in draw(bank, topic.name, seed)] for seed in range(40)]
        assert len({item.id for test in drawn for item in test}) >= 20, topic.name
        showing: dict[str, list[Item]] = {}
        for item in verdicts.items_of(bank, topic.name):
            for name in {name for name, _ in item.body.recognized() if name}:
                showing.setdefault(name, []).append(item)
        asked = Counter(
            name for test in drawn for name in {name for item in test for name, _ in item.body.recognized()}
        )
        left_out = [
            name
            for name, items in showing.items()
            if len(items) >= test_plan.SHOWN and len({item.kind for item in items}) > 1 and not asked[name]
        ]
        assert not left_out, topic.name


@pytest.mark.parametrize("topic", TOPICS)
def test_three_tests_in_a_row_share_no_variant(topic: str, bank: Bank) -> None:
    for seed in range(20):
        seen: dict[str, set[int]] = {}
        for turn in range(3):
            drawn = draw(bank, topic, 100 * seed + turn, seen)
            for item, variant in drawn:
                assert variant not in seen.get(item.id, set())
                seen.setdefault(item.id, set()).add(variant)


def test_a_small_bank_is_asked_as_far_as_it_goes(bank: Bank) -> None:
    easy = [item for item in bank.items if item.level == "easy"][:4]
    hard = [item for item in bank.items if item.level == "hard"][:2]
    assert len(test_plan.draw([*easy, *hard], bank.mistakes, {}, 0)) == 6
    assert test_plan.draw([], bank.mistakes, {}, 0) == []
    seen = {item.id: {variant.index for variant in item.variants} for item in easy}
    assert len(test_plan.draw(easy, bank.mistakes, seen, 0)) == 4


# ---------------------------------------------------------------- the verdict


@pytest.mark.parametrize("topic", TOPICS)
def test_the_verdict_errs_as_rarely_as_the_readme_says(topic: str, bank: Bank) -> None:
    tests = 600
    below = [verdicts.of_chance(bank, topic, 0.6, seed) for seed in range(tests)]
    above = [verdicts.of_chance(bank, topic, 0.9, seed) for seed in range(tests)]
    assert below.count("strong") / tests < 0.02
    assert above.count("not yet") / tests < 0.05
    readme = (ROOT / "docs/learner/answers.md").read_text()
    assert "under 2 %" in readme
    assert "under 5 %" in readme


@pytest.mark.parametrize("topic", TOPICS)
def test_one_misunderstanding_is_named(topic: str, bank: Bank) -> None:
    for family in verdicts.families(bank, topic):
        named = fmean(verdicts.names_it(bank, topic, family, seed) for seed in range(60))
        assert named >= 0.9, family


def of(bank: Bank, points: list[float], mistakes: list[str] | None = None) -> verdict.Verdict:
    results = []
    for (item, variant), point, mistake in zip(
        draw(bank, "warmup", 0), points, [*(mistakes or []), *[None] * 10], strict=False
    ):
        outcome = Outcome.CORRECT if point == 1 else Outcome.PARTLY if point else Outcome.INCORRECT
        results.append(Result(item, item.variants[variant], "", Score(outcome, point, mistake)))
    return verdict.judge(results, bank.mistakes)


@pytest.mark.parametrize(
    ("points", "word"), [(10, "strong"), (9, "getting there"), (7, "getting there"), (6, "not yet"), (0, "not yet")]
)
def test_the_word_follows_from_the_points(points: int, word: str, bank: Bank) -> None:
    said = of(bank, [1.0] * points + [0.0] * (10 - points))
    assert (said.word, said.points, said.asked) == (word, points, 10)
    assert said.low < said.chance < said.high
    assert (said.weakest is None) == (points == 10)


def test_the_belief_is_that_of_a_beta_distribution() -> None:
    from scipy.stats import beta

    low, high, certainty = verdict.belief(7.5, 10)
    right = beta(8.5, 3.5)
    assert (low, high) == pytest.approx((right.ppf(0.05), right.ppf(0.95)))
    assert certainty == pytest.approx(right.sf(verdict.ENOUGH))


def test_the_weakest_skill_and_the_misconceptions_are_named(bank: Bank) -> None:
    said = of(bank, [0.0, 0.5, *[1.0] * 8], ["no-cap", "no-cap"])
    assert said.points == 8.5
    assert said.mistakes == (("no-cap", 2),)
    assert said.weakest in {item.skill for item, _ in draw(bank, "warmup", 0)[:2]}
    assert said.read
    with pytest.raises(ValueError, match="no answer"):
        verdict.judge([], bank.mistakes)


# ---------------------------------------------------------------- the command


def questions(shown: str) -> list[str]:
    return re.findall(r"^Question (\d+) of 10 ", shown, re.MULTILINE)


def test_a_test_ends_with_a_verdict_and_explains_what_was_wrong(
    grader: Command, tmp_path: Path, proven: object
) -> None:
    db = tmp_path / "records.sqlite"
    done = grader("test", "warmup", "--db", db, "--seed", "3", stdin="s\n" * 10)
    assert done.returncode == 0, done.stderr
    assert questions(done.stdout) == [str(number) for number in range(1, 11)]
    head, _, tail = done.stdout.partition("What was not right")
    assert "Solution" not in head
    assert "h hint" not in head
    assert tail.count("Solution") == 10
    assert "warmup: not there yet" in head
    assert "0 of 10 points. With 90 % certainty you answer between 0% and 24%" in head
    assert "Read next: lessons/" in head
    now_told = grader("test", "warmup", "--db", db, "--seed", "4", "--feedback", "now", stdin="s\n" * 10).stdout
    assert "What was not right" not in now_told
    assert now_told.count("Solution") == 10


def test_a_test_in_json_has_its_verdict_and_how_sure_it_is(grader: Command, tmp_path: Path, proven: object) -> None:
    done = grader("test", "warmup", "--db", tmp_path / "r.sqlite", "--json", stdin="s\n" * 10)
    document = json.loads(done.stdout)
    assert (document["verdict"], document["ended"], document["score"]) == ("not yet", "complete", 0.0)
    assert document["uncertainty"]["certainty"] < 0.01
    assert document["weakest_skill"] in {skill["skill"] for skill in document["skills"]}
    stopped = json.loads(grader("test", "warmup", "--db", tmp_path / "r.sqlite", "--json", stdin="s\n").stdout)
    assert (stopped["verdict"], stopped["ended"], len(stopped["results"])) == (None, "stopped", 1)


def test_a_test_goes_on_at_the_very_question(grader: Command, tmp_path: Path, proven: object) -> None:
    db = tmp_path / "records.sqlite"
    first = grader("test", "warmup", "--db", db, stdin="s\ns\ns\n").stdout
    assert "3 of 10 answered, and kept." in first
    assert f"Next\n  grader test warmup --db {db}\n      go on with your test; 7 questions left\n" in first
    fourth = first.split("Question 4 of 10")[1].split("\n> ")[0]
    second = grader("test", "warmup", "--db", db, stdin="s\n" * 7).stdout
    assert "goes on with question 4 of 10" in second
    assert questions(second.partition("What was not right")[0]) == ["4", "5", "6", "7", "8", "9", "10"]
    assert second.split("Question 4 of 10")[1].startswith(fourth)
    assert "0 of 10 points" in second
    with Records(str(db), write=False) as store:
        (sitting,) = store.sittings()
        assert Counter(attempt.place for attempt in store.attempts()) == Counter(range(10))
        assert [(entry.item, entry.variant) for entry in store.attempts()] == list(sitting.plan)
    again = grader("test", "warmup", "--db", db, stdin="s\n").stdout
    assert "A test on warmup: 10 questions" in again
    fresh = grader("test", "warmup", "--db", db, "--fresh", stdin="").stdout
    assert "A test on warmup: 10 questions" in fresh


@pytest.mark.waits
def test_a_killed_test_goes_on_at_the_very_question(
    environment: dict[str, str], tmp_path: Path, proven: object
) -> None:
    pexpect = pytest.importorskip("pexpect")
    command = ["-m", "grader", "test", "schedulers", "--db", str(tmp_path / "r.sqlite"), "--plain"]
    with subprocess.Popen(
        [sys.executable, *command], env=environment | {"PYTHONUNBUFFERED": "1"}, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as piped:  # fmt: skip
        assert piped.stdin
        assert piped.stdout
        piped.stdin.write("s\ns\n")
        piped.stdin.flush()
        assert any("Question 3 of 10" in line for line in piped.stdout)
        piped.kill()
    sitting = pexpect.spawn(
        sys.executable, command, env=environment, cwd=str(ROOT), encoding="utf-8", timeout=seconds()
    )
    sitting.expect("goes on with question 3 of 10")
    sitting.expect("Question 3 of 10")
    sitting.expect("q quit")
    sitting.sendintr()
    sitting.expect("Cleared")
    sitting.expect("q quit")
    sitting.sendintr()
    sitting.expect("2 of 10 answered, and kept")
    sitting.expect(pexpect.EOF)
    sitting.close()
    assert sitting.exitstatus == 0


def test_a_changed_item_ends_a_test_that_was_left(bank: Bank, tmp_path: Path) -> None:
    from dataclasses import replace

    with Records(str(tmp_path / "r.sqlite")) as store:
        planned = planning.plan_test(bank, "warmup", "me", store, 1, now())
        store.begin(planned)
        writes = Recorder(store, planned, bank, "2")
        writes.begun()
        item = next(item for item in bank.items if item.id == planned.plan[0][0])
        writes(Result(item, item.variants[planned.plan[0][1]], "a", Score(Outcome.CORRECT, 1.0)), 0, 0, 1.0)
        assert planning.left_test(bank, "warmup", "me", store, now())
        assert planning.left_test(bank, "warmup", "you", store, now()) is None
        topics = tuple(
            replace(
                topic,
                items=tuple(replace(entry, program=f"{entry.program}\n") for entry in topic.items),
            )
            for topic in bank.topics
        )
        assert planning.left_test(replace(bank, topics=topics), "warmup", "me", store, now()) is None


def test_a_review_asks_what_was_missed_and_says_when_nothing_is_due(
    grader: Command, tmp_path: Path, proven: object
) -> None:
    db = tmp_path / "records.sqlite"
    done = grader("review", "warmup", "--db", db, "--seed", "1", stdin="s\n" * 30)
    assert done.returncode == 0, done.stderr
    assert "Question 1 of 5" in done.stdout
    shown = json.loads(grader("topics", "--db", db, "--json").stdout)
    progress = {topic["topic"]: topic["progress"] for topic in shown["topics"]}
    assert progress["warmup"]["answered"] == 5
    assert progress["warmup"]["recent"] == 0.0
    assert progress["schedulers"]["answered"] == 0
    assert "answered 5, 0% of the last points; due now:" in grader("topics", "--db", db).stdout
    ahead = grader("review", "warmup", "--db", db, "--ahead", "--count", "30", stdin="")
    assert int(re.findall(r"Question 1 of (\d+)", ahead.stdout)[0]) >= 10


def test_a_challenge_has_a_limit_and_a_badge(
    grader: Command,
    tmp_path: Path,
    bank: Bank,
    monkeypatch: pytest.MonkeyPatch,
    remembering: RememberingRunner,
    proven: object,
) -> None:
    items = [item for item in bank.items if item.topic == "warmup" and "challenge" in item.modes][:5]
    answers = [right_answer(item, remembering) for item in items]
    done = grader("quiz", "warmup", "--mode", "challenge", "--db", tmp_path / "r.sqlite", stdin="".join(answers))
    assert done.stdout.count("Time for this problem:") == 5
    assert "Badge: warmup challenge, all 5 right and in time." in done.stdout
    topics = json.loads(grader("topics", "--db", tmp_path / "r.sqlite", "--json").stdout)["topics"]
    assert {topic["topic"]: topic["progress"]["badge"] for topic in topics} == {
        topic.name: topic.name == "warmup" for topic in bank.topics
    }
    monkeypatch.setattr("grader.learning.modes.LIMITS", dict.fromkeys(("easy", "medium", "hard"), 0))
    late = grader("quiz", "warmup", "--mode", "challenge", "--db", tmp_path / "s.sqlite", stdin="".join(answers))
    assert "The time of 0 s was up" in late.stdout
    assert "Badge" not in late.stdout


def right_answer(item: Item, runner: RememberingRunner) -> str:
    """As it is typed into a pipe."""
    answer = kinds.of(item).samples(item, PendingProof.begin(item, item.variant(None), runner).proof())["right"]
    return f"{answer.rstrip()}\n.\n" if item.kind in ("code", "repair") else f"{answer}\n"


@pytest.mark.parametrize("spoil", ["newer", "folder"])
def test_a_quiz_goes_on_without_records_and_says_so(
    spoil: str, grader: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proven: object
) -> None:
    """Unless they were named: then it is an error, and nothing is asked."""
    db = tmp_path / "records.sqlite"
    if spoil == "newer":
        grader("quiz", "warmup", "--count", "1", "--db", db, stdin="b\n")
        import sqlite3

        with sqlite3.connect(db) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    else:
        db = Path("/proc/nowhere/records.sqlite")
    named = grader("quiz", "warmup", "--count", "1", "--db", db, stdin="b\n")
    assert named.returncode == 2
    assert len(named.stderr.splitlines()) == 2
    assert "Question" not in named.stdout
    assert grader("test", "warmup", "--db", db, stdin="b\n").returncode == 2
    monkeypatch.setattr("grader.learning.record_opening.default_url", lambda: f"sqlite:///{db}")
    unnamed = grader("quiz", "warmup", "--count", "2", stdin="b\nb\n")
    assert unnamed.returncode == 0
    assert unnamed.stderr.count("answers are not recorded") == 1
    assert "2 of 2 questions" in unnamed.stdout


@pytest.mark.waits
def test_a_card_is_turned_over_and_rated(environment: dict[str, str], tmp_path: Path, proven: object) -> None:
    pexpect = pytest.importorskip("pexpect")
    command = ["-m", "grader", "review", "warmup", "--db", str(tmp_path / "r.sqlite"), "--new", "2", "--seed", "1"]
    sitting = pexpect.spawn(
        sys.executable, command, env=environment, cwd=str(ROOT), encoding="utf-8", timeout=seconds()
    )
    sitting.expect("Question 1 of 2")
    sitting.expect("q quit")
    sitting.sendline("s")
    sitting.expect("next question")
    sitting.sendline("")
    sitting.expect("Card 2 of 2")
    sitting.expect("Enter to turn it over")
    assert "base rate" not in sitting.before.lower()
    sitting.sendline("")
    sitting.expect("It multiplies the base learning rate")
    sitting.expect("1 again")
    sitting.sendline("2")
    sitting.expect("Noted: hard.")
    sitting.expect("1 of 2 were cards; 0 of them to see again soon.")
    sitting.expect(pexpect.EOF)
    sitting.close()
    with Records(str(tmp_path / "r.sqlite"), write=False) as store:
        (card,) = store.attempts(kind="card")
        assert (card.unit, card.outcome) == (f"card/{card.item}", "correct")


@pytest.mark.parametrize("topic", TOPICS)
def test_the_bank_is_large_and_even_enough(topic: str, bank: Bank) -> None:
    questions = [item for item in bank.items if item.topic == topic and item.kind != "card"]
    assert len(questions) >= 60
    assert min(Counter(item.level for item in questions).values()) >= 15
    assert sum(item.kind == "card" for item in bank.items if item.topic == topic) >= 10


def test_every_mistake_has_a_family(bank: Bank) -> None:
    assert [mistake.id for mistake in bank.mistakes.values() if not mistake.family] == []


def test_every_scheduler_of_torch_has_three_items(bank: Bank) -> None:
    from torch.optim import lr_scheduler

    names = [name for name in lr_scheduler.__all__ if name != "LRScheduler"]
    assert len(names) >= 15
    for name in names:
        found = [item.id for item in bank.items if re.search(rf"\b{name}\b", repr(item))]
        assert len(found) >= 3, name
