"""What is said of an answer that was run: of its handing in, of its source, of how it ended and what it raised."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from grader import template
from grader.judging import checks, claims, error_meanings
from grader.judging.bodies import Check
from grader.judging.inputs import preludes
from grader.model import (
    Inputs,
    Item,
    Limits,
    Observation,
    Response,
    Status,
    Variant,
)
from grader.runner.processes import WAITED


def overwritten(item: Item, inputs: Inputs, parts: Sequence[str]) -> str:
    """An input that the answer assigns to, outside of functions, and the rest of the program uses."""
    rest = item.program.partition(claims.ANSWER)[2]
    assigned = re.findall(r"^(\w+)\s*=(?!=)", checks.source_of(parts), re.MULTILINE)
    return next((name for name, _ in inputs if name in assigned and re.search(rf"\b{name}\b", rest)), "")


def unwelcome(check: Check, source: str) -> str:
    """What is said of source that is not as it should be: of several patterns the first that it goes against."""
    said = check.says or ("It works, but it is written in a way that is not asked for here" if check.forbid else
                          "It works, but it does not use what is asked for here")  # fmt: skip
    against = [pattern.text for pattern in check.forbid if checks.occurs(pattern, source)]
    against += [pattern.text for pattern in check.require if not checks.occurs(pattern, source)]
    return said if check.says else f"{said}: `{template.brief(against[0])}`."


def mishap(item: Item, inputs: Inputs, response: Response, trouble: Observation) -> str:
    """What went wrong in handing in, not in the answer: a whole program was pasted, or a name is misspelt."""
    source = checks.source_of(response.parts)
    around = [line.strip() for line in re.split(r"\.\.\.\w+\.\.\.", item.program) for line in line.splitlines()]
    known = {line for line in around if len(line) > 12 and not line.startswith("import ")}
    typed = {line.strip() for line in source.splitlines()}
    pasted = len(known) > 2 and len(known & typed) > 0.6 * len(known)
    if pasted or (known and known <= typed and overwritten(item, inputs, response.parts)):
        return "this is the whole program: answer with the part that stands for `# your code goes here` alone"
    error = trouble.error
    if error is None or error.type != "NameError" or error.code.strip() in typed:
        return ""
    missing = re.match(r"name '(\w+)' is not defined", error.message)
    if missing and claims.blank(1) in item.program and re.search(rf"\b{missing[1]}\b", source):
        there = difflib.get_close_matches(missing[1], re.findall(r"\w+", item.program), 1, 0.7)
        return f"nothing is called `{missing[1]}` there: is `{there[0]}` meant?" if there else ""
    own = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", source, re.MULTILINE)
    defined = [function or name for function, name in own]
    if missing and missing[1] not in defined and (near := difflib.get_close_matches(missing[1], defined, 1, 0.7)):
        return f"the program uses `{missing[1]}`, and your code defines `{near[0]}`: one of the names is misspelled"
    return ""


def first_sentence(text: str) -> str:
    """What has happened is in the first sentence of a warning; PyTorch's advice follows it, here what it means does."""
    sentence = re.split(r"(?<=[.!])\s", text.strip(), maxsplit=1)[0]
    return " ".join([*sentence.split(), error_meanings.meaning("UserWarning", text)]).strip()


def ended(run: Observation, limits: Limits) -> str:
    """What to say of an answer whose process came to no end of its own, in these limits."""
    match run.status:
        case Status.TIMEOUT if run.note == WAITED:
            return f"Your code {WAITED.removeprefix('it ')}."
        case Status.TIMEOUT:
            return f"Your code did not end: it was {run.note}. Look for a loop that never stops."
        case Status.MEMORY:
            memory = limits.memory_bytes >> 20
            shown = f"{memory} MiB" if memory % 1024 else f"{memory // 1024} GiB"
            return f"Your code used up the memory that an answer may have ({shown})."
        case Status.OUTPUT:
            return f"Your code printed too much: it was {run.note}."
        case Status.OK | Status.ERROR:
            return "What your code left is too much to keep, so nothing could be read from it."
        case _:
            return f"Your code ended its own process ({run.note}), so nothing could be read from it."


def raised(case: Observation, line: int | None, source: str) -> list[str]:
    """What was raised, at which of the learner's own lines, and what that usually means in such a program."""
    error = case.error
    assert error is not None
    code = f": `{error.code}`" if error.code else ""
    place = f"in line {line} of your code{code}" if line else f"when the program used your code{code}"
    first = template.brief(f"{error}", 240)
    said = [f"Your code raised {first} ({place})."]
    meaning = error_meanings.meaning(error.type, error.message, source)
    return [*said, meaning] if meaning else said


def own_line(item: Item, variant: Variant, inputs: Inputs, parts: Sequence[str], line: int | None) -> int | None:
    """The line of the learner's own code, for a line of the program as it was run; None where it is not theirs."""
    if line is None or claims.blank(1) in item.program:
        return None
    above = (preludes(variant, [inputs])[0] + item.program.partition(claims.ANSWER)[0]).count("\n")
    if claims.ANSWER not in item.program:
        above = (preludes(variant, [inputs])[0] + item.program.rstrip()).count("\n") + bool(item.program.strip())
    own = line - above
    return own if 1 <= own <= "\n".join(parts).rstrip("\n").count("\n") + 1 else None
