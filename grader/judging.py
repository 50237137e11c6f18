"""What the runs of a plan say about the claims of an item: a proof, and findings where a claim does not hold."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from grader import template
from grader.claims import (
    Findings,
    Results,
    main_source,
    matches,
    option_source,
    option_text,
    shown_expressions,
    shown_program,
)
from grader.model import Asked, Expr, Item, Observation, Option, Proof, ProvenOption, Span, Status, Step, Value, Variant
from grader.template import brief as brief_of
from grader.template import show

brief = brief_of


def equal(one: Value, other: Value, tolerance: float) -> bool:
    """Whether two values are the same: numbers within a relative tolerance, lists entry by entry, all else exactly.

    A truth value is no number, and NaN equals nothing.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        try:
            return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)
        except OverflowError:  # a whole number beyond all floats
            return one == other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(equal(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name], tolerance) for name in one)
    return type(one) is type(other) and one == other


def judge(item: Item, variant: Variant, results: Results) -> Proof:
    """What the runs of `plan` established about an item whose options make claims."""
    findings = Findings(item, variant)
    main = main_source(item, variant)
    observation, values = results.observation(main), results.values(main)
    expected = results.value(main, said) if (said := matches(item)) else Asked([])
    sound = _ran(item, results, findings) and _judge_run(item, variant, observation, expected, findings)
    told = findings if sound else Findings(item, variant)  # what follows from a broken run is not worth telling
    claims = _judge_texts(item, values, told)
    answer = results.value(main, item.answer) if item.answer else Asked()
    if item.answer and answer.error:
        message = f"`answer` cannot be evaluated: {answer.error}"
        told.add("step-fails", message, item.answer.at, "the program's names and `run` are what there is")
    options = []
    for option in item.options:
        proven, count = _judge_option(item, variant, option, results, values, answer, told)
        options.append(proven)
        claims += count
    proof = Proof(
        item=item.id,
        variant=variant,
        observation=observation,
        stem=template.fill(item.stem, values),
        hints=tuple(template.fill(hint, values) for hint in item.hints),
        solution=tuple(template.fill(step.text, values) for step in item.solution),
        options=tuple(options),
        answer=answer.value,
        claims=claims,
    )
    if not answer.error:
        (_judge_keys if any(option.key for option in item.options) else _judge_wrong_numbers)(item, proof, told)
        _judge_solution_end(item, answer, values, told)
        _judge_hints(item, variant, proof, told)
    return replace(proof, findings=tuple(findings.found))


def _ran(item: Item, results: Results, findings: Findings) -> bool:
    """Report programs that were stopped, or that do not do the same each time."""
    at = item.program_at or item.at
    for run in results:
        if run.status not in (Status.OK, Status.ERROR):
            code = "not-run" if run.status is Status.NOT_RUN else "over-limit"
            smaller = "make the program smaller" + (", or the pattern of `warns` simpler" if item.warns else "")
            hint = "see `grader doctor`" if code == "not-run" else smaller
            findings.add(code, f"the program did not end: {run.note or run.error or run.status}", at, hint)
            return False
    if results.differing():
        hint = "seed it in the program: torch.manual_seed(0)"
        findings.add("not-deterministic", "two runs of the program did different things", at, hint)
        return False
    return True


def _program_line(item: Item, variant: Variant, line: int | None) -> Span:
    """The place in the quiz file of a line of the program as it was run."""
    at = item.program_at or item.at
    own = (line or 1) - 1 - variant.prelude.count("\n")
    return Span(at.path, at.line + max(0, min(own, item.program.count("\n") - 1)), at.column)


def _judge_run(item: Item, variant: Variant, run: Observation, expected: Asked, findings: Findings) -> bool:
    """The main program raises and warns exactly where the item says so; False where it raises against its word.

    `expected` says of each warning whether `warns` matches it.
    """
    if run.error:
        place = _program_line(item, variant, run.error.line)
        if item.raises is None:
            hint = f"mend the program, or say `raises: {run.error.type}`"
            where = f" in `{run.error.code}`" if run.error.code else ""
            findings.add("program-raises", f"the program raises {run.error}{where}", place, hint)
        elif item.raises.text != run.error.type:
            message = f"`raises` says {item.raises.text}, the program raised {run.error}"
            findings.add("program-raises", message, item.raises.at, f"write `raises: {run.error.type}`")
    elif item.raises is not None:
        message = f"`raises` says {item.raises.text}, the program raised nothing"
        findings.add("program-raises", message, item.raises.at, "remove `raises`, or mend the program")
    _judge_warnings(item, variant, run, expected, findings)
    return (run.error.type if run.error else None) == (item.raises.text if item.raises else None)


