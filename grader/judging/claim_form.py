"""What is wrong with an item's claims as they are written, before anything is run."""

from __future__ import annotations

import builtins
import itertools
import re

from grader import template
from grader.judging import advice, mutants
from grader.judging.bodies import Option, Written, claimed
from grader.judging.claims import ANSWER, LONGEST_PROGRAM, LONGEST_PROGRAMS, Findings
from grader.judging.parameters import NotPlainError, is_true
from grader.model import (
    Expr,
    Item,
)
from grader.runner.inside.helpers import HELPERS


def check_size(item: Item, findings: Findings) -> None:
    """No program grows without end when an answer is put into it. It is to be called before any is made."""
    lines = item.program.split("\n")
    indent = max(map(len, lines))
    options, exercise = claimed(item).options, item.body if isinstance(item.body, Written) else None
    answers = [option.code for option in options if option.code is not None]
    if exercise:
        answers += ["\n".join(parts) for parts in (exercise.reference, *(wrong.parts for wrong in exercise.wrong))]
    places = len(re.findall(r"\.\.\.(?:option|answer|[1-9])\.\.\.", item.program))
    longest = max((len(answer) + indent * (answer.count("\n") + 1) for answer in answers), default=0)
    if len(item.program) + places * longest > LONGEST_PROGRAM:
        message = f"with an answer in its {places} places the program has over {LONGEST_PROGRAM:,} characters"
        findings.add("bad-field", message, item.program_at or item.at, "make it smaller")
    programs = (len(answers) + mutants.MOST if exercise else len(options) + 1) * len(item.variants)
    if programs * (len(item.program) + places * longest) > LONGEST_PROGRAMS:
        message = f"the {programs} programs that prove this item have over {LONGEST_PROGRAMS:,} characters"
        findings.add("bad-field", message, item.program_at or item.at, "make it smaller, or take fewer variants")
    for option in options:
        program = item.program
        for old, new in option.instead:
            if len(program) + program.count(old) * (len(new) - len(old)) > LONGEST_PROGRAM:
                message = f"with `instead` the program has over {LONGEST_PROGRAM:,} characters"
                findings.add("bad-field", message, option.at, "replace a larger piece, which occurs once")
                break
            program = program.replace(old, new)


def check_form(item: Item, findings: Findings) -> None:
    """Each option makes one claim, in a form that the item supports."""
    body = claimed(item)
    for option in body.options:
        if option.where is not None:
            check_where(item, option.where, findings)
    for option in body.options:
        forms = [n for n in ("value", "code", "holds", "says") if getattr(option, n) is not None]
        if not forms and item.imported and option.text:
            continue  # nobody has said what it claims; it is told when it is proven
        if not forms:
            message = "this option claims nothing that could be run"
            findings.add("unproven", message, option.at, "give it a `value`, a `code` or a `holds`")
        elif len(forms) > 1:
            message = f"this option makes its claim twice: {' and '.join(forms)}"
            findings.add("bad-field", message, option.at, "keep one of them")
        elif option.says and not body.answer and not item.wanted:
            message = "this option `says` a value, but the item has no `answer` to compare it with"
            findings.add("unproven", message, option.at, "add `answer:`, such as `run.stdout`")
        elif option.value and not body.answer:
            message = "this option has a `value`, but the item has no `answer` to compare it with"
            findings.add("unproven", message, option.at, "add `answer:`, such as `run.lr_used[0]`")
        elif option.code is not None and not body.holds:
            message = "this option has `code`, but the item has no `holds` to judge it by"
            findings.add("unproven", message, option.at, "add `holds:`, true only with the right code")
        elif option.holds and not option.text:
            message = "this option has a `holds`, but no `text` to show"
            findings.add("bad-field", message, option.at, "add `text:`, the statement that it proves")
        check_evidence(item, option, findings)
    for option, following in itertools.pairwise(body.options):
        if option.last and not following.last:
            message = "this option has `last: true`, and others follow it"
            findings.add("bad-field", message, option.at, "write it at the end, where it stays")


def check_yields(item: Item, findings: Findings) -> None:
    """Each listed wrong value says how its mistake comes by it."""
    for option in claimed(item).options:
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


def check_where(item: Item, where: Expr, findings: Findings) -> None:
    """A `where` can be decided by the parameters, and is true of some variant."""
    try:
        if True not in [is_true(where, variant) for variant in item.variants]:
            hint = "remove what it stands at, or widen it"
            findings.add("bad-field", f"`where: {where.text}` is true in no variant", where.at, hint)
    except NotPlainError as error:
        names = ", ".join(name for name, _ in item.variants[0].values) or "none"
        message = f"`where: {template.brief(where.text)}` cannot be decided by the parameters alone: {error}"
        findings.add("bad-expression", message, where.at, f"compare parameters (here: {names}) with values: `p != 0.5`")


def check_place(item: Item, findings: Findings) -> None:
    """The program has a place for the answer, where it uses what the answer defines."""
    if name := advice.forgotten_place(item, ANSWER):
        message = (
            f"the program uses `{name}`, which the answer defines, and has no `{ANSWER}`: the answer comes after it"
        )
        hint = f"put `{ANSWER}` on a line of its own, where the answer should stand"
        findings.add("bad-field", message, item.program_at or item.at, hint)


def check_not_typed(item: Item, findings: Findings) -> None:
    """What is claimed of a run is computed from it: a claim without a name of the program can never be false."""
    body = item.body
    said: list[tuple[str, Expr | None]] = [("holds", step.holds) for step in item.solution]
    said += [("data", figure.data) for figure in item.figures]
    if isinstance(body, Written):
        said += [("observe", check.observe) for check in body.checks]
        said += [("holds", check.holds) for check in body.checks]
    else:
        options = claimed(item).options
        said += [("answer", claimed(item).answer), ("holds", claimed(item).holds)]
        said += [("holds", option.holds) for option in options] + [("because", option.because) for option in options]
    words = set(re.findall(r"\w+", item.program))
    own = {*HELPERS, *(name for name, _ in item.variants[0].values)}
    typed = {*vars(builtins), *(own - words)}
    for field_name, expression in said:
        if expression is not None and (template.names_in(expression.text) or set()) <= typed:
            message = f"`{field_name}: {template.brief(expression.text)}` does not look at the program: it cannot fail"
            findings.add("unproven", message, expression.at, "use the program's names, or `run`")
