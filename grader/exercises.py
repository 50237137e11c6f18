"""What an exercise claims (`fill`, `order`, `code`, `repair`): its answer passes, and all else fails.

The reference passes its own check; the starter, each mistake and each mechanical mutant do not.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from grader import claims, judging, mutants, template
from grader.cases import draw, exercise_of, preludes, probes, seen
from grader.claims import Findings, Plan, Results
from grader.model import (
    Inputs,
    Interaction,
    Item,
    Limits,
    Observation,
    Program,
    Prompt,
    Proof,
    ProvenOption,
    Status,
    Value,
    Variant,
)
from grader.run.observe import HELPERS

MUTANT_LIMITS = Limits(cpu_seconds=2, memory_bytes=1 << 30, output_bytes=256 << 10)


def _checks(item: Item, variant: Variant) -> tuple[list[Inputs], list[Inputs]]:
    """The cases of the check as it is proven, and the probes."""
    exercise = exercise_of(item)
    seed = f"{item.id}\0{variant.index}"
    return [*exercise.given, *draw(exercise, seed, exercise.draws)], probes(exercise, seed)


def plan(item: Item, variant: Variant, *, mutate: bool = False) -> Plan:
    """Everything to run for an exercise: the reference, the starter, each mistake, and each mutant."""
    exercise, result = exercise_of(item), Plan()
    main = claims.main_source(item, variant)
    holds = (step.holds for step in item.solution)
    result.ask(main, exercise.observe, item.holds, claims.matches(item), *claims.shown_expressions(item), *holds)
    check, probes = _checks(item, variant)
    cases = preludes(variant, [*check, *probes])
    asks = tuple(expression.text for expression in (exercise.observe, item.holds) if expression)
    for source in _sources(item, mutate=mutate):
        limits = MUTANT_LIMITS if source not in (sources := _authored(item)) else claims.LIMITS
        most = cases if mutate and source in (sources[0], *_mutated(item)) else cases[: len(check)]
        result.ask_cases(Program(source, asks, claims.SEEDS[0], limits, most))
    return result


def _authored(item: Item) -> list[str]:
    """The programs of the reference, the starter where there is one, and the mistakes."""
    exercise = exercise_of(item)
    answers = [exercise.reference, *([(exercise.starter,)] if exercise.starter else [])]
    return [claims.assemble(item, parts) for parts in (*answers, *(wrong.parts for wrong in exercise.wrong))]


def _mutated(item: Item) -> list[str]:
    return [claims.assemble(item, (mutant.source,)) for mutant in mutants.mutants(exercise_of(item).reference[0])]


def _sources(item: Item, *, mutate: bool) -> list[str]:
    return list(dict.fromkeys([*_authored(item), *(_mutated(item) if mutate else [])]))


def judge(item: Item, variant: Variant, results: Results, *, mutate: bool = False) -> Proof:
    """What the runs of `plan` established."""
    exercise = exercise_of(item)
    proof = judging.judge(item, variant, results)
    findings = Findings(item, variant, list(proof.findings))
    check, _ = _checks(item, variant)
    sources = _sources(item, mutate=mutate)
    broken = [source for source in sources if results.cases(source).status is Status.NOT_RUN]
    if broken:
        note = results.cases(broken[0]).note
        findings.add("not-run", f"a program could not be run: {note}", item.at, "see `grader doctor`")
        return replace(proof, findings=tuple(findings.found))
    reference = results.cases(claims.assemble(item, exercise.reference))
    right = [seen(run) for run in reference.cases]
    counted = proof.claims + len(sources)
    if not passes_itself(item, reference, len(check)):
        said = first_trouble(reference) or ("`holds` is false" if item.holds else "what it gives is not a number")
        findings.found = [finding for finding in findings.found if finding.code != "program-raises"]  # the same again
        findings.add("reference-fails", f"the reference is rejected: {said}", exercise.at, "mend it, or its check")
        return replace(proof, findings=tuple(findings.found), claims=counted)

    def passes(source: str) -> bool:
        return _passes(item, results.cases(source), right[: len(check)])

    if exercise.starter and passes(claims.assemble(item, (exercise.starter,))):
        hint = (
            "change the item's id, which mixes the lines" if item.kind == "order" else "leave out what is to be found"
        )
        findings.add("starter-passes", "what is shown passes as it is", exercise.at, hint)
    _judge_wrong(item, results, right[: len(check)], findings, passes)
    if mutate:
        _judge_mutants(item, results, right, len(check), findings)
    options = tuple(
        ProvenOption("; ".join(wrong.parts), _seen_first(item, results, wrong.parts), False, False, wrong.mistake)
        for wrong in exercise.wrong
    )
    answer = right[0] if right else None
    _judge_hints(item, proof, findings)
    return replace(proof, findings=tuple(findings.found), claims=counted, options=options, answer=answer)


def _seen_first(item: Item, results: Results, parts: tuple[str, ...]) -> Value:
    run = results.cases(claims.assemble(item, parts))
    return seen(run.cases[0]) if run.cases else {"ended": run.status.value}


def passes_itself(item: Item, reference: Observation, count: int) -> bool:
    """Whether the reference ran in the first `count` cases, without an error, and its `holds` is true."""
    cases = reference.cases[:count]
    ran = bool(cases) and all(run.status is Status.OK and not run.asked[0].error for run in cases)
    ran = ran and all(judging.equal(seen(run), seen(run), item.tolerance) for run in cases)  # NaN equals nothing
    return ran and (item.holds is None or all(run.asked[1].value is True for run in cases))


def first_trouble(run: Observation) -> str:
    for case in run.cases:
        for asked in case.asked:
            if case.error or asked.error:
                return str(case.error or asked.error)
    return "" if run.cases else claims.ending(run)


def _passes(item: Item, run: Observation, right: Sequence[Value]) -> bool:
    if len(run.cases) < len(right):
        return False
    pairs = zip(run.cases, right, strict=False)
    if item.holds:
        return all(case.status is Status.OK and case.asked[1].value is True for case, _ in pairs)
    return all(case.status is Status.OK and judging.equal(seen(case), value, item.tolerance) for case, value in pairs)


def _judge_wrong(
    item: Item, results: Results, right: list[Value], findings: Findings, passes: Callable[[str], bool]
) -> None:
    """Each mistake fails, and no two look alike."""
    looks: list[tuple[str, list[Value]]] = []
    for wrong in exercise_of(item).wrong:
        source = claims.assemble(item, wrong.parts)
        if passes(source):
            message = f"the mistake `{wrong.mistake}` passes"
            findings.add("mistake-passes", message, wrong.at, "choose cases in which it shows, or mend its code")
            continue
        look = [seen(run) for run in results.cases(source).cases]
        for other, its in looks:
            if len(look) == len(its) and all(
                judging.equal(a, b, item.tolerance) for a, b in zip(look, its, strict=True)
            ):
                message = f"the mistakes `{other}` and `{wrong.mistake}` look alike in every case"
                findings.add("options-collide", message, wrong.at, "choose cases that tell them apart")
        if right:
            looks.append((wrong.mistake, look))


def _judge_mutants(item: Item, results: Results, right: list[Value], check: int, findings: Findings) -> None:
    """A change of the reference that shows on other inputs is noticed by the check."""
    exercise = exercise_of(item)
    for mutant in mutants.mutants(exercise.reference[0]):
        run = results.cases(claims.assemble(item, (mutant.source,)))
        if len(run.cases) < len(right):
            continue  # it did not end: noticed
        same = [
            case.status is Status.OK and judging.equal(seen(case), value, item.tolerance)
            for case, value in zip(run.cases, right, strict=True)
            if not isinstance(value, dict)  # the reference raises here: no input to judge by
        ]
        if all(same[:check]) and not all(same):
            line = exercise.reference[0].splitlines()[mutant.line - 1].strip()
            message = f"the check does not notice {mutant.what} in `{line}`"
            hint = "add a case in which it shows, such as a longer run or other inputs"
            findings.add("mutant-passes", message, exercise.at, hint)


def _judge_hints(item: Item, proof: Proof, findings: Findings) -> None:
    """No hint holds a whole part of the answer, unless it is on show anyway."""
    shown = " ".join(f"{proof.stem} {item.program} {exercise_of(item).starter}".split())
    for hint, text in zip(item.hints, proof.hints, strict=True):
        for part in exercise_of(item).reference:
            plain = " ".join(part.split())
            if len(plain) > 3 and plain in " ".join(text.replace("`", "").split()) and plain not in shown:
                findings.add(
                    "hint-leaks", f"the hint says the answer: {judging.brief(part)}", hint.at, "point at the way to it"
                )


def check_holds(item: Item, findings: Findings) -> None:
    """`holds` speaks of the observation alone: it is asked where the program's own names are not."""
    if item.holds is None:
        return
    known = {"run", *HELPERS, *vars(builtins), *(name for name, _ in item.variants[0].values)}
    tree = ast.parse(f"({item.holds.text}\n)", mode="eval")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for name in sorted({node.id for node in names} - known):
        message = f"`holds` uses `{name}`, which is not known outside of the learner's program"
        findings.add("bad-expression", message, item.holds.at, "use `run`, the parameters and the helpers")


