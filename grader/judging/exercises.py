"""What an exercise claims (`fill`, `order`, `code`, `repair`): its answer passes, and all else fails.

The reference passes its own check; the starter, each mistake and each mechanical mutant do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from grader.judging import advice, checks, claims, given, mutants, proofs
from grader.judging.bodies import Written, Wrong, written
from grader.judging.claims import Findings, Plan, Results
from grader.judging.comparison import difference, scale_of
from grader.judging.inputs import draw, preludes, probes, seen
from grader.judging.parameters import is_true
from grader.model import (
    Expr,
    Inputs,
    Item,
    Limits,
    Observation,
    Proof,
    ProvenOption,
    Severity,
    Status,
    Value,
    Variant,
    values,
)
from grader.template import brief

NOISE = 1e-6
"""Numbers that are all smaller may be what rounding has left of 0."""

MUTANT_LIMITS = Limits(cpu_seconds=2, memory_bytes=1 << 30, output_bytes=256 << 10)


def _checks(item: Item, variant: Variant) -> tuple[list[Inputs], list[Inputs]]:
    """The cases of the check as it is proven, and the probes."""
    exercise = written(item)
    seed = f"{item.id}\0{variant.index}"
    return [*exercise.given, *draw(exercise, seed, exercise.draws)], probes(exercise, seed)


def plan(item: Item, variant: Variant, seen: Results | None = None, *, mutate: bool = False) -> Plan:
    """What to run for an exercise: the reference, the starter and each mistake; then, if asked, the mutants.

    Of those `seen` with their first input only the ones that are right for it are run with all others.
    """
    exercise, result = written(item), Plan(item)
    check, probes = _checks(item, variant)
    cases = preludes(variant, [*check, *probes])
    asks = checks.asks(exercise)
    if seen is not None:
        for source, some in _mutants_to_run(item, seen, cases) if mutate else ():
            result.ask_cases(given.program(item, source, asks, MUTANT_LIMITS, some))
        return result
    main = claims.main_source(item, variant)
    holds = (step.holds for step in item.solution)
    asked = [*(Expr(text, exercise.at) for text in checks.observed(exercise)), *checks.stated(exercise)]
    result.ask(main, *asked, claims.matches(item), *claims.shown_expressions(item), *holds)
    authored = _authored(item, variant)
    for source in dict.fromkeys(authored):
        most = cases if mutate and source == authored[0] else cases[: len(check)]
        result.ask_cases(given.program(item, source, asks, claims.LIMITS, most))
    return result


def _mutants_to_run(item: Item, seen: Results, cases: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Mutants, and the inputs that are their turn: the first, and then all for those that passed it."""
    exercise = written(item)
    reference = seen.cases(claims.assemble(item, exercise.reference))
    if not passes_itself(item, reference, 1):
        return []
    sources = [source for source in dict.fromkeys(_mutated(item)) if not seen.has(source)]
    if sources:
        return [(source, cases[:1]) for source in sources]
    survivors = []
    for mutant in mutants.mutants(exercise.reference[0]):
        source = claims.assemble(item, (mutant.source,))
        run = seen.cases(source)
        once = len(run.cases) == 1 < len(cases)
        if once and all(_passed(exercise, run.cases, reference.cases[:1], mutant.source)):
            survivors.append((source, cases))
    return survivors


def _authored(item: Item, variant: Variant) -> list[str]:
    """The programs of the reference, the starter where there is one, and the mistakes."""
    exercise = written(item)
    answers = [exercise.reference, *([(exercise.starter,)] if exercise.starter else [])]
    return [claims.assemble(item, parts) for parts in (*answers, *(one.parts for one in wrong(item, variant)))]


def wrong(item: Item, variant: Variant) -> tuple[Wrong, ...]:
    """The mistakes that are there with the numbers of a variant."""
    return tuple(one for one in written(item).wrong if one.where is None or is_true(one.where, variant))


def _mutated(item: Item) -> list[str]:
    return [claims.assemble(item, (mutant.source,)) for mutant in mutants.mutants(written(item).reference[0])]


