"""Whether a text that somebody published says what a run gave, read as people print values.

`54,000` is a number, `[0 1 2]` a list, `3, 6` two lines, `2x3` a shape, `Error` a ValueError; digits that are not
printed do not count. What cannot be read as a value is never said to differ: a right answer must not be called wrong.
"""

from __future__ import annotations

import builtins
import math
import re
from dataclasses import dataclass
from typing import Literal

from grader.judging.comparison import half_unit
from grader.judging.printed_values import Nested, Number, Word, of_value, readings
from grader.model import Raised, Value

Level = Literal["exact", "same", "near", "differs", "unclear"]
"""As it is printed; the same value; nearly (cut off, not rounded, or in other brackets); another; not to be told."""

LONGEST = 4_000
"""Characters of a text that are looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a published text stands to what a run gave."""

    level: Level
    coarse: float = 0.0
    """Half a unit of its last printed digit."""

    @property
    def holds(self) -> bool:
        return self.level in ("exact", "same")

    @property
    def decided(self) -> bool:
        return self.holds or self.level == "differs"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run gave: a text that was printed, or a value with the forms in which Python shows it."""

    printed: str | None = None
    """What the program printed, where that is what is asked for."""
    value: Value = None
    shown: tuple[str, ...] = ()
    error: Raised | None = None


_NAMED = re.compile(
    r"^(?:.{0,40}?\b(?:raises?|throws?|fails with|results in|produces?|gives?|causes?|gets?)\s+)?(?:an?\s+|the\s+)?"
    r"((?:\w+\.)*\w*(?:Error|Exception))\b"
)
_GENERIC = re.compile(
    r"(?:.{0,40}?\b(?:raises?|throws?|results in|produces?|gives?|causes?|gets?)\s+)?(?:an?\s+)?"
    r"(?:runtime |compile(?:r|-time)? |compilation |python |syntax )?(?:errors?|exception)"
    r"(?:\s+(?:occurs?|is raised|is thrown|will occur|message)|[ ,:(].{0,80})?[.!]?|(?:it )?(?:fails|crashes)[.!]?",
    re.IGNORECASE,
)
_NOT_ONE = re.compile(
    r"^(?:no|without|squared|absolute|mean|standard)\b|\b(?:squared|absolute|standard) error", re.IGNORECASE
)
_NOTHING = re.compile(r"\(?(?:(?:it )?prints )?(?:nothing|no output)(?: is printed)?\)?[.!]?", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:it|this|the code|the program|this code)\s+)?(?:will\s+)?(?:prints?|outputs?|returns?|displays?"
    r"|evaluates? to|(?:the\s+)?(?:output|result|answer|value|shape|dtype)(?:\s+is)?)\s*:?\s+(?=\S)",
    re.IGNORECASE,
)


def cleaned(text: str) -> str:
    """A published text without the marks of code and emphasis around it, and without `It prints`."""
    text = text[:LONGEST].strip()
    if found := re.fullmatch(r"(`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*\1", text, re.DOTALL):
        return found[2].strip("\n")
    if found := re.fullmatch(r"(`{1,2})\s*(.*?)\s*\1", text, re.DOTALL):
        text = found[2] if "`" not in found[2] else text
    if found := re.fullmatch(r"(\*\*|__)(\S.*?)\1", text, re.DOTALL):
        text = found[2]
    text = text.replace("\u201c", '"').replace("\u201d", '"').replace("\u2018", "'").replace("\u2019", "'")
    text = text.replace("\u2212", "-").replace("\\n", "\n")
    bare = _LEAD.sub("", text)
    return bare.strip("`") if bare != text else text


def says_an_error(text: str) -> bool:
    """Whether a published text says that the program raises."""
    text = cleaned(text)
    return not _NOT_ONE.search(text) and bool(_NAMED.match(text) or _GENERIC.fullmatch(text))


def verdict(text: str, seen: Seen, tolerance: float | None = None) -> Verdict:
    """How a published text stands to what a run gave; `tolerance` is what numbers may be off by."""
    text = cleaned(text)
    if says_an_error(text):
        return Verdict(_of_error(text, seen.error))
    targets = [seen.printed] if seen.printed is not None else list(seen.shown)
    if any(_normal(text) == _normal(target) for target in targets):
        return Verdict("exact", _coarse(text))
    if seen.error is not None:
        return Verdict("differs")
    if _NOTHING.fullmatch(text):
        return Verdict("unclear" if seen.printed is None else "differs" if seen.printed.strip() else "exact")
    lines = seen.printed.strip().split("\n") if seen.printed else []
    if len(lines) > 1 and _normal(re.sub(r"\s*(?:,|;|\band\b)\s*|\s+", " ", text)) == _normal(" ".join(lines)):
        return Verdict("exact", _coarse(text))
    found = _by_value(text, seen, lines, tolerance)
    return found if found.level != "unclear" else _by_words(text, targets)


def _of_error(text: str, error: Raised | None) -> Level:
    """How an error that a text names stands to what was raised."""
    if error is None:
        return "differs"
    named = _NAMED.match(text)
    if named is None:
        return "same"
    name = named[1].rpartition(".")[2]
    if name == error.type:
        return "exact"
    parent, kind = getattr(builtins, name, None), getattr(builtins, error.type, None)
    if name in ("Exception", "Error") or (
        isinstance(parent, type) and isinstance(kind, type) and issubclass(kind, parent)
    ):
        return "same"
    return "differs" if isinstance(parent, type) or "." not in error.type else "unclear"


def _normal(text: str) -> str:
    """A text with one space where white space is, none beside brackets and commas, no quotes around it."""
    text = re.sub(r"<class '([\w.]+)'>", r"\1", text.strip())
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([\[\](){},:=]) ?", r"\1", text)
    text = re.sub(r"\b(?:torch\.)(?=(?:float|int|uint|bool|bfloat|complex|Size)\w*)", "", text)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _coarse(text: str) -> float:
    """The largest half unit of the numbers in a text."""
    return max(map(half_unit, re.findall(r"\d+\.?\d*(?:[eE][-+]?\d+)?", text)), default=0.0)


def _by_value(text: str, seen: Seen, lines: list[str], tolerance: float | None) -> Verdict:
    """How the values stand to each other that a text and a run can be read as."""
    mine = readings(text)
    its = list(of_value(seen.value)) if seen.printed is None else readings(seen.printed)
    for shown in seen.shown if seen.printed is None and not its else ():
        its += readings(shown)
    if len(lines) > 1:
        of_lines = [readings(line) for line in lines]
        if all(of_lines):  # several values: one alone may be asked for in words
            if not any(isinstance(one, list) and len(one) == len(lines) for one in mine):
                return Verdict("unclear")
            its.append([one[0] for one in of_lines])
            its.append([one[-1] for one in of_lines])
    if not mine or not its:
        return Verdict("unclear")
    levels = {_compare(one, other, tolerance) for one in mine for other in its}
    if "same" in levels:
        return Verdict("same", _coarse(text))
    return Verdict("near" if "near" in levels else "differs" if "differs" in levels else "unclear")


def _compare(one: Nested, other: Nested, tolerance: float | None) -> Level:
    match one, other:
        case Number(), Number():
            return _numbers(one, other, tolerance)
        case bool() | None, bool() | None:
            return "same" if one is other else "differs"
        case Word(), Word():
            return _words(one, other)
        case list(), list() if len(one) == len(other):
            levels = [_compare(a, b, tolerance) for a, b in zip(one, other, strict=True)]
            return next((level for level in WORST if level in levels), "same")
        case (list(), _) | (_, list()) if _flat(one) is not None and _flat(other) is not None:
            level = _compare(_flat(one), _flat(other), tolerance)
            return "near" if level == "same" else level
        case (bool(), _) | (_, bool()):  # a statement may be true of whatever was given
            return "unclear"
    return "differs" if _plain(one) and _plain(other) else "unclear"


def _words(one: Word, other: Word) -> Level:
    mine, its = one.text.casefold(), other.text.casefold()
    if mine == its:
        return "same"
    if mine.startswith(its) or its.startswith(mine):  # `float` for `float32`
        return "near"
    return "differs" if _plain(one) and _plain(other) else "unclear"


WORST: tuple[Level, ...] = ("unclear", "differs", "near")


def _plain(value: Nested) -> bool:
    """Whether it is a value for certain, and not a word of a sentence."""
    if isinstance(value, list):
        return all(map(_plain, value))
    return not isinstance(value, Word) or value.code or value.quoted


def _flat(value: Nested) -> Number | Word | bool | None:
    """The only entry of a list of lists of one; None where there are several."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return None if isinstance(value, list) else value


