"""A question that was read as an item of ours, as data. What cannot be decided is a marked gap."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from grader import template
from grader.exchange import asked_expressions, code_in_text
from grader.exchange.asked_expressions import Asked
from grader.exchange.code_in_text import Code
from grader.exchange.published_questions import PublishedOption, PublishedQuestion
from grader.judging.claims import ANSWER
from grader.judging.published import cleaned, says_an_error
from grader.model import LEVELS

LONGEST = 20_000
MOST_OPTIONS = 7

NEGATIVE = re.compile(
    r"\b(?:not|never|except|false|incorrect|wrong|invalid|errors?|raises?|raised|fails?|failing|exception|exist|no such"
    r"|deprecated|removed|bugs?|buggy|fault|fix|cannot|can't|doesn't|won't|isn't|broken|problem|pitfall|mistake|causes?)\b",
    re.IGNORECASE,
)
"""Words of a stem that asks for what does not work: that its code raises is then no fault of it."""

WORDS_ONLY = "program: CODE and answer: EXPR, or holds: EXPR at each option; words alone cannot be run"
ABOUT_OTHERS = re.compile(
    r"\b(?:all|none|both|neither|any) of (?:the|these|them)\b|\b(?:both|neither) [A-H]\b", re.IGNORECASE
)


def draft(question: PublishedQuestion, name: str) -> dict[str, Any]:
    """The item of a question; `imported` has what of its record is in none of the item's own fields."""
    item = _item(question, name)
    item["imported"] = {"line": question.line}
    left = leftover(question.raw, item)
    if left is not None:
        item["imported"]["rest"] = left
    return item


def _item(question: PublishedQuestion, name: str) -> dict[str, Any]:
    stem = printable(question.stem).strip()
    if question.trouble or not (stem or question.program.strip()) or len(stem) > LONGEST - 200:
        trouble = question.trouble or ("it has no question" if not stem else "its text is too long")
        first = next((text.strip() for text in texts(question.raw) if len(text.strip()) > 2), "(not read)")
        return _gap(name, printable(stem or first)[:1000], f"this question could not be read: {trouble}")
    if question.sort == "code":
        return _exercise(question, name, stem)
    code = code_in_text.find(stem, printable(question.program))
    asked = asked_expressions.of(code, code.stem)
    negative = bool(NEGATIVE.search(_words(code.stem)))
    shown = code.stem
    if asked.program and not asked.answer and negative:  # that it raises may be the point
        shown, asked = (stem if code.where == "fence" else code.stem), Asked("", wanted=asked.wanted or WORDS_ONLY)
    item: dict[str, Any] = {"id": name, "kind": "choice"}
    if question.level in LEVELS:
        item["level"] = question.level
    item["stem"] = escaped(shown) if shown else "What does this program give?"
    if asked.program and len(asked.program) <= LONGEST:
        item["program"] = asked.program.rstrip() + "\n"
    if asked.answer:
        item["answer"] = asked.answer
    if question.sort in ("one", "many") and 2 <= len(question.options) <= MOST_OPTIONS and _short(question.options):
        _choose(item, question, code, asked, negative=negative)
    elif question.sort == "typed":
        _type(item, question, asked, negative=negative)
    else:
        item["kind"] = "value"
        item.pop("answer", None)
        item["wanted"] = _unfit(question)
    return item


def _unfit(question: PublishedQuestion) -> str:
    if question.sort in ("one", "many"):
        return f"two to {MOST_OPTIONS} options of reasonable length; here are {len(question.options)}"
    written = "the question written again, as a `match`, `order` or `fill` item"
    return f"nothing, where a person has to read the answer; else {written}"


def _short(options: Sequence[PublishedOption]) -> bool:
    return all(0 < len(option.text.strip()) <= LONGEST for option in options)


def _gap(name: str, stem: str, wanted: str) -> dict[str, Any]:
    return {"id": name, "kind": "value", "stem": escaped(stem), "wanted": template.brief(wanted, 200)}


def _choose(item: dict[str, Any], question: PublishedQuestion, code: Code, asked: Asked, *, negative: bool) -> None:
    """Options of one choice say values, which an `answer` decides; several that hold are words at first."""
    single = question.sort == "one"
    values = bool(asked.answer) and single
    if not single:
        item.pop("answer", None)
    item["kind"] = "choice" if single else "multi"
    bare = _without_letters(question.options)
    item["options"] = [_option(one, text, says=single) for one, text in zip(question.options, bare, strict=True)]
    keys = [one for one in question.options if one.right]
    if not keys:
        item["wanted"] = "key: true at the right option; the file does not say which one it is"
    elif not single:
        item["wanted"] = "holds: EXPR at each option, true where it holds"
    elif asked.wanted or not asked.answer:
        item["wanted"] = asked.wanted or WORDS_ONLY
    if not negative:
        _claims(item, [one.text for one in keys], code, values=values)
    if values and any(ABOUT_OTHERS.search(one.text) for one in keys):
        item["wanted"] = "a key that stands for itself: this one is about other options"


LETTER = re.compile(r"\(?([A-H])[.):]\s+", re.IGNORECASE)


def _without_letters(options: Sequence[PublishedOption]) -> list[str]:
    """The texts of options; where each begins with its letter, without it."""
    found = [LETTER.match(one.text) for one in options]
    letters = "".join(letter[1].upper() for letter in found if letter)
    if letters == "ABCDEFGH"[: len(options)]:
        return [LETTER.sub("", one.text, count=1) for one in options]
    return [one.text for one in options]


