"""What the runs of a plan say about the claims of an item: a proof, and findings where a claim does not hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader import template
from grader.judging import advice, figures, published_claims
from grader.judging.bodies import Option, claimed
from grader.judging.claims import (
    Findings,
    Results,
    main_source,
    matches,
    option_source,
    option_text,
    place_of,
    shown_options,
)
from grader.judging.comparison import Compare, equal, half_unit
from grader.judging.text_proofs import check_figures, check_hints, check_solution_end, check_texts
from grader.model import (
    LETTERS,
    Asked,
    Expr,
    Item,
    Observation,
    Proof,
    ProvenOption,
    Status,
    Value,
    Variant,
)
from grader.model.values import entries, simple
from grader.template import brief, show


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """What the runs of `plan` established about an item whose options make claims."""
    findings, body = Findings(item, variant), claimed(item)
    main = main_source(item, variant)
    observation, values = results.observation(main), results.values(main)
    expected = results.value(main, said) if (said := matches(item)) else Asked([])
    answer = results.value(main, body.answer) if body.answer else Asked()
    gave = published_claims.seen(item, observation, answer, results, main)
    meant = published_claims.meant_to_raise(item, gave)
    sound = _ran(item, results, findings) and _check_run(item, variant, observation, expected, findings, meant=meant)
    told = findings if sound else Findings(item, variant)  # what follows from a broken run is not worth telling
    claims = check_texts(item, variant, values, told)
    if body.answer and answer.error and not meant:
        message = f"`answer` cannot be evaluated: {answer.error}"
        hint = advice.of_names(item, answer.error, "the program's names and `run` are what there is")
        told.add("step-fails", message, body.answer.at, hint)
    options = []
    for option in shown_options(item, variant):
        if option.says or published_claims.is_words(option):
            options.append(published_claims.proven(item, option, gave, values))
            claims += bool(option.says)
            continue
        proven, count = _check_option(item, variant, option, results, values, answer, told)
        options.append(proven)
        claims += count
    options = published_claims.plainest(shown_options(item, variant), options, gave)
    options = _finest(shown_options(item, variant), options)
    proof = Proof(
        item=item.id,
        variant=variant,
        observation=observation,
        stem=template.fill(item.stem, values),
        hints=tuple(template.fill(hint, values) for hint in item.hints),
        solution=tuple(template.fill(step.text, values) for step in item.solution),
        options=tuple(options),
        answer=answer.value,
        claims=claims + len(item.figures),
        figures=figures.drawn(item, values, told),
    )
    if not answer.error or meant:
        _check_typed_key(item, answer, told)
        (_check_keys if any(option.key for option in body.options) else _check_wrong_numbers)(item, proof, told)
        check_solution_end(item, answer, values, told)
        check_hints(item, variant, proof, told)
        check_figures(item, variant, proof, told)
    claims += published_claims.check(item, variant, results, findings)
    return replace(proof, claims=claims + len(item.figures), findings=tuple(findings.found))


def numeric(proof: Proof) -> Proof:
    """The proof with its answer and its wrong values as plain numbers and lists, whatever tensors they were."""
    options = tuple(replace(option, value=simple(option.value)) for option in proof.options)
    return replace(proof, answer=simple(proof.answer), options=options)


def says(typed: Expr | None, value: Value, answer: Value, how: Compare) -> bool:
    """Whether a value is the answer. One that is typed says what its printed digits say, entry by entry of a list."""
    if equal(value, answer, how):
        return True
    literals = _literals(typed.text) if typed else None
    found, wanted = _flat(value), _flat(simple(answer))
    if not literals or found is None or wanted is None or not len(literals) == len(found) == len(wanted):
        return False
    return all(
        equal(one, other, how) or abs(one - other) <= half_unit(literal) * (1 + 1e-9)
        for literal, one, other in zip(literals, found, wanted, strict=True)
    )


def _literals(text: str) -> list[str] | None:
    """The numbers of a typed value, as they are written; None where it is no number and no list of them."""
    plain = text.strip().strip("[]()").strip().rstrip(",")
    parts = [part.strip() for part in re.split(r"[\[\](),\s]+", plain) if part.strip()]
    return parts if parts and all(re.fullmatch(template.NUMBER, part) for part in parts) else None


FEW = 3
"""So many digits a typed number must have to mean what rounds to it, where it is not the key: `0.1` is not 0.08."""


def _has_digits(typed: Expr | None) -> bool:
    literals = _literals(typed.text) if typed else None
    return all(len(re.sub(r"e.*|\D", "", literal.lower()).lstrip("0")) >= FEW for literal in literals or [])


def _flat(value: Value) -> list[float] | None:
    """A number, or the numbers of nested lists, in order; None for all else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [value]
    held = entries(value)
    parts = [_flat(entry) for entry in held] if held is not None else [None]
    return None if None in parts else [number for part in parts if part for number in part]