def _numbers(one: Number, other: Number, tolerance: float | None) -> Level:
    if one.high is not None:
        return "same" if one.value <= other.value <= one.high else "differs"
    if one.value == other.value or (math.isnan(one.value) and math.isnan(other.value)):
        return "same"
    if not (math.isfinite(one.value) and math.isfinite(other.value)):
        return "differs"
    apart = abs(one.value - other.value)
    allowed = max(one.half, other.half, tolerance or 0.0)
    if apart <= allowed * (1 + 1e-9) or math.isclose(one.value, other.value, rel_tol=1e-6):
        return "same"
    if apart < 2 * one.half and abs(one.value) <= abs(other.value):  # cut off, not rounded
        return "near"
    rounded = one.half == 0 and other.value != int(other.value) and one.value in (round(other.value), int(other.value))
    return "near" if rounded else "differs"


_PIECE = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")


def _by_words(text: str, targets: list[str]) -> Verdict:
    """How texts with numbers in them stand to each other, where they are alike but for the numbers."""
    for target in targets:
        mine, its = _skeleton(text), _skeleton(target)
        numbers, others = _PIECE.findall(text), _PIECE.findall(target)
        if mine != its or not numbers or len(numbers) != len(others) or not re.search(r"[a-z]", mine):
            continue
        levels = [
            _numbers(Number(float(a), half_unit(a)), Number(float(b), half_unit(b)), None)
            for a, b in zip(numbers, others, strict=True)
        ]
        found: Level = "differs" if "differs" in levels else "near" if "near" in levels else "same"
        return Verdict(found, _coarse(text))
    return Verdict("unclear")


def _skeleton(text: str) -> str:
    """A text without its numbers, brackets and white space."""
    return re.sub(r"[\s()\[\],'\"]+", "", _PIECE.sub("#", text)).casefold()