def _judge_warnings(item: Item, variant: Variant, run: Observation, expected: Asked, findings: Findings) -> None:
    if item.warns is not None and expected.error:
        message = f"`warns` is no regular expression that could be matched: {expected.error}"
        hint = "write a part of the warning as it stands, with a backslash before brackets and the like"
        findings.add("program-warns", message, item.warns.at, hint)
        return
    flags = expected.value if isinstance(expected.value, list) else []
    said = [entry is True for entry in flags] + [False] * len(run.warnings)
    unsaid = [warning for warning, known in zip(run.warnings, said, strict=False) if not known]
    for warning in unsaid[:1]:
        message = f"the program warns: {warning.category}: {brief(warning.message, 300)}"
        hint = "mend the program, or say `warns:` with a regular expression that matches it"
        place = item.warns.at if item.warns else _program_line(item, variant, warning.line)
        findings.add("program-warns", message, place, hint)
    if item.warns is not None and not run.warnings:
        message = "`warns` is given, but the program does not warn"
        findings.add("program-warns", message, item.warns.at, "remove `warns`, or mend the program")


def _judge_texts(item: Item, values: dict[str, Asked], findings: Findings) -> int:
    """Every expression that is shown has a value, and no stated one is false. Returns how many were judged."""
    claims = 0
    for expression in shown_expressions(item):
        claims += 1
        asked = values.get(expression.text, Asked(error="it was not evaluated"))
        if asked.error:
            message = f"`{expression.text}` cannot be evaluated: {asked.error}"
            findings.add("step-fails", message, expression.at, "use the program's names, its parameters and `run`")
        elif asked.value is False:
            findings.add("step-fails", f"`{expression.text}` is false", expression.at, "say what the run shows")
    for step in item.solution:
        _judge_typed(step, findings)
        claims += _judge_step(step, values, findings)
    return claims


def _judge_typed(step: Step, findings: Findings) -> None:
    """Numbers in a solution are computed: none is typed, in braces or out of them."""
    for piece in step.text.pieces:
        if isinstance(piece, Expr):
            if not template.names_in(piece.text):
                message = f"`{{{piece.text}}}` is typed, not computed"
                findings.add("step-fails", message, piece.at, "use the program's names and `run`")
        elif typed := re.search(rf"(?<![\w.]){template.NUMBER}(?!\w)", re.sub(r"`[^`]*`", "", piece)):
            message = f"the number {typed.group().rstrip('.')} in this step is typed, not computed"
            findings.add("step-fails", message, step.text.at, "write it as an {expression} of the run")


def _judge_step(step: Step, values: dict[str, Asked], findings: Findings) -> int:
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


def _judge_option(
    item: Item,
    variant: Variant,
    option: Option,
    results: Results,
    values: dict[str, Asked],
    answer: Asked,
    findings: Findings,
) -> tuple[ProvenOption, int]:
    """Whether an option holds, and whether a wrong one comes from its mistake."""
    own, main = option_source(item, variant, option), main_source(item, variant)
    claim = option.value or (item.holds if option.code is not None else option.holds)
    asked = results.value(main if option.value else own, claim) if claim else Asked()
    claims = 1
    if option.because:
        claims += 1
        because = results.value(own, option.because)
        if because.value is not True:
            message = f"`{option.because.text}` is {because.error or show(because.value)}"
            hint = f"it must be true where a learner has the mistake `{option.mistake}`"
            findings.add("mistake-differs", message, option.because.at, hint)
    if option.yields or option.instead:
        claims += 1
        yielded = _judge_evidence(item, option, own, results, asked, findings)
        asked = asked if claim else yielded
    if option.value or not claim:
        holds = not asked.error and not answer.error and equal(asked.value, answer.value, item.tolerance)
    else:
        holds = asked.error is None and asked.value is True
    if claim:
        _judge_decidable(option, claim, asked, findings)
    shown = option_text(option, values) if claim else show(asked.value)
    return ProvenOption(shown, asked.value, holds, option.key, option.mistake), claims


def _judge_decidable(option: Option, claim: Expr, asked: Asked, findings: Findings) -> None:
    """A claim has a value; that of a statement is true or false. The code of a wrong option may raise instead."""
    if asked.error is not None:
        if option.code is not None:
            return
        what = f"cannot be evaluated: {asked.error}"
    elif option.value is None and type(asked.value) is not bool:
        what = f"is {show(asked.value)}, not true or false"
    else:
        return
    findings.add("step-fails", f"`{claim.text}` {what}", claim.at, "an option's claim must be decidable")