def _finest(options: Sequence[Option], proven: list[ProvenOption]) -> list[ProvenOption]:
    """Of typed values that all round to the answer, the one with most digits holds: `0.12` and not `0.1` for 0.1234."""
    digits = {
        place: max(map(half_unit, _literals(option.value.text) or ["0"]))
        for place, (option, one) in enumerate(zip(options, proven, strict=True)) if option.value and one.holds
    }  # fmt: skip
    least = min(digits.values(), default=0.0)
    return [replace(one, holds=one.holds and digits.get(place, least) <= least) for place, one in enumerate(proven)]


def _check_typed_key(item: Item, answer: Asked, findings: Findings) -> None:
    """What the author types as the answer is what PyTorch says."""
    key = claimed(item).key
    if key is None or answer.error:
        return
    known = template.literal(key.text)
    if known is None or not says(key, known.value, answer.value, claimed(item).compare):
        said = template.brief(key.text) if known else f"`{template.brief(key.text)}`, which is not a typed value"
        message = f"the key is {said}, but PyTorch says {show(answer.value)}"
        findings.add("key-fails", message, key.at, "correct the key, or fix the program")


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
    if differs := results.difference():
        hint = "seed it in the program: torch.manual_seed(0)"
        findings.add("not-deterministic", f"two runs of the program did different things: {differs}", at, hint)
        return False
    return True


def _check_run(
    item: Item, variant: Variant, run: Observation, expected: Asked, findings: Findings, *, meant: bool = False
) -> bool:
    """The main program raises and warns exactly where the item says so; False where it raises against its word.

    `expected` says of each warning whether `warns` matches it; `meant`: one of the options says that it raises.
    """
    if meant:
        return True
    if run.error:
        place = place_of(item, variant, run.error.line)
        if item.raises is None:
            message, hint = advice.of_raised(run.error)
            findings.add("program-raises", message, place, hint)
        elif item.raises.text != run.error.type:
            message = f"`raises` says {item.raises.text}, the program raised {run.error}"
            findings.add("program-raises", message, item.raises.at, advice.of_raised_instead(run.error))
    elif item.raises is not None:
        message = f"`raises` says {item.raises.text}, the program raised nothing"
        findings.add("program-raises", message, item.raises.at, "remove `raises`, or fix the program")
    _check_warnings(item, variant, run, expected, findings)
    return (run.error.type if run.error else None) == (item.raises.text if item.raises else None)


def _check_warnings(item: Item, variant: Variant, run: Observation, expected: Asked, findings: Findings) -> None:
    if item.warns is not None and expected.error:
        message = f"`warns` is not a regular expression that could be matched: {expected.error}"
        hint = "write a part of the warning as it stands, with a backslash before brackets and the like"
        findings.add("program-warns", message, item.warns.at, hint)
        return
    flags = expected.value if isinstance(expected.value, list) else []
    said = [entry is True for entry in flags] + [False] * len(run.warnings)
    unsaid = [warning for warning, known in zip(run.warnings, said, strict=False) if not known]
    for warning in unsaid[:1]:
        message = f"the program warns: {warning.category}: {brief(warning.message, 300)}"
        hint = "fix the program, or say `warns:` with a regular expression that matches it"
        place = item.warns.at if item.warns else place_of(item, variant, warning.line)
        findings.add("program-warns", message, place, hint)
    if item.warns is not None and not run.warnings:
        message = "`warns` is given, but the program does not warn"
        findings.add("program-warns", message, item.warns.at, "remove `warns`, or fix the program")


