"""What runs say of an item's texts: solution steps are computed and true, hints and figures do not say the answer."""

from __future__ import annotations

import re

from grader import template
from grader.judging import advice
from grader.judging.bodies import claimed
from grader.judging.claims import (
    Findings,
    expressions_of_texts,
    main_source,
    option_source,
    shown_options,
    shown_program,
)
from grader.judging.comparison import equal
from grader.model import (
    Asked,
    Expr,
    Item,
    Proof,
    Step,
    Value,
    Variant,
)
from grader.render import figure_text
from grader.template import brief, show


def check_texts(item: Item, variant: Variant, values: dict[str, Asked], findings: Findings) -> int:
    """Every expression that is shown has a value. Returns how many were judged."""
    claims = 0
    for expression in expressions_of_texts(item):
        claims += 1
        asked = values.get(expression.text, Asked(error="it was not evaluated"))
        if asked.error:
            message = f"`{expression.text}` cannot be evaluated: {asked.error}"
            hint = advice.of_names(item, asked.error, "use the program's names, its parameters and `run`")
            findings.add("step-fails", message, expression.at, hint)
    written = _numbers_written(item, variant)
    for step in item.solution:
        _check_typed(step, written, findings)
        claims += _check_step(step, values, findings)
    return claims


TYPED = re.compile(rf"(?<![\w.]){template.NUMBER}(?!\w)")


CODE = re.compile(r"(`+)(.*?)\1", re.DOTALL)


COMPUTED = "\0"
"""Stands for an expression, in the text of a step."""


DIMENSIONS = frozenset([0.0, 1.0, 2.0, 3.0])
"""Numbers that code may have as dimensions, and with a minus: `dim=1`, `(rows, 1, size)`, `x.transpose(-2, -1)`."""


def _numbers_written(item: Item, variant: Variant) -> set[float]:
    """The numbers that stand in the programs of an item, without their signs."""
    sources = [main_source(item, variant), *(option_source(item, variant, one) for one in shown_options(item, variant))]
    return {abs(float(number)) for source in sources for number in TYPED.findall(source)}


def _check_typed(step: Step, written: set[float], findings: Findings) -> None:
    """Numbers in a solution are computed: none is typed, in braces or out of them.

    Code may have dimensions and the numbers of the program. Others are free in code that stands beside something that
    the step proves, by an expression or by its `holds`.
    """
    for piece in step.text.pieces:
        if isinstance(piece, Expr) and not template.names_in(piece.text):
            message = f"`{{{piece.text}}}` is typed, not computed"
            findings.add("step-fails", message, piece.at, "use the program's names and `run`")
    text = "".join(COMPUTED if isinstance(piece, Expr) else piece for piece in step.text.pieces)
    hint = "write it as an {expression} of the run"
    if typed := TYPED.search(CODE.sub("", text)):
        message = f"the number {typed.group().rstrip('.')} in this step is typed, not computed"
        findings.add("step-fails", message, step.text.at, hint)
    proves = step.holds is not None or COMPUTED in text
    for code in (span[1] for span in CODE.findall(text) if COMPUTED in span[1] or not proves):
        other = next((one for one in TYPED.findall(code) if abs(float(one)) not in written | DIMENSIONS), None)
        if other is not None:
            shown = brief(code.replace(COMPUTED, "{...}"))
            message = f"the number {other.rstrip('.')} in `{shown}` is not in the program: it is typed, not computed"
            findings.add("step-fails", message, step.text.at, hint)


def _check_step(step: Step, values: dict[str, Asked], findings: Findings) -> int:
    claims = 0
    if step.holds:
        claims += 1
        asked = values.get(step.holds.text, Asked(error="not evaluated"))
        if asked.error or asked.value is not True:
            message = f"`{step.holds.text}` is {asked.error or show(asked.value)}, so this step is not proven"
            findings.add("step-fails", message, step.holds.at, "the step must be true in the run")
    for equation, true in template.equations(template.fill(step.text, values).replace("`", "")):
        claims += 1
        if not true:
            message = f"the step says {equation}, which is false"
            findings.add("step-fails", message, step.text.at, "let both sides come from the run")
    return claims


def check_solution_end(item: Item, answer: Asked, values: dict[str, Asked], findings: Findings) -> None:
    """The last step of a solution arrives at the answer."""
    body = claimed(item)
    if not body.answer or not item.solution or isinstance(answer.value, bool):  # which is said in words
        return
    last = item.solution[-1].text
    reached = [values.get(expression.text, Asked()).value for expression in last.expressions]
    if not any(equal(value, answer.value, body.compare) for value in reached):
        message = f"the last step does not arrive at the answer, {show(answer.value)}"
        findings.add("step-fails", message, last.at, f"end it with {{{body.answer.text}}}")


def check_hints(item: Item, variant: Variant, proof: Proof, findings: Findings) -> None:
    """No hint states the answer, unless it is already on show."""
    shown = f"{proof.stem} {shown_program(item, variant)}"
    for hint, text in zip(item.hints, proof.hints, strict=True):
        if any(_states(text, said) and not _states(shown, said) for said in _answers(proof)):
            message = f"the hint says the answer: {brief(text)}"
            findings.add("hint-leaks", message, hint.at, "point at the way, not at the end of it")


def check_figures(item: Item, variant: Variant, proof: Proof, findings: Findings) -> None:
    """No figure shows the answer, unless it may or that is already on show."""
    shown = f"{proof.stem} {shown_program(item, variant)}"
    for asked, figure in zip(item.figures, proof.figures, strict=False):
        text = " ".join([figure.title, *figure_text.lines(figure.content)])
        telling = [said for said in _answers(proof) if _states(text, said) and not _states(shown, said)]
        if telling and not asked.reveals:
            message = f"the figure shows the answer, {show(telling[0])}"
            findings.add("figure-leaks", message, asked.at, "draw less, or say `reveals: true` where that is no harm")


def _answers(proof: Proof) -> list[Value]:
    right = [option.shown for option in proof.options if option.key]
    return [proof.answer] if proof.answer is not None else list(right)


def _states(text: str, value: Value) -> bool:
    """Whether a text contains a number (to six digits), or a text in so many words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers = re.findall(rf"(?<![\w.]){template.NUMBER}(?![\w])", text)
        return any(equal(float(number), value, 1e-5) for number in numbers)
    plain = [" ".join(part.replace("`", "").split()).casefold() for part in (show(value), text)]
    return len(plain[0]) > 3 and plain[0] in plain[1]