def _judge_evidence(item: Item, option: Option, own: str, results: Results, asked: Asked, findings: Findings) -> Asked:
    """What the mistake yields; a `mistake-differs` where that is not the option's value."""
    expression = option.yields or item.answer
    assert expression is not None
    yielded = results.value(own, expression)
    place = option.value.at if option.value else expression.at
    if yielded.error:
        message = f"the mistake `{option.mistake}` yields nothing: {yielded.error}"
        findings.add("mistake-differs", message, place, "mend `instead` or `yields`")
    elif option.value and not equal(asked.value, yielded.value, item.tolerance):
        message = f"the mistake `{option.mistake}` yields {show(yielded.value)}, the option says {show(asked.value)}"
        findings.add("mistake-differs", message, place, "let the option say what its mistake yields")
    return yielded


def _judge_keys(item: Item, proof: Proof, findings: Findings) -> None:
    """Exactly the keyed options hold, and no two look alike."""
    pairs = list(zip(item.options, proof.options, strict=True))
    if item.answer and not any(proven.holds for proven in proof.options):
        shown = ", ".join(proven.shown for proven in proof.options)
        message = f"PyTorch says {show(proof.answer)}, which is in no option ({shown})"
        findings.add("no-option-holds", message, item.answer.at, "make it the key, or ask what the options answer")
    else:
        for letter, (option, proven) in zip("ABCDEFGH", pairs, strict=False):
            claim = option.value or option.holds
            at = claim.at if claim else option.at
            said = f"PyTorch says {show(proof.answer)}" if item.answer else "its run says otherwise"
            if option.key and not proven.holds:
                message = f"option {letter} ({brief(proven.shown)}) is the key, but {said}"
                findings.add("key-fails", message, at, "move the key, or mend the program")
            elif proven.holds and not option.key:
                message = f"option {letter} ({brief(proven.shown)}) is not the key, but it holds"
                findings.add("distractor-holds", message, at, "change it so that its mistake makes it wrong")
    seen: dict[str, str] = {}
    for letter, (option, proven) in zip("ABCDEFGH", pairs, strict=False):
        code = option.code is not None  # there, indentation and capitals have a meaning
        look = proven.shown.strip() if code else " ".join(proven.shown.split()).casefold()
        if look in seen:
            message = f"options {seen[look]} and {letter} both show {brief(proven.shown)}"
            findings.add("options-collide", message, option.at, "change a value, or leave these parameters out")
        seen.setdefault(look, letter)


def _judge_wrong_numbers(item: Item, proof: Proof, findings: Findings) -> None:
    """The listed wrong numbers are wrong, and each differs from the others."""
    seen: dict[str, str | None] = {}
    for option, proven in zip(item.options, proof.options, strict=True):
        if proven.holds:
            message = f"the mistake `{option.mistake}` yields the answer, {proven.shown}"
            hint = "choose parameters for which it shows, or leave the mistake out"
            findings.add("distractor-holds", message, option.at, hint)
        elif proven.shown in seen:
            message = f"the mistakes `{seen[proven.shown]}` and `{option.mistake}` both yield {proven.shown}"
            findings.add("options-collide", message, option.at, "choose parameters that tell them apart")
        seen.setdefault(proven.shown, option.mistake)


def _judge_solution_end(item: Item, answer: Asked, values: dict[str, Asked], findings: Findings) -> None:
    """The last step of a solution arrives at the answer."""
    if not item.answer or not item.solution:
        return
    last = item.solution[-1].text
    reached = [values.get(expression.text, Asked()).value for expression in last.expressions]
    if not any(equal(value, answer.value, item.tolerance) for value in reached):
        message = f"the last step does not arrive at the answer, {show(answer.value)}"
        findings.add("step-fails", message, last.at, f"end it with {{{item.answer.text}}}")


def _judge_hints(item: Item, variant: Variant, proof: Proof, findings: Findings) -> None:
    """No hint states the answer, unless it is already on show."""
    shown = f"{proof.stem} {shown_program(item, variant)}"
    for hint, text in zip(item.hints, proof.hints, strict=True):
        if any(_states(text, said) and not _states(shown, said) for said in _answers(proof)):
            message = f"the hint says the answer: {brief(text)}"
            findings.add("hint-leaks", message, hint.at, "point at the way, not at the end of it")


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