def prove(
    item: Item,
    variant: Variant,
    results: Results,
    *,
    mutate: bool = False,
    faulty: bool = False,
    mended: str = "leave out what should be found",
) -> Proof:
    """What the runs of `plan` established; `mended` says what to do where the starter passes.

    `faulty`: the starter is a mistake, which a check may be there for.
    """
    exercise = written(item)
    proof = proofs.prove(item, variant, results)
    findings = Findings(item, variant, list(proof.findings))
    check, _ = _checks(item, variant)
    mutated = list(dict.fromkeys(_mutated(item))) if mutate else []
    mutated = mutated if all(map(results.has, mutated)) else []  # where answers are judged, they are not run
    sources = list(dict.fromkeys([*_authored(item, variant), *mutated]))
    broken = [source for source in sources if results.cases(source).status is Status.NOT_RUN]
    if broken:
        note = results.cases(broken[0]).note
        findings.add("not-run", f"a program could not be run: {note}", item.at, "see `grader doctor`")
        return replace(proof, findings=tuple(findings.found))
    reference = results.cases(claims.assemble(item, exercise.reference))
    right = [seen(run) for run in reference.cases]
    counted = proof.claims + len(sources)
    if not passes_itself(item, reference, len(check)):
        said = first_trouble(reference) or "`holds` is false"
        findings.found = [finding for finding in findings.found if finding.code != "program-raises"]  # the same again
        error = next((case.error for case in reference.cases if case.error), None)
        refused = advice.refusal(error) if error else None
        said, hint = (f"{refused[0]} ({said})", refused[1]) if refused else (said, "fix it, or its check")
        findings.add("reference-fails", f"the reference is rejected: {said}", exercise.at, hint)
        return replace(proof, findings=tuple(findings.found), claims=counted)
    its = reference.cases[: len(check)]

    def passed(source: str, parts: tuple[str, ...]) -> list[bool]:
        return _passed(exercise, results.cases(source).cases, its, checks.source_of(parts))

    if exercise.starter and all(passed(claims.assemble(item, (exercise.starter,)), (exercise.starter,))):
        if exercise.observe.text == "run.lr_used" and not any(right):
            message, mended = (
                "`observe` is empty in this program: nothing is compared",
                "say what is compared: `observe: result`",
            )
            findings.add("starter-passes", message, exercise.at, mended)
        else:
            findings.add("starter-passes", "what is shown passes as it is", exercise.at, mended)
    failed = _judge_wrong(item, variant, results, findings, passed)
    if faulty:
        verdicts = passed(claims.assemble(item, (exercise.starter,)), (exercise.starter,))
        failed |= {place for place, right in enumerate(verdicts) if not right}
    if mutated:
        failed |= _judge_mutants(item, results, reference.cases, len(check), findings)
    if mutated or not mutate:
        _judge_checks(exercise, failed, findings)
    _judge_noise(exercise, its, findings)
    options = tuple(
        ProvenOption("; ".join(one.parts), _seen_first(item, results, one.parts), False, False, one.mistake)
        for one in wrong(item, variant)
    )
    answer = right[0] if right else None
    _judge_hints(item, proof, findings)
    return replace(proof, findings=tuple(findings.found), claims=counted, options=options, answer=answer)


def _seen_first(item: Item, results: Results, parts: tuple[str, ...]) -> Value:
    run = results.cases(claims.assemble(item, parts))
    return seen(run.cases[0]) if run.cases else {"ended": run.status.value}


def passes_itself(item: Item, reference: Observation, count: int, *, holds: bool = True) -> bool:
    """Whether the reference ran in the first `count` cases, without an error, and each `holds` is true, if asked."""
    exercise = written(item)
    cases = reference.cases[:count]
    observed = len(checks.observed(exercise))
    ran = bool(cases) and all(
        run.status is Status.OK and not any(asked.error for asked in run.asked[:observed]) for run in cases
    )
    source = checks.source_of(exercise.reference)
    return ran and (
        not holds
        or all(
            checks.looks_right(check, source) and all(checks.passes(exercise, check, run, run) for run in cases)
            for check in exercise.checks
        )
    )


def first_trouble(run: Observation) -> str:
    for case in run.cases:
        for asked in case.asked:
            if case.error or asked.error:
                return str(case.error or asked.error)
    return "" if run.cases else claims.ending(run)


def _passed(exercise: Written, cases: Sequence[Observation], right: Sequence[Observation], source: str) -> list[bool]:
    """For each check whether a program passes it."""
    if len(cases) < len(right):
        return [False] * len(exercise.checks)
    pairs = list(zip(cases, right, strict=False))
    return [
        all(checks.passes(exercise, check, case, its) for case, its in pairs) and checks.looks_right(check, source)
        for check in exercise.checks
    ]


Passed = Callable[[str, tuple[str, ...]], list[bool]]


