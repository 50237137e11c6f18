"""What there is to say of a question once it is answered, as data: every face draws the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader import kinds
from grader.judging import diagnosis
from grader.judging.comparison import equal
from grader.judging.reading_answers import read_number
from grader.learning.question import NotProvenError, Question, mixed_input
from grader.model import (
    LETTERS,
    Chart,
    ChooseMany,
    ChooseOne,
    Curve,
    Labeled,
    Mistake,
    Observation,
    Outcome,
    Proof,
    ProvenOption,
    Result,
    Unreadable,
    Value,
    values,
)
from grader.render import charts
from grader.template import plural, show


@dataclass(frozen=True, slots=True)
class Explanation:
    """What PyTorch did, the solution in steps, the answer, the other mistakes, and where to read on."""

    observed: Chart | None
    """What PyTorch gave, where the answer's own chart has not shown it."""
    run: Observation | None
    """The run that `observed` shows the rates of; None where the chart is of something else."""
    counts: str
    """What the steps of that run count, in a word."""
    solution: tuple[str, ...]
    answer_title: str
    answer: tuple[Labeled, ...]
    mistakes: tuple[Labeled, ...]
    see: tuple[str, ...]
    credit: str
    """Where the item comes from and its license, as far as they are its own."""


@dataclass(frozen=True, slots=True)
class JudgedOption:
    """An option after the answer: whether it holds, whether it was picked, and why it is wrong, as far as that is said.

    Nothing in it is for anybody who may still answer.
    """

    letter: str
    shown: str
    code: bool
    right: bool
    picked: bool
    valued: bool
    """It is a value that PyTorch gave, or did not give; else a statement or code that holds, or does not."""
    says: str
    """What its mistake says; empty where none is named."""


def judged_options(question: Question, result: Result, mistakes: dict[str, Mistake]) -> tuple[JudgedOption, ...]:
    """Every option in the order in which it was shown, with its reason; none where there are none, or no proof."""
    pick = mixed_input(question.prompt())
    try:
        proof = question.proof
    except NotProvenError:
        return ()
    if pick is None or len(question.order) != len(proof.options):
        return ()
    found = []
    for shown, place in enumerate(question.order):
        option = proof.options[place]
        mistake = mistakes.get(option.mistake or "")
        found.append(
            JudgedOption(
                LETTERS[shown], option.shown, pick.code, option.key, place in (result.choice or ()),
                option.value is not None, "" if option.key or mistake is None else mistake.says,
            )
        )  # fmt: skip
    return tuple(found)


def mark(question: Question, result: Result, observed: Chart) -> tuple[int, float] | None:
    """Where a number that was answered belongs in the curve that PyTorch gave: at the step whose value was asked for.

    None where that is not one step alone, or the answer was no number.
    """
    proof, (curve, *more) = question.proof, observed.curves
    if more or type(proof.answer) not in (int, float) or result.response is None:
        return None
    given: Value = None
    if result.choice and len(result.choice) == 1 and len(proof.options) > result.choice[0]:
        given = proof.options[result.choice[0]].value
    elif result.choice is None and not isinstance(typed := read_number(result.response), Unreadable):
        given = typed
    places = [place for place, value in enumerate(curve.values, 1) if equal(value, proof.answer, 1e-9)]
    if len(places) != 1 or isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return (places[0], float(given)) if math.isfinite(given) else None


def explain(question: Question, result: Result, mistakes: dict[str, Mistake]) -> Explanation | None:
    """Explain a question after an answer that is the last; None where it is not proven, or is a card."""
    item, traits = question.item, kinds.of(question.item).TRAITS
    try:
        proof = question.proof
    except NotProvenError:
        return None
    if traits.is_card:
        return None  # its back has been shown
    solved = traits.runs_code and result.score.outcome is Outcome.CORRECT
    observed, run = (None, None) if solved or result.score.chart else _observed(question, proof)
    see = [mistakes[result.score.mistake].see if result.score.mistake in mistakes else "", item.see]
    return Explanation(
        observed,
        run,
        item.body.words[1],
        proof.solution,
        "One way to write it" if traits.runs_code else "Final answer",
        _answer(question, proof),
        _other_mistakes(question, proof, result, mistakes),
        tuple(dict.fromkeys(filter(None, see))),
        item.credit,
    )


