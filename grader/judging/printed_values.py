"""Values as people print and type them, read into nested lists of numbers and words; nothing is evaluated."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.judging.comparison import half_unit
from grader.model import Value, values

LONGEST = 4_000
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Number:
    """A number, half a unit of its last printed digit, and the upper end where it is a range."""

    value: float
    half: float = 0.0
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word; `code` where it is no word of English (`float32`, `torch.Tensor`), `quoted` where it stands in quotes."""

    text: str
    code: bool = False
    quoted: bool = False


Nested = Number | Word | bool | None | list["Nested"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
TOKEN = re.compile(
    rf"(?P<number>(?:{NUMBER}|[-+]inf)(?![\w.]))|(?P<word>[A-Za-z_][\w.]*)|(?P<open>[\[({{])|(?P<close>[\])}}])"
    r"|(?P<text>'[^'\n]*'|\"[^\"\n]*\")|(?P<part>[,;:\n])|(?P<space>[ \t]+)"
)
ATTRIBUTE = re.compile(
    r",?\s*\b(?:dtype|requires_grad|grad_fn|device|size|layout)\s*=\s*"
    r"(?:<[^<>]*>|'[^']*'|\"[^\"]*\"|(?:torch\.Size)?\([^()]*\)|[^,()\s]+)"
)
MADE = re.compile(r"\b(?:(?:torch|np|numpy)\.)?(?:tensor|Tensor|Size|array|\w*Tensor|float\d+|int\d+|bool_)\s*(?=\()")
WORDS: dict[str, bool | float | None] = {
    "true": True, "false": False, "none": None, "nan": math.nan, "inf": math.inf, "infinity": math.inf,
}  # fmt: skip
CODE_WORD = re.compile(r"[._\d]|^(?:cpu|cuda|bool|int|float|str|list|tuple|dict)$")


class _UnreadableError(ValueError):
    """It is no value."""


def readings(text: str) -> list[Nested]:
    """The values that a text may mean, the plainest first; none where it is a sentence."""
    text = text[:LONGEST].strip()
    text = re.sub(r"<class '([\w.]+)'>", r"\1", text).replace("Parameter containing:", "")
    text = re.sub(r"^(?:\u2248|~|=|approx(?:imately|\.)?|about|exactly)\s*", "", text, flags=re.IGNORECASE)
    bare = MADE.sub("", ATTRIBUTE.sub("", text))
    found: list[Nested] = []
    for form in _forms(bare):
        try:
            read = _read(form)
        except _UnreadableError:
            continue
        if not any(repr(read) == repr(known) for known in found):
            found.append(read)
    for special in (*_special(bare), *_special(bare.rstrip(". "))):
        if not any(repr(special) == repr(known) for known in found):
            found.append(special)
    return found


def _forms(text: str) -> Iterator[str]:
    """A text as it stands; with thousands joined; without a label before it and a unit after it."""
    if re.search(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", text):
        yield re.sub(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", lambda one: one[0].replace(",", ""), text)
    yield text
    if text.endswith(".") and not re.search(r"\d\.$", text):
        yield text[:-1]
    if label := re.match(r"^[A-Za-z_][\w .\[\]()]{0,40}?\s*[:=]\s*(?=\S)", text):
        yield text[label.end() :]
    if unit := re.fullmatch(rf"({NUMBER})\s*(?:[A-Za-z]+)(?: [a-z]+)?\.?", text):
        yield unit[1]


def _special(text: str) -> Iterator[Nested]:
    """Shapes as `2x3`, fractions, percent, powers of ten, ranges."""
    if re.fullmatch(r"\(?\s*\d+(?:\s*(?:[xX*\u00d7]|by)\s*\d+)+\s*\)?", text):
        yield [Number(float(size)) for size in re.findall(r"\d+", text)]
    if (fraction := re.fullmatch(rf"({NUMBER})\s*/\s*({NUMBER})", text)) and float(fraction[2]):
        yield Number(float(fraction[1]) / float(fraction[2]))
    if percent := re.fullmatch(rf"({NUMBER})\s*(?:%|percent)", text):
        yield Number(float(percent[1]) / 100, half_unit(percent[1]) / 100)
        yield Number(float(percent[1]), half_unit(percent[1]))
    if power := re.fullmatch(r"(?:(\d+\.?\d*)\s*[*\u00d7x]\s*)?10\s*(?:\^|\*\*)\s*\(?(-?\d{1,3})\)?", text):
        yield Number(float(power[1] or 1) * 10.0 ** int(power[2]), half_unit(power[1] or "") * 10.0 ** int(power[2]))
    if between := re.fullmatch(rf"({NUMBER})\s*to\s*({NUMBER})", text):
        yield Number(float(between[1]), high=float(between[2]))


def _read(text: str) -> Nested:
    """One value, or several side by side as a list. Raises _UnreadableError."""
    stack: list[list[Nested]] = [[]]
    place = words = 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None or len(stack) > DEEPEST:
            raise _UnreadableError
        place = token.end()
        match token.lastgroup:
            case "number":
                exact = token[0].endswith(".")  # so PyTorch prints whole floats
                stack[-1].append(Number(float(token[0]), 0.0 if exact else half_unit(token[0])))
            case "word" if token[0].lower() in WORDS:
                known = WORDS[token[0].lower()]
                stack[-1].append(Number(known) if isinstance(known, float) else known)
            case "word" if token[0] == "and" and stack[-1]:
                continue
            case "word":
                words += 1
                bare = token[0].removeprefix("torch.").rstrip(".")
                stack[-1].append(Word(bare, bool(CODE_WORD.search(token[0].rstrip(".")))))
            case "text":
                stack[-1].append(Word(token[0][1:-1], quoted=True))
            case "open":
                stack.append([])
            case "close":
                if len(stack) < 2:
                    raise _UnreadableError
                inside = stack.pop()
                around = token[0] == ")" and len(inside) == 1 and not text[: token.start()].rstrip().endswith(",")
                stack[-1].append(inside[0] if around else inside)
    if len(stack) != 1 or not stack[0]:
        raise _UnreadableError
    only = stack[0]
    if words and len(only) > 1 and not all(isinstance(one, Word | Number | bool) and _is_code(one) for one in only):
        raise _UnreadableError  # a sentence
    return only[0] if len(only) == 1 else only


def _is_code(one: Nested) -> bool:
    return not isinstance(one, Word) or one.code or one.quoted


def of_value(value: Value) -> list[Nested]:
    """What a value of a run is, in the same form; nothing for an object."""
    try:
        return [_nested(values.simple(value))]
    except _UnreadableError:
        return []


def _nested(value: Value) -> Nested:
    match value:
        case None | bool():
            return value
        case int() | float():
            try:
                return Number(float(value))
            except OverflowError:
                return Number(math.inf)
        case str():
            return Word(value.removeprefix("torch."), bool(CODE_WORD.search(value)), quoted=True)
        case list():
            return [_nested(entry) for entry in value]
    if (held := values.entries(value)) is not None:
        return [_nested(entry) for entry in held]
    if (dtype := value.get("$dtype")) is not None:
        return Word(str(dtype), code=True)
    if (named := values.pairs(value)) is not None:
        return [_nested(part) for pair in named for part in pair]
    raise _UnreadableError