def _check_option(
    item: Item,
    variant: Variant,
    option: Option,
    results: Results,
    values: dict[str, Asked],
    answer: Asked,
    findings: Findings,
) -> tuple[ProvenOption, int]:
    """Whether an option holds, and whether a wrong one comes from its mistake."""
    body = claimed(item)
    own, main = option_source(item, variant, option), main_source(item, variant)
    claim = option.value or (body.holds if option.code is not None else option.holds)
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
        yielded = _check_evidence(item, option, own, results, asked, findings)
        asked = asked if claim else yielded
    if option.value or not claim:
        typed = option.value if option.key or _has_digits(option.value) else None
        holds = not asked.error and not answer.error and says(typed, asked.value, answer.value, body.compare)
    else:
        holds = asked.error is None and asked.value is True
    if claim:
        _check_decidable(option, claim, asked, findings)
    shown = option_text(option, values) if claim else show(asked.value)
    tested = bool(option.yields or option.instead or option.because)
    return ProvenOption(shown, asked.value, holds, option.key, option.mistake, tested), claims


def _check_decidable(option: Option, claim: Expr, asked: Asked, findings: Findings) -> None:
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


def _check_evidence(item: Item, option: Option, own: str, results: Results, asked: Asked, findings: Findings) -> Asked:
    """What the mistake yields; a `mistake-differs` where that is not the option's value."""
    body = claimed(item)
    expression = option.yields or body.answer
    assert expression is not None
    yielded = results.value(own, expression)
    place = option.value.at if option.value else expression.at
    if yielded.error:
        message = f"the mistake `{option.mistake}` yields nothing: {yielded.error}"
        findings.add("mistake-differs", message, place, "fix `instead` or `yields`")
    elif option.value and not equal(asked.value, yielded.value, body.compare):
        message = f"the mistake `{option.mistake}` yields {show(yielded.value)}, the option says {show(asked.value)}"
        findings.add("mistake-differs", message, place, "let the option say what its mistake yields")
    return yielded


def _check_keys(item: Item, proof: Proof, findings: Findings) -> None:
    """Exactly the keyed options hold, and no two look alike."""
    body = claimed(item)
    pairs = list(zip(shown_options(item, proof.variant), proof.options, strict=True))
    if body.answer and not any(proven.holds or not proven.decided for proven in proof.options):
        shown = ", ".join(proven.shown for proven in proof.options)
        message = f"PyTorch says {show(proof.answer)}, which is in no option ({shown})"
        findings.add("no-option-holds", message, body.answer.at, "make it the key, or ask what the options answer")
    else:
        for letter, (option, proven) in zip(LETTERS, pairs, strict=False):
            claim = option.value or option.holds
            at = claim.at if claim else option.at
            said = f"PyTorch says {show(proof.answer)}" if body.answer else "its run says otherwise"
            if option.key and not proven.decided and item.wanted:
                continue  # which is told
            if option.key and not proven.decided:
                message = f"option {letter} ({brief(proven.shown)}) is the key, and no run can tell whether it holds"
                findings.add(
                    "unproven", message, at, item.wanted.text if item.wanted else "give it a claim that is run"
                )
            elif option.key and not proven.holds:
                message = f"option {letter} ({brief(proven.shown)}) is the key, but {said}"
                findings.add("key-fails", message, at, "move the key, or fix the program")
            elif proven.holds and not option.key:
                message = f"option {letter} ({brief(proven.shown)}) is not the key, but it holds"
                findings.add("distractor-holds", message, at, "change it so that its mistake makes it wrong")
    seen: dict[str, str] = {}
    for letter, (option, proven) in zip(LETTERS, pairs, strict=False):
        code = option.code is not None  # there, indentation and capitals have a meaning
        look = proven.shown.strip() if code else " ".join(proven.shown.split()).casefold()
        if look in seen:
            message = f"options {seen[look]} and {letter} both show {brief(proven.shown)}"
            findings.add("options-collide", message, option.at, "change a value, or leave these parameters out")
        seen.setdefault(look, letter)


def _check_wrong_numbers(item: Item, proof: Proof, findings: Findings) -> None:
    """The listed wrong numbers are wrong, and each differs from the others."""
    seen: dict[str, str | None] = {}
    for option, proven in zip(shown_options(item, proof.variant), proof.options, strict=True):
        if proven.holds:
            message = f"the mistake `{option.mistake}` yields the answer, {proven.shown}"
            hint = "choose parameters for which it shows, or leave the mistake out"
            findings.add("distractor-holds", message, option.at, hint)
        elif proven.shown in seen:
            message = f"the mistakes `{seen[proven.shown]}` and `{option.mistake}` both yield {proven.shown}"
            findings.add("options-collide", message, option.at, "choose parameters that tell them apart")
        seen.setdefault(proven.shown, option.mistake)
