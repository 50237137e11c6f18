"""What an item claims, what has to be run to prove it, and what the runs say. Pure: runs nothing itself.

An option makes its claim in one of three forms: by `value` (against the item's `answer`), by `code` (put into the
program, against the item's `holds`), or by `holds` of its own. A wrong option carries evidence of its mistake:
`instead` and `yields` compute its value as the mistake would, `because` says how its code or statement fails.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader import mutants, template
from grader.model import (
    Asked,
    Expr,
    Finding,
    Item,
    Limits,
    Observation,
    Option,
    Program,
    Severity,
    Span,
    Text,
    Variant,
    assignments,
)
from grader.template import show

HOLE = "...option..."
"""Where an option's code is put into the program."""

ANSWER = "...answer..."
"""Where the learner's lines or code are put into the program."""

LIMITS = Limits(cpu_seconds=10, memory_bytes=2 << 30, output_bytes=256 << 10)
LONGEST_PROGRAM = 100_000
"""Characters of a program with an answer in its place."""

LONGEST_PROGRAMS = 32 << 20
"""Characters of all programs of an item together."""

SEEDS = (1, 2)
"""Each program that a claim rests on is run with each seed: what depends on chance comes out different."""


@dataclass(slots=True)
class Findings:
    """Collects what is wrong with one item (and one variant)."""

    item: Item
    variant: Variant = field(default_factory=Variant)
    found: list[Finding] = field(default_factory=list)

    def add(self, code: str, message: str, at: Span, hint: str, severity: Severity = Severity.ERROR) -> None:
        said = template.in_a_line(message)  # with what a program said in it
        self.found.append(Finding(code, said, at, hint, severity, self.item.id, self.variant.values))


class Plan:
    """The programs of one variant, each with the expressions to evaluate in it. Equal programs are run once."""

    def __init__(self) -> None:
        self._asks: dict[str, dict[str, None]] = {}
        self._once: set[str] = set()
        self._cases: dict[str, Program] = {}

    def ask(self, source: str, *expressions: Expr | None, once: bool = False) -> None:
        """Have `source` run, and these expressions evaluated in it. `once` is for what is evidence, not a claim."""
        if source not in self._asks and once:
            self._once.add(source)
        asks = self._asks.setdefault(source, {})
        asks.update({expression.text: None for expression in expressions if expression})

    def ask_cases(self, program: Program) -> None:
        """Have a program run with all its cases; it may end as it likes."""
        self._cases[program.source] = program

    @property
    def programs(self) -> list[Program]:
        """Every program, with each of the seeds, in a fixed order."""
        single = [
            Program(source, tuple(asks), seed, LIMITS)
            for source, asks in self._asks.items()
            for seed in (SEEDS[:1] if source in self._once else SEEDS)
        ]
        return [*single, *self._cases.values()]


class Results:
    """The observations of a plan's programs, looked up by source and expression."""

    def __init__(self, programs: Sequence[Program], observations: Sequence[Observation]) -> None:
        self._runs: dict[str, list[Observation]] = {}
        self._cases: dict[str, Observation] = {}
        self._asks = {program.source: program.asks for program in programs if not program.cases}
        for program, observation in zip(programs, observations, strict=True):
            if program.cases:
                self._cases[program.source] = observation
            else:
                self._runs.setdefault(program.source, []).append(observation)

    def __iter__(self) -> itertools.chain[Observation]:
        return itertools.chain.from_iterable(self._runs.values())

    def observation(self, source: str) -> Observation:
        return self._runs[source][0]

    def cases(self, source: str) -> Observation:
        """The observation of a program that was run with cases."""
        return self._cases[source]

    def values(self, source: str) -> dict[str, Asked]:
        """The values of all expressions asked of a program; of none where it did not come to an end."""
        return dict(zip(self._asks[source], self._runs[source][0].asked, strict=False))

    def value(self, source: str, expression: Expr) -> Asked:
        nothing = Asked(error=ending(self._runs[source][0]))
        return self.values(source).get(expression.text, nothing)

    def differing(self) -> list[str]:
        """The sources whose runs did not all do the same."""
        return [source for source, runs in self._runs.items() if len({run.essence for run in runs}) > 1]


def ending(run: Observation) -> str:
    return run.note or (str(run.error) if run.error else run.status.value)


# ---------------------------------------------------------------- programs