def _option(one: PublishedOption, text: str, *, says: bool) -> dict[str, Any]:
    text = printable(text).strip("\n" if says else None)
    return ({"says": text} if says else {"text": escaped(text)}) | ({"key": True} if one.right else {})


def _type(item: dict[str, Any], question: PublishedQuestion, asked: Asked, *, negative: bool) -> None:
    """Typed answers, each of them a claim."""
    item["kind"], item["accepts"] = "value", "printed"
    keys = [printable(key.text).strip("\n") for key in question.keys if key.text.strip()]
    if keys and len(keys) <= 50 and all(len(key) <= LONGEST for key in keys):
        item["keys"] = keys
        near = [key.tolerance for key in question.keys if key.tolerance]
        if near and asked.answer:
            item["compare"] = {"atol": max(near)}
    else:
        item["wanted"] = "keys: the right answers; the file has none that could be read"
    if asked.wanted or not asked.answer:
        item["wanted"] = asked.wanted or "program: CODE and answer: EXPR; words alone cannot be run"
        if not negative and not asked.answer:
            _claims(item, keys, Code("", ""), values=True)


def _claims(item: dict[str, Any], keys: Sequence[str], code: Code, *, values: bool) -> None:
    """Names in keys that must be there, and keys that are code, which must run: they can only disprove."""
    names = list(dict.fromkeys(name for key in keys for name in code_in_text.dotted(key) if len(name) <= 100))
    if names:
        item["exists"] = names[:30]
    if values:
        return
    programs = []
    for key in keys:
        source = _source(key)
        full = asked_expressions.with_imports(source) if source else ""
        if source and not set(code_in_text.unbound(full)) - code_in_text.bound(code.program):
            programs.append(full)
    if programs:
        item["runs"] = programs[:20]


def _source(text: str) -> str:
    """An option that is code as a whole, and calls something."""
    source = cleaned(text)
    parsed = code_in_text.tree(source)
    if parsed is None or says_an_error(source) or "..." in source:
        return ""
    return source if "(" in source and code_in_text.names(source) else ""


def _exercise(question: PublishedQuestion, name: str, stem: str) -> dict[str, Any]:
    """Code that is to be written, with the answer and the tests of its file."""
    answer = printable(question.answer)
    tests = [test for test in question.tests if test.code.strip()]
    if not answer.strip() or not tests:
        missing = "answer" if tests else "tests"
        return _gap(name, stem, f"its {missing}: without them nothing can be run")
    source = "\n\n".join(printable(test.code) for test in tests)
    lines = code_in_text.imports(f"{answer}\n{source}")
    expected = [line.rstrip() for test in tests for line in printable(test.expected).rstrip().split("\n")]
    return {
        "id": name,
        "kind": "code",
        "stem": escaped(stem),
        "program": "\n".join([*lines, ANSWER, "", source.rstrip(), ""]),
        "starter": (printable(question.program).rstrip() or "pass") + "\n",
        "reference": answer.rstrip() + "\n",
        "observe": "run.stdout",
        "holds": f"[line.rstrip() for line in run.stdout.rstrip().splitlines()] == {expected!r}",
    }


def _words(stem: str) -> str:
    return code_in_text.INLINE.sub(" ", code_in_text.FENCED.sub(" ", stem))


def right_and_wrong(question: PublishedQuestion) -> str:
    """What the file says to be right and wrong at once; the empty string where nothing is."""
    looks = Counter(" ".join(cleaned(one.text).split()) for one in question.options)
    for text, times in looks.items():
        marks = {one.right for one in question.options if " ".join(cleaned(one.text).split()) == text}
        if times > 1 and {True, False} <= marks:
            return text
    return ""


def escaped(text: str) -> str:
    """A text with its braces doubled: ours would be expressions."""
    return text.replace("{", "{{").replace("}", "}}")


def printable(text: str) -> str:
    """A text in which control characters are written out."""
    return template.CONTROL.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n").replace("\r", "\n"))


# ---------------------------------------------------------------- what has no place of its own


def scalars(data: Any) -> list[Any]:
    """All texts, numbers and truth values in JSON data, however deep, in order."""
    found, waiting = [], [data]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list | tuple):
            waiting += reversed(list(part.values()) if isinstance(part, dict) else list(part))
        elif part is not None:
            found.append(part)
    return found


def leftover(raw: Any, item: dict[str, Any]) -> Any:
    """Of a record what does not stand in the item, word for word; None where nothing is left."""
    placed = Counter(text.strip() for text in texts(item))
    return _left(raw, placed, 0)


def texts(data: Any) -> list[str]:
    """All texts in JSON data."""
    return [part for part in scalars(data) if isinstance(part, str)]


DEEPEST = 8
"""What is nested deeper is kept as a flat list of its texts and numbers: YAML of ours has a bound."""


def _left(raw: Any, placed: Counter[str], depth: int) -> Any:
    if depth > DEEPEST and isinstance(raw, dict | list | tuple):
        return [left for part in scalars(raw) if (left := _left(part, placed, 0)) is not None] or None
    match raw:
        case str():
            said = raw.strip()
            if placed[said] > 0:
                placed[said] -= 1
                return None
            return printable(raw) if said else None
        case dict():
            parts = {printable(str(name)): _left(part, placed, depth + 1) for name, part in raw.items()}
            return {name: part for name, part in parts.items() if part is not None} or None
        case list() | tuple():
            return [left for part in raw if (left := _left(part, placed, depth + 1)) is not None] or None
        case float() | int() | bool():
            return raw if not isinstance(raw, int) or abs(raw) < 1 << 63 else repr(raw)
    return None
