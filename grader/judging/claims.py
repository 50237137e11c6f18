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

from grader import template
from grader.judging import advice, given
from grader.judging.bodies import Option, Written, claimed
from grader.judging.parameters import NotPlainError, is_true
from grader.model import (
    Asked,
    Expr,
    Finding,
    Item,
    Limits,
    Observation,
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

CODE_PLACE = "# your code goes here"
"""What a learner sees there."""

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

    def __init__(self, item: Item) -> None:
        self._item = item
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

    def include(self, other: Plan) -> None:
        """Have everything run that another plan has."""
        for source, asks in other._asks.items():
            self._asks.setdefault(source, {}).update(asks)
        self._once |= other._once
        self._cases |= other._cases

    @property
    def programs(self) -> list[Program]:
        """Every program, with each of the seeds, in a fixed order."""
        single = [
            given.program(self._item, source, tuple(asks), LIMITS, seed=seed)
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

    def add(self, programs: Sequence[Program], observations: Sequence[Observation]) -> None:
        """Also these; of what was run with other cases before, they count."""
        for program, observation in zip(programs, observations, strict=True):
            self._cases[program.source] = observation

    def has(self, source: str) -> bool:
        """Whether a program was run with cases."""
        return source in self._cases

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

    def difference(self) -> str:
        """What differs between the runs of the first source whose runs did not all do the same; else empty."""
        for source, runs in self._runs.items():
            other = next((run for run in runs if run.essence != runs[0].essence), None)
            if other:
                return advice.difference(self._asks[source], runs[0], other)
        return ""


def ending(run: Observation) -> str:
    return run.note or (str(run.error) if run.error else run.status.value)


# ---------------------------------------------------------------- programs


def put(program: str, code: str, hole: str = HOLE) -> str:
    """The program with `code` in the place of the hole; after the program, where it has no such place."""
    code = code.rstrip("\n")
    if not hole or hole not in program:
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
    if isinstance(item.body, Written):
        return variant.prelude + assignments(item.body.given[0]) + assemble(item, item.body.reference)
    key = next((option.code for option in shown_options(item, variant) if option.key and option.code), None)
    program = put(item.program, key) if key else item.program
    return variant.prelude + program


def option_source(item: Item, variant: Variant, option: Option) -> str:
    """The program that an option's claim or evidence is about."""
    if option.code is not None:
        return variant.prelude + put(item.program, option.code)
    if option.program is not None:
        return variant.prelude + item.setup + option.program
    if option.instead:
        program = item.program
        for old, new in option.instead:
            program = program.replace(old, new)
        return variant.prelude + program
    return main_source(item, variant)


def shown_program(item: Item, variant: Variant, place: str = CODE_PLACE) -> str:
    """The program as the learner sees it: it runs when copied after what is given, once the blank is filled."""
    program = item.own_program.replace(HOLE, "____").replace(ANSWER, place)
    prelude = "" if item.given else variant.prelude
    return (prelude + re.sub(r"\.\.\.(\d)\.\.\.", r"__\1__", program)).strip("\n")


def place_of(item: Item, variant: Variant, line: int | None) -> Span:
    """The place in the bank's files of a line of the item's program as it was run: of its own, or of a setup."""
    at, own = item.program_at or item.at, (line or 1) - 1 - variant.prelude.count("\n")
    if isinstance(item.body, Written):
        own -= assignments(item.body.given[0]).count("\n")
    for setup in item.given:
        if 0 <= own < setup.source.count("\n"):
            return Span(setup.at.path, setup.at.line + own, setup.at.column)
        own -= setup.source.count("\n")
    return Span(at.path, at.line + max(0, min(own, item.own_program.count("\n") - 1)), at.column)


# ---------------------------------------------------------------- planning


def plan(item: Item, variant: Variant, seen: Results | None = None) -> Plan:
    """Everything to run for an item whose options make claims; nothing more once it was `seen`."""
    result, body = Plan(item), claimed(item)
    if seen is not None:
        return result
    main = main_source(item, variant)
    holds = (step.holds for step in item.solution)
    result.ask(main, body.answer, matches(item), *shown_expressions(item), *holds)
    if body.answer and (body.published or any(option.says for option in body.options)):
        result.ask(main, shown_forms(body.answer))
    for name in body.exists:
        result.ask(main, there(name))
    for code in body.runs:
        result.ask(code_source(item, variant, code), once=True)
    for option in shown_options(item, variant):
        own = option_source(item, variant, option)
        result.ask(main, option.value)
        if option.yields or option.instead:
            result.ask(own, option.yields or body.answer, once=True)
        result.ask(own, body.holds if option.code is not None else option.holds, option.because)
    return result


def shown_forms(answer: Expr) -> Expr:
    """The texts by which Python shows an answer, to be compared with what somebody has published."""
    return Expr(f"[f(({answer.text}\n)) for f in (str, repr)]", answer.at)


def there(name: Expr) -> Expr:
    """Whether a dotted name leads somewhere; it raises where it does not."""
    return Expr(f"bool([__import__('pkgutil').resolve_name({name.text!r})])", name.at)


def code_source(item: Item, variant: Variant, code: Expr) -> str:
    """The program of code that is shown as working: it stands after the item's own."""
    return variant.prelude + put(item.program, code.text, "")


def shown_options(item: Item, variant: Variant) -> tuple[Option, ...]:
    """The options that are there with the numbers of a variant."""
    return tuple(one for one in claimed(item).options if one.where is None or is_true(one.where, variant))


def options_by_variant(item: Item) -> list[tuple[Option, ...]]:
    """The options of each variant; none where a `where` cannot be decided, which is a finding of its own."""
    try:
        return [shown_options(item, variant) for variant in item.variants]
    except NotPlainError:
        return []


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
    return [item.stem, *item.hints, *steps, *(option.text for option in claimed(item).options if option.text)]


def shown_expressions(item: Item) -> list[Expr]:
    """What is shown of the item's run: in its texts, and in its figures."""
    return [*expressions_of_texts(item), *(figure.ask for figure in item.figures)]


def expressions_of_texts(item: Item) -> list[Expr]:
    """The expressions in braces, of all of its texts."""
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
    options = shown_options(item, variant)
    values = [option.value for option in options if option.value and not option.text]
    texts = [item.stem, *(option.text for option in options if option.text)]
    asked = known([*values, *(expression for text in texts for expression in text.expressions)], variant)
    if asked is None:
        return None
    return template.fill(item.stem, asked), tuple(option_text(option, asked) for option in options)


def option_text(option: Option, values: dict[str, Asked]) -> str:
    """An option as the learner sees it."""
    if option.text:
        return template.fill(option.text, values)
    if option.code is not None:
        return option.code.strip("\n")
    if option.says:
        return option.says.text.strip("\n")
    asked = values.get(option.value.text) if option.value else None
    return show(asked.value) if asked and not asked.error else "?"