def put(program: str, code: str, hole: str = HOLE) -> str:
    """The program with `code` in the place of the hole; after the program, where it has no such place."""
    code = code.rstrip("\n")
    if hole not in program:
        return f"{program.rstrip()}\n{code}\n".lstrip("\n")
    lines = []
    for line in program.rstrip("\n").split("\n"):
        if line.strip() == hole:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + part if part else part for part in code.split("\n")]
        else:
            lines.append(line.replace(hole, code))
    return "\n".join(lines) + "\n"


def blank(number: int) -> str:
    """How an author marks the place of a blank, counted from 1."""
    return f"...{number}..."


def assemble(item: Item, parts: Sequence[str]) -> str:
    """The program of an exercise with an answer in its place: its blanks filled, its lines or its code put in."""
    if blank(1) not in item.program:
        return put(item.program, "\n".join(parts), ANSWER)
    return re.sub(r"\.\.\.([1-9])\.\.\.", lambda place: parts[int(place[1]) - 1], item.program)


def main_source(item: Item, variant: Variant) -> str:
    """The item's program as it is when the right option, or a right answer, is in its place."""
    if item.exercise:
        return variant.prelude + assignments(item.exercise.given[0]) + assemble(item, item.exercise.reference)
    key = next((option.code for option in item.options if option.key and option.code), None)
    program = put(item.program, key) if key else item.program
    return variant.prelude + program


def option_source(item: Item, variant: Variant, option: Option) -> str:
    """The program that an option's claim or evidence is about."""
    if option.code is not None:
        return variant.prelude + put(item.program, option.code)
    if option.program is not None:
        return variant.prelude + option.program
    if option.instead:
        program = item.program
        for old, new in option.instead:
            program = program.replace(old, new)
        return variant.prelude + program
    return main_source(item, variant)


def shown_program(item: Item, variant: Variant) -> str:
    """The program as the learner sees it: it runs when copied, once the blank is filled."""
    program = item.program.replace(HOLE, "____").replace(
        ANSWER, "# the lines go here" if item.kind == "order" else "# your code goes here"
    )
    return (variant.prelude + re.sub(r"\.\.\.(\d)\.\.\.", r"__\1__", program)).strip("\n")


# ---------------------------------------------------------------- planning


def plan(item: Item, variant: Variant) -> Plan:
    """Everything to run for an item whose options make claims."""
    result = Plan()
    main = main_source(item, variant)
    holds = (step.holds for step in item.solution)
    result.ask(main, item.answer, matches(item), *shown_expressions(item), *holds)
    for option in item.options:
        own = option_source(item, variant, option)
        result.ask(main, option.value)
        if option.yields or option.instead:
            result.ask(own, option.yields or item.answer, once=True)
        result.ask(own, item.holds if option.code is not None else option.holds, option.because)
    return result


def matches(item: Item) -> Expr | None:
    """Which of the warnings are expected ones.

    A stranger's regular expression may take for ever: it is matched where the program runs, within its limits.
    """
    if item.warns is None:
        return None
    known = f"[__import__('re').compile({item.warns.text!r})]"
    return Expr(f"[bool(one.search(said)) for one in {known} for said in run.warnings]", item.warns.at)


def _texts(item: Item) -> list[Text]:
    steps = [step.text for step in item.solution]
    return [item.stem, *item.hints, *steps, *(option.text for option in item.options if option.text)]


def shown_expressions(item: Item) -> list[Expr]:
    return [expression for text in _texts(item) for expression in text.expressions]


def known(expressions: Sequence[Expr], variant: Variant) -> dict[str, Asked] | None:
    """The values of expressions that need no run (parameters and literals); None where some need one."""
    parameters, values = dict(variant.values), {}
    for expression in expressions:
        if expression.text in parameters:
            values[expression.text] = Asked(parameters[expression.text])
            continue
        try:
            values[expression.text] = Asked(ast.literal_eval(expression.text))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
    return values


def shown_before_proof(item: Item, variant: Variant) -> tuple[str, tuple[str, ...]] | None:
    """The stem and the options as text, where that needs no run."""
    values = [option.value for option in item.options if option.value and not option.text]
    texts = [item.stem, *(option.text for option in item.options if option.text)]
    asked = known([*values, *(expression for text in texts for expression in text.expressions)], variant)
    if asked is None:
        return None
    return template.fill(item.stem, asked), tuple(option_text(option, asked) for option in item.options)


