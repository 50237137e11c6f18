"""What there is to say of a question once it is answered, as data: every face draws the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader import charts, diagnosis
from grader.model import Chart, Curve, Mistake, Observation, Outcome, Proof, ProvenOption, Result
from grader.session import NotProvenError, Question
from grader.template import plural, show

LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Labeled:
    """A text with a letter, a number or a value before it; `code` says that it is Python."""

    label: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What PyTorch did, the solution in steps, the answer, the other mistakes, and where to read on."""

    observed: Chart | None
    """What PyTorch gave, where the answer's own chart has not shown it."""
    run: Observation | None
    """The run that `observed` shows the rates of; None where the chart is of something else."""
    solution: tuple[str, ...]
    answer_title: str
    answer: tuple[Labeled, ...]
    mistakes: tuple[Labeled, ...]
    see: tuple[str, ...]


def explain(question: Question, result: Result, mistakes: dict[str, Mistake]) -> Explanation | None:
    """Explain a question after an answer that is the last; None where it is not proven, or is a card."""
    item = question.item
    try:
        proof = question.proof
    except NotProvenError:
        return None
    if item.kind == "card":
        return None  # its back has been shown
    solved = item.exercise is not None and result.score.outcome is Outcome.CORRECT
    observed, run = (None, None) if solved or result.score.chart else _observed(question, proof)
    see = [mistakes[result.score.mistake].see if result.score.mistake in mistakes else "", item.see]
    return Explanation(
        observed,
        run,
        proof.solution,
        "One way to write it" if item.exercise else "Final answer",
        _answer(question, proof),
        _other_mistakes(question, proof, result, mistakes),
        tuple(dict.fromkeys(filter(None, see))),
    )


def _observed(question: Question, proof: Proof) -> tuple[Chart | None, Observation | None]:
    item, values = question.item, proof.answer
    if (item.exercise or item.kind == "sequence") and diagnosis.curve(values):
        title = f"The {plural(item.shows)}, as PyTorch gave them"
        return Chart(title, item.counts, item.shows, (Curve(item.shows, tuple(values)),)), None
    return charts.rate_chart(proof.observation, item.counts), proof.observation


def _answer(question: Question, proof: Proof) -> tuple[Labeled, ...]:
    item = question.item
    if item.exercise and item.kind == "fill":
        return tuple(Labeled(f"__{number}__", part, True) for number, part in enumerate(item.exercise.reference, 1))
    if item.exercise:
        return (Labeled("", "\n".join(item.exercise.reference).strip("\n"), True),)
    if keys := [Labeled(letter, option.shown) for letter, option in lettered(question, proof) if option.key]:
        return tuple(keys)
    said = " ".join(map(show, proof.answer)) if isinstance(proof.answer, list) else show(proof.answer)
    return (Labeled("", f"{said} {item.unit}".rstrip()),)


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
            if isinstance(option.value, list) and not question.item.exercise:
                value = _cut(option.value, proof.answer)
            label = letter if picked else "-" if len(value) > 32 or "\n" in value else value
            others.append(Labeled(label, mistakes[option.mistake].says))
            said.add(option.mistake)
    return tuple(others)


def _cut(values: list[Any], right: Any) -> str:
    """At most four numbers of a table, around the first that is wrong."""
    wrong = next((k for k, (a, b) in enumerate(zip(values, right or (), strict=False)) if show(a) != show(b)), 0)
    first = max(0, min(wrong - 1, len(values) - 4))
    shown = " ".join(map(show, values[first : first + 4]))
    return f"{'... ' if first else ''}{shown}{' ...' if first + 4 < len(values) else ''}"