def _judge_wrong(item: Item, variant: Variant, results: Results, findings: Findings, passed: Passed) -> set[int]:
    """Each mistake fails, and no two look alike. Returns which checks some mistake fails."""
    exercise, failed = written(item), set[int]()
    looks: list[tuple[Wrong, list[list[Value]]]] = []
    for one in wrong(item, variant):
        source = claims.assemble(item, one.parts)
        verdicts = passed(source, one.parts)
        failed |= {place for place, right in enumerate(verdicts) if not right}
        if all(verdicts):
            message = f"the mistake `{one.mistake}` passes"
            findings.add("mistake-passes", message, one.at, "choose cases in which it shows, or fix its code")
            continue
        if one.looks and not checks.occurs(one.looks, checks.source_of(one.parts)):
            message = f"the mistake `{one.mistake}` does not look as its `looks` says: `{brief(one.looks.text)}`"
            findings.add("mistake-differs", message, one.looks.at, "fix its code, or the pattern")
        look = [checks.everything(exercise, run) for run in results.cases(source).cases]
        for other, its in looks:
            if not (one.looks and other.looks) and alike(exercise, look, its):
                message = f"the mistakes `{other.mistake}` and `{one.mistake}` look alike in every case"
                hint = "choose cases that tell them apart, or say what the source `looks:` like"
                findings.add("options-collide", message, one.at, hint)
        looks.append((one, look))
    return failed


def alike(exercise: Written, one: Sequence[Sequence[Value]], other: Sequence[Sequence[Value]]) -> bool:
    """Whether two programs gave the same in every case; an array is not the same as a tensor of its numbers."""
    return len(one) == len(other) and all(
        difference(a, b, exercise.compare) is None
        for mine, its in zip(one, other, strict=True)
        for a, b in zip(mine, its, strict=True)
    )


def _judge_mutants(
    item: Item, results: Results, right: Sequence[Observation], check: int, findings: Findings
) -> set[int]:
    """A change of the reference that shows on other inputs is noticed by the check. Returns which checks notice one."""
    exercise, failed = written(item), set[int]()
    for mutant in mutants.mutants(exercise.reference[0]):
        run = results.cases(claims.assemble(item, (mutant.source,)))
        if len(run.cases) < len(right):  # it did not pass the first, or did not end: noticed
            verdicts = _passed(exercise, run.cases, right[: len(run.cases) or 1], mutant.source)
            failed |= {place for place, passed in enumerate(verdicts) if not passed}
            continue
        verdicts = _passed(exercise, run.cases, right[:check], mutant.source)
        failed |= {place for place, passed in enumerate(verdicts) if not passed}
        # Where the reference raises, or what it must be is only stated, there is no input to judge by.
        elsewhere = [
            (case, its) for case, its in zip(run.cases[check:], right[check:], strict=True) if its.status is Status.OK
        ]
        differs = [
            not checks.passes(exercise, one, case, its)
            for case, its in elsewhere
            for one in exercise.checks
            if checks.passes(exercise, one, its, its)
        ]
        if all(verdicts) and any(differs):
            line = exercise.reference[0].splitlines()[mutant.line - 1].strip()
            message = f"the check does not notice {mutant.what} in `{line}`"
            hint = "add a case in which it shows, such as a longer run or other inputs"
            findings.add("mutant-passes", message, exercise.at, hint)
    return failed


def _judge_checks(exercise: Written, failed: set[int], findings: Findings) -> None:
    """Each check that has a name is failed by some mistake or mutant: else it says nothing."""
    for place, check in enumerate(exercise.checks):
        if check.name and place not in failed:
            message = f"no mistake fails the check `{check.name}`"
            hint = "list a mistake that it is there for, or remove it"
            findings.add("check-idle", message, check.at, hint)


def _judge_noise(exercise: Written, right: Sequence[Observation], findings: Findings) -> None:
    """What is compared is more than rounding errors, unless the author has said what counts as 0."""
    if exercise.compare.atol is not None:
        return
    for run in right:
        for value in checks.everything(exercise, run):
            tensor = values.tensor(value)
            if tensor and tensor.dtype in ("float32", "float64") and 0 < scale_of(value) < NOISE:
                message = f"all of `{exercise.observe.text}` is smaller than {NOISE:g}: it may be rounding noise"
                hint = "say what counts as 0: `compare: {atol: 1e-6}`"
                findings.add("noise", message, exercise.observe.at, hint, Severity.WARNING)
                return


def _judge_hints(item: Item, proof: Proof, findings: Findings) -> None:
    """No hint holds a whole part of the answer, unless it is on show anyway."""
    shown = " ".join(f"{proof.stem} {item.program} {written(item).starter}".split())
    for hint, text in zip(item.hints, proof.hints, strict=True):
        for part in written(item).reference:
            plain = " ".join(part.split())
            if len(plain) > 3 and plain in " ".join(text.replace("`", "").split()) and plain not in shown:
                findings.add(
                    "hint-leaks", f"the hint says the answer: {brief(part)}", hint.at, "point at the way to it"
                )