def check_cases(item: Item, findings: Findings) -> None:
    """Names of inputs are the same in every case, and those that are drawn are among them."""
    exercise = exercise_of(item)
    names = [name for name, _ in exercise.given[0]]
    for inputs in exercise.given:
        if {name for name, _ in inputs} != set(names):
            message = "the cases have not all the same names"
            findings.add("bad-field", message, exercise.at, "give each case every name")
    hidden = {one.name for one in exercise.hidden}
    if hidden and hidden != set(names):
        message = f"hidden cases draw {', '.join(sorted(hidden))}; given ones have {', '.join(names) or 'no names'}"
        findings.add("bad-field", message, exercise.at, "draw each name that a given case has")
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            findings.add("bad-field", f"`{name}` cannot be an input", exercise.at, "use a plain Python name")
    if item.program.count(claims.ANSWER) > 1:
        message = f"`{claims.ANSWER}` stands twice in the program"
        findings.add("bad-field", message, item.program_at or item.at, "keep one of them")
    for one in exercise.hidden:
        if not (math.isfinite(one.low) and math.isfinite(one.high)):
            message = f"`{one.name}` is drawn from {one.low} to {one.high}"
            findings.add("bad-field", message, exercise.at, "give both ends as numbers")
        elif not one.values and one.low >= one.high:
            message = f"`{one.name}` is drawn from {one.low} to {one.high}"
            findings.add("bad-field", message, exercise.at, "write `{from: 2, to: 9}`, the smaller one first")
    if taken := {name for name, _ in item.variants[0].values} & set(names):
        message = f"`{min(taken)}` is a parameter and an input of the cases"
        findings.add("bad-field", message, exercise.at, "give one of them another name")
    try:
        ast.parse(exercise.reference[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        nested = isinstance(error, RecursionError | MemoryError)
        said = "it is nested too deeply" if nested else str(error)
        said = f"{error.msg}, in its line {error.lineno}" if isinstance(error, SyntaxError) else said
        findings.add("reference-fails", f"the reference is not Python: {said}", exercise.at, "mend it")


def prompt_text(item: Item, variant: Variant, proof: Proof | None) -> str | None:
    """The stem, where it can be shown."""
    if proof is not None:
        return proof.stem
    values = claims.known(item.stem.expressions, variant)
    return None if values is None else template.fill(item.stem, values)


def prompt(item: Item, variant: Variant, proof: Proof | None, interaction: Interaction) -> Prompt | None:
    """The prompt of an exercise; None where its stem takes a proof that is not there yet."""
    stem = prompt_text(item, variant, proof)
    if stem is None:
        return None
    program = claims.shown_program(item, variant)
    return Prompt(item.id, item.kind, item.level, item.skill, variant, stem, program, interaction, len(item.hints))
