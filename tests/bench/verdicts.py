"""How often the verdict of a test is wrong, by simulation: learners of known chance, and learners of one misconception.

    python -m tests.bench.verdicts [TESTS]

A learner of chance p answers each question right with p. A learner with one misunderstanding (a family of mistakes,
or a mistake without one) falls for it in every question that can show it, and answers all others right.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from grader.content import bank_files
from grader.learning import test_plan, verdict
from grader.model import Bank, Item, Outcome, Result, Score

CHANCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def items_of(bank: Bank, topic: str) -> list[Item]:
    return [item for item in bank.items if item.topic == topic and "test" in item.modes]


def of_chance(bank: Bank, topic: str, chance: float, seed: int) -> str:
    """The verdict on a learner who is right with this chance."""
    luck = random.Random(seed)
    drawn = test_plan.draw(items_of(bank, topic), bank.mistakes, {}, seed)
    results = [answer(item, variant, None if luck.random() < chance else "") for item, variant in drawn]
    return verdict.judge(results, bank.mistakes).word


def names_it(bank: Bank, topic: str, family: str, seed: int) -> bool:
    """Whether the verdict names what a learner with one misunderstanding holds."""
    drawn = test_plan.draw(items_of(bank, topic), bank.mistakes, {}, seed)
    results = []
    for item, variant in drawn:
        known = [name for name, _ in item.body.recognized() if name]
        falls = [name for name in known if family_of(bank, name) == family]
        results.append(answer(item, variant, falls[0] if falls else None))
    said = verdict.judge(results, bank.mistakes)
    return any(family_of(bank, name) == family for name, _ in said.mistakes)


def answer(item: Item, variant: int, mistake: str | None) -> Result:
    """A right answer, or a wrong one that shows a mistake (none that is known where it is empty)."""
    score = Score(Outcome.CORRECT, 1.0) if mistake is None else Score(Outcome.INCORRECT, 0.0, mistake or None)
    return Result(item, item.variants[variant], "", score)


def family_of(bank: Bank, mistake: str) -> str:
    return bank.mistakes[mistake].family or mistake


def families(bank: Bank, topic: str) -> list[str]:
    """The misunderstandings that the topic's test questions can show."""
    return sorted({name for item in items_of(bank, topic) for name in test_plan.families(item, bank.mistakes)})


def main(tests: int) -> None:
    bank = bank_files.read(bank_files.files([Path(__file__).parents[2]]))
    for topic in (entry.name for entry in bank.topics):
        print(f"{topic}: {tests} tests a line")
        print("  chance  strong  getting there  not yet")
        for chance in CHANCES:
            words = [of_chance(bank, topic, chance, seed) for seed in range(tests)]
            shares = [words.count(word) / tests for word in ("strong", "getting there", "not yet")]
            print(f"  {chance:6.2f}  {shares[0]:6.1%}  {shares[1]:13.1%}  {shares[2]:7.1%}")
        for family in families(bank, topic):
            share = sum(names_it(bank, topic, family, seed) for seed in range(tests // 10)) / (tests // 10)
            print(f"  {family:40} named in {share:.0%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
