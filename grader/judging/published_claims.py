"""What is claimed in the form in which people print values, and what is shown as being there and as working."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader import template
from grader.judging import advice, published
from grader.judging.bodies import Option, claimed
from grader.judging.claims import Findings, Results, code_source, ending, main_source, shown_forms, there
from grader.judging.published import Seen, Verdict
from grader.model import Asked, Expr, Item, Observation, ProvenOption, Raised, Status, Variant
from grader.template import brief

OF_THE_MACHINE = ("NameError", "FileNotFoundError", "ModuleNotFoundError", "ImportError", "OSError", "EOFError")
"""What is raised where something is missing around the code, and not in it."""

PRINTED = re.compile(r"run\.stdout(?:\.r?strip\(\))?")
"""An answer that is what the program prints."""


def seen(item: Item, run: Observation, answer: Asked, results: Results, main: str) -> Seen:
    """What a run gave, to be compared with published texts."""
    asked = claimed(item).answer
    if asked is None or PRINTED.fullmatch(asked.text):
        return Seen(printed=run.stdout, error=run.error)
    forms = results.value(main, shown_forms(asked))
    shown = tuple(text for text in forms.value if isinstance(text, str)) if isinstance(forms.value, list) else ()
    return Seen(value=answer.value, shown=shown, error=run.error or raised(answer))


def raised(answer: Asked) -> Raised | None:
    """What the expression that is asked for raised; None where it has a value, or where a name of it is not there."""
    if not answer.error or answer.error.startswith("NameError"):
        return None
    name, _, message = answer.error.partition(": ")
    return Raised(name, message) if name.isidentifier() else None


def meant_to_raise(item: Item, gave: Seen) -> bool:
    """Whether something was raised, and a published text rightly says so."""
    if gave.error is None:
        return False
    body = claimed(item)
    texts = [option.says.text for option in body.options if option.says] + [key.text for key in body.published]
    return any(published.says_an_error(text) and published.verdict(text, gave).holds for text in texts)


def is_words(option: Option) -> bool:
    """Whether an option only says something in words, which nobody has made a claim of."""
    claims = (option.value, option.holds, option.says, option.yields, option.code)
    return option.text is not None and not option.instead and all(claim is None for claim in claims)


def judge(item: Item, text: str, gave: Seen) -> Verdict:
    """How a published text stands to what a run gave."""
    return published.verdict(text, gave, claimed(item).compare.atol)


def proven(item: Item, option: Option, gave: Seen, values: dict[str, Asked]) -> ProvenOption:
    """An option that says a value, or only words."""
    if option.says is None:
        shown = template.fill(option.text, values) if option.text else ""
        return ProvenOption(shown, None, False, option.key, option.mistake, tested=False, decided=False)
    found = judge(item, option.says.text, gave) if claimed(item).answer else Verdict("unclear")
    shown = template.fill(option.text, values) if option.text else option.says.text.strip("\n")
    return ProvenOption(shown, option.says.text, found.holds, option.key, option.mistake, False, found.decided)


def plainest(options: Sequence[Option], found: list[ProvenOption], gave: Seen) -> list[ProvenOption]:
    """Where a key is what is printed, or has more digits, others that say the same value do not hold beside it."""
    keyed = [
        published.verdict(option.says.text, gave)
        for option, one in zip(options, found, strict=True)
        if option.key and option.says and one.holds
    ]
    if not keyed:
        return found
    exact, coarse = any(one.level == "exact" for one in keyed), max(one.coarse for one in keyed)

    def stays(option: Option, one: ProvenOption) -> bool:
        if option.key or not option.says or not one.holds:
            return one.holds
        its = published.verdict(option.says.text, gave)
        return its.level == "exact" or not (exact or its.coarse > coarse)

    return [replace(one, holds=stays(option, one)) for option, one in zip(options, found, strict=True)]


def check(item: Item, variant: Variant, results: Results, findings: Findings) -> int:
    """Names that must be there and code that must run are, and nothing is wanted; how much was claimed."""
    body, main = claimed(item), main_source(item, variant)
    for name in body.exists:
        error = results.value(main, there(name)).error or ""
        if is_missing(name, error):
            message = f"there is no `{brief(name.text)}`: {brief(error.partition(': ')[2] or error, 200)}"
            findings.add("name-missing", message, name.at, "name what there is")
    for code in body.runs:
        run = results.observation(code_source(item, variant, code))
        if run.error and run.error.type not in OF_THE_MACHINE and not advice.refusal(run.error):
            message = f"`{brief(code.text.strip().splitlines()[-1])}` raises {brief(str(run.error), 300)}"
            findings.add("does-not-run", message, code.at, "correct it, or the key")
        elif run.status not in (Status.OK, Status.ERROR):
            findings.add("over-limit", f"`{brief(code.text)}` did not end: {ending(run)}", code.at, "make it smaller")
    if item.wanted:
        findings.add("unproven", "it cannot be decided yet", item.wanted.at, item.wanted.text)
    return len(body.exists) + len(body.runs)


def is_missing(name: Expr, error: str) -> bool:
    """Whether a dotted name leads nowhere: what a class lacks, its objects may have, and packages may not be here."""
    package = re.escape(name.text.partition(".")[0])
    return bool(re.search(rf"\bmodule '[\w.]+' has no attribute|No module named '{package}\.", error))