def idea(question: Question) -> str:
    """What the solution comes to, in a sentence or two; empty where it is not proven, or the item is a card."""
    try:
        steps = question.proof.solution
    except NotProvenError:
        return ""
    return steps[-1] if steps and not kinds.of(question.item).TRAITS.is_card else ""


def both(question: Question, result: Result) -> tuple[tuple[Labeled, ...], tuple[Labeled, ...]]:
    """The options that were picked, and those that are right, with the letters that were shown; else nothing."""
    proof = result.proof
    if proof is None or not result.choice or not proof.options:
        return (), ()
    python = any(isinstance(one, ChooseOne | ChooseMany) and one.code for one in question.prompt().inputs)
    picked = {proof.options[place].shown for place in result.choice if place < len(proof.options)}
    shown = [(Labeled(letter, option.shown, code=python), option) for letter, option in lettered(question, proof)]
    yours = tuple(labeled for labeled, option in shown if option.shown in picked)
    return yours, tuple(labeled for labeled, option in shown if option.key)


def _observed(question: Question, proof: Proof) -> tuple[Chart | None, Observation | None]:
    numbers, (shows, counts) = proof.answer, question.item.body.words
    if kinds.of(question.item).TRAITS.gives_curve and question.item.body.is_curve and diagnosis.curve(numbers):
        title = f"The {plural(shows)}, as PyTorch gave them"
        return Chart(title, counts, shows, (Curve(shows, tuple(numbers)),)), None
    return charts.rate_chart(proof.observation, counts), proof.observation


def _answer(question: Question, proof: Proof) -> tuple[Labeled, ...]:
    python = any(isinstance(one, ChooseOne | ChooseMany) and one.code for one in question.prompt().inputs)
    options = lettered(question, proof)
    keys = tuple(Labeled(letter, option.shown, code=python) for letter, option in options if option.key)
    return keys or kinds.of(question.item).answer(question.item, proof)


def lettered(question: Question, proof: Proof) -> list[tuple[str, ProvenOption]]:
    """The options in the order in which they were shown, each with its letter."""
    if len(question.order) != len(proof.options):
        return [("-", option) for option in proof.options]
    return [(LETTERS[shown], proof.options[place]) for shown, place in enumerate(question.order)]


def _other_mistakes(
    question: Question, proof: Proof, result: Result, mistakes: dict[str, Mistake]
) -> tuple[Labeled, ...]:
    """What others get wrong here; not what this answer did, which has been told."""
    said = {result.score.mistake}
    picked = any(option.key for option in proof.options)
    others: list[Labeled] = []
    for letter, option in lettered(question, proof):
        if not option.key and option.mistake in mistakes and option.mistake not in said:
            value = show(option.value) if isinstance(option.value, int | float) else option.shown
            if isinstance(option.value, list) and not kinds.of(question.item).TRAITS.runs_code:
                value = _cut(values.flat(option.value), values.flat(proof.answer))
            label = letter if picked else "-" if len(value) > 32 or "\n" in value else value
            others.append(Labeled(label, mistakes[option.mistake].says))
            said.add(option.mistake)
    return tuple(others)


def _cut(wrong: list[Value], right: list[Value]) -> str:
    """At most four numbers of a table, around the first that is wrong."""
    place = next((k for k, (a, b) in enumerate(zip(wrong, right, strict=False)) if show(a) != show(b)), 0)
    first = max(0, min(place - 1, len(wrong) - 4))
    shown = " ".join(map(show, wrong[first : first + 4]))
    return f"{'... ' if first else ''}{shown}{' ...' if first + 4 < len(wrong) else ''}"