def option_text(option: Option, values: dict[str, Asked]) -> str:
    """An option as the learner sees it."""
    if option.text:
        return template.fill(option.text, values)
    if option.code is not None:
        return option.code.strip("\n")
    asked = values.get(option.value.text) if option.value else None
    return show(asked.value) if asked and not asked.error else "?"


# ---------------------------------------------------------------- checking what is written


def check_size(item: Item, findings: Findings) -> None:
    """No program grows without end when an answer is put into it. It is to be called before any is made."""
    lines = item.program.split("\n")
    indent = max(map(len, lines))
    answers = [option.code for option in item.options if option.code is not None]
    if item.exercise:
        answers += ["\n".join(parts) for parts in (item.exercise.reference, *(w.parts for w in item.exercise.wrong))]
    places = len(re.findall(r"\.\.\.(?:option|answer|[1-9])\.\.\.", item.program))
    longest = max((len(answer) + indent * (answer.count("\n") + 1) for answer in answers), default=0)
    if len(item.program) + places * longest > LONGEST_PROGRAM:
        message = f"with an answer in its {places} places the program has over {LONGEST_PROGRAM:,} characters"
        findings.add("bad-field", message, item.program_at or item.at, "make it smaller")
    programs = (len(answers) + mutants.MOST if item.exercise else len(item.options) + 1) * len(item.variants)
    if programs * (len(item.program) + places * longest) > LONGEST_PROGRAMS:
        message = f"the {programs} programs that prove this item have over {LONGEST_PROGRAMS:,} characters"
        findings.add("bad-field", message, item.program_at or item.at, "make it smaller, or take fewer variants")
    for option in item.options:
        program = item.program
        for old, new in option.instead:
            if len(program) + program.count(old) * (len(new) - len(old)) > LONGEST_PROGRAM:
                message = f"with `instead` the program has over {LONGEST_PROGRAM:,} characters"
                findings.add("bad-field", message, option.at, "replace a larger piece, which occurs once")
                break
            program = program.replace(old, new)


def check_form(item: Item, findings: Findings) -> None:
    """Each option makes one claim, in a form that the item supports."""
    for option in item.options:
        forms = [n for n in ("value", "code", "holds") if getattr(option, n) is not None]
        if not forms:
            message = "this option claims nothing that could be run"
            findings.add("unproven", message, option.at, "give it a `value`, a `code` or a `holds`")
        elif len(forms) > 1:
            message = f"this option makes its claim twice: {' and '.join(forms)}"
            findings.add("bad-field", message, option.at, "keep one of them")
        elif option.value and not item.answer:
            message = "this option has a `value`, but the item has no `answer` to compare it with"
            findings.add("unproven", message, option.at, "add `answer:`, such as `run.lr_used[0]`")
        elif option.code is not None and not item.holds:
            message = "this option has `code`, but the item has no `holds` to judge it by"
            findings.add("unproven", message, option.at, "add `holds:`, true only with the right code")
        elif option.holds and not option.text:
            message = "this option has a `holds`, but no `text` to show"
            findings.add("bad-field", message, option.at, "add `text:`, the statement that it proves")
        check_evidence(item, option, findings)


def check_yields(item: Item, findings: Findings) -> None:
    """Each listed wrong value says how its mistake comes by it."""
    for option in item.options:
        if not option.yields and not option.instead:
            message = f"nothing says how the mistake `{option.mistake}` gets its value"
            findings.add("unproven", message, option.at, "add `yields:` or `instead:`")
        check_evidence(item, option, findings)


def check_evidence(item: Item, option: Option, findings: Findings) -> None:
    """What ties an option to its mistake fits the form of its claim."""
    if option.key and (option.mistake or option.instead or option.yields or option.because):
        findings.add("bad-field", "the key has no mistake", option.at, "remove the mistake, or move the key")
    for old, _ in option.instead:
        if not old or old not in item.program:
            message = f"`instead` replaces `{template.brief(old)}`, which is not in the program"
            findings.add("bad-field", message, option.at, "copy the piece from the program, spaces and all")
    if option.instead and (option.code is not None or option.program is not None):
        findings.add("bad-field", "`instead` goes with `value`", option.at, "use `because` to say how it fails")
    if option.program is not None and not option.holds:
        findings.add("bad-field", "a `program` of an option goes with `holds`", option.at, "add `holds`")
