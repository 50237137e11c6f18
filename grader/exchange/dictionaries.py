"""Questions in dictionaries, whatever their fields are called: lists in JSON and Python, rows of tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from grader.exchange.html_text import plain_or_html
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, text_of

STEM = ("question", "questiontext", "question_text", "stem", "prompt", "q", "title", "text", "problem", "body")
OPTIONS = (
    "options", "choices", "answers", "alternatives", "distractors", "possibleanswers", "answer_options",
    "answeroptions",
)  # fmt: skip
KEY = (
    "answer", "correct", "correctanswer", "correct_answer", "correctanswers", "correct_answers", "key", "correctoption",
    "correct_option", "right", "rightanswer", "right_answer", "solution", "expected", "a", "correct_choice",
)  # fmt: skip
INDEX = (
    "correct_index", "correctindex", "answer_index", "answerindex", "correctanswerindex", "correct_answer_index",
    "answer_idx", "correct_idx",
)  # fmt: skip
CODE = ("code", "snippet", "program", "code_snippet", "codesnippet", "source", "code_block")
EXPLANATION = ("explanation", "rationale", "feedback", "explain", "comment", "reason", "solution_text", "why")
HINT = ("hint", "hints")
LEVEL = ("level", "difficulty")
OPTION_TEXT = ("text", "answer", "option", "label", "content", "value", "choice", "code")
OPTION_RIGHT = ("correct", "is_correct", "iscorrect", "right", "istrue", "is_right", "isanswer", "is_answer")
LONGEST_SOURCE = 2_000_000
"""Characters of a Python source that are parsed."""

LETTER = re.compile(r"\(?([A-Ha-h])\)?[.:)]?")
LETTERED = re.compile(r"\s*(?:\(?([A-Ha-h])[.):]|\(([A-Ha-h])\))\s+(.*)", re.DOTALL)


def looks_like(record: Any) -> bool:
    """Whether a dictionary is likely to be a question: it has a stem, and options or a key."""
    if not isinstance(record, dict):
        return False
    return field(record, STEM) is not None and (
        _columns(record) != [] or any(_name(record, names) for names in (OPTIONS, KEY, INDEX))
    )


def field(record: dict[str, Any], names: Sequence[str]) -> Any:
    """The first field of a record that has one of these names; None where there is none."""
    name = _name(record, names)
    return None if name is None else record[name]


def _name(record: dict[str, Any], names: Sequence[str]) -> str | None:
    known = {str(name).strip().lower().replace(" ", "_").replace("-", "_"): name for name in record}
    return next((known[name] for name in names if name in known and record[known[name]] not in (None, "")), None)


def questions_in(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The records in JSON data that look like questions, in order; not those within one."""
    if depth > 30:
        return
    if looks_like(data):
        yield data
    elif isinstance(data, dict | list):
        for part in data.values() if isinstance(data, dict) else data:
            yield from questions_in(part, depth + 1)


def counts_from(records: Sequence[Any]) -> int | None:
    """Whether whole numbers that say which option is right count from 0 or from 1; None where nothing tells."""
    bounds = [
        (place, len(options))
        for record in records
        if isinstance(record, dict)
        for place in [field(record, KEY)]
        for options in [_options(record)]
        if type(place) is int and options and str(place) not in {option.text for option in options}
    ]
    if any(place == 0 for place, _ in bounds):
        return 0
    return 1 if any(place == many for place, many in bounds) else None


def read(record: dict[str, Any], first: int | None) -> PublishedQuestion:
    """A record as a question; `first` is what numbers of options count from. Raises ValueError."""
    if not isinstance(record, dict):
        raise ValueError("it is not a question: a dictionary with a question, options and an answer is wanted")  # noqa: TRY004  (of the file, not of a caller)
    stem = plain_or_html(text_of(field(record, STEM)))
    if not stem.strip():
        raise ValueError("it has no question")
    options = _options(record)
    explanation = field(record, EXPLANATION)
    common: dict[str, Any] = {
        "program": _code(record),
        "explanation": explanation if isinstance(explanation, str) else "",
        "hints": tuple(text for text in _listed(field(record, HINT)) if isinstance(text, str)),
        "level": text_of(field(record, LEVEL)).strip().lower(),
    }
    if not options:
        keys = tuple(PublishedKey(text_of(key)) for key in _listed(field(record, KEY)))
        return PublishedQuestion(stem, "typed", keys=keys, **common)
    marked, many = _marked(record, options, first)
    several = many or "select all" in stem.lower() or "all that apply" in stem.lower()
    return PublishedQuestion(stem, "many" if several else "one", options=marked, **common)


def _code(record: dict[str, Any]) -> str:
    code = field(record, CODE)
    if isinstance(code, list) and all(isinstance(line, str) for line in code):
        code = "\n".join(code)
    found = (
        re.fullmatch(r"\s*(`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*\1\s*", code, re.DOTALL) if isinstance(code, str) else None
    )
    return found[2] if found else code if isinstance(code, str) else ""


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple | set) else [value]


def _columns(record: dict[str, Any]) -> list[str]:
    """Names of fields that each hold an option: `option_a`, `choice 2`, `A`."""
    pattern = r"(?:(?:option|choice|answer|distractor)[ _-]?(?:[a-h]|\d)|[a-h])(?:[ _-]?text)?"
    return [name for name in record if isinstance(name, str) and re.fullmatch(pattern, name.strip(), re.IGNORECASE)]


def _options(record: dict[str, Any]) -> list[PublishedOption]:
    """The options as they are written, marked as far as they say so themselves."""
    given = field(record, OPTIONS)
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, str):
        parts = [part.strip() for part in re.split(r"\n|;|\|", given) if part.strip()]
        given = parts if len(parts) > 1 else None
    if not isinstance(given, list | tuple) or not given:
        columns = _columns(record)
        given = [record[name] for name in columns if text_of(record[name]).strip()] if len(columns) > 1 else []
    return [_option(entry) for entry in given]


def _option(entry: Any) -> PublishedOption:
    if not isinstance(entry, dict):
        return PublishedOption(plain_or_html(text_of(entry)))
    right, feedback = field(entry, OPTION_RIGHT), field(entry, EXPLANATION)
    text = field(entry, OPTION_TEXT)
    told = right if isinstance(right, bool) else None
    return PublishedOption(plain_or_html(text_of(text)), told, feedback if isinstance(feedback, str) else "")


def _marked(
    record: dict[str, Any], options: list[PublishedOption], first: int | None
) -> tuple[tuple[PublishedOption, ...], bool]:
    """The options with which of them are right, and whether several may be picked."""
    if any(option.right is not None for option in options):
        told = [PublishedOption(option.text, bool(option.right), option.feedback) for option in options]
        return tuple(told), sum(bool(option.right) for option in told) > 1
    places, many = _places(record, options, first)
    return tuple(
        PublishedOption(option.text, place in places if places else None, option.feedback)
        for place, option in enumerate(options)
    ), many


def _places(record: dict[str, Any], options: list[PublishedOption], first: int | None) -> tuple[set[int], bool]:
    """Which options the key names, by their text, letter or number; none where that cannot be told."""
    index = field(record, INDEX)
    key = field(record, KEY) if index is None else index
    listed = _listed(key)
    if isinstance(key, str) and not any(option.text.strip() == key.strip() for option in options):
        parts = [part for part in re.split(r"\s*[,;/&]\s*|\s+and\s+", key.strip()) if part]
        if len(parts) > 1 and all(LETTER.fullmatch(part) for part in parts):
            listed = parts
    found = {_place(record, one, options, 0 if index is not None else first) for one in listed}
    many = len(listed) > 1 or isinstance(key, list | tuple | set)
    return ({place for place in found if place is not None} if None not in found else set()), many


def _place(record: dict[str, Any], key: Any, options: list[PublishedOption], first: int | None) -> int | None:
    said = plain_or_html(text_of(key)).strip()
    texts = [option.text.strip() for option in options]
    if said in texts:
        return texts.index(said)
    bare = [found[3].strip() if (found := LETTERED.fullmatch(text)) else None for text in texts]
    if said in bare:
        return bare.index(said)
    given = field(record, OPTIONS)
    if isinstance(given, dict) and key in given:
        return list(given).index(key)
    if isinstance(key, str) and (letter := LETTER.fullmatch(said)):
        place = ord(letter[1].upper()) - ord("A")
        return place if place < len(options) else None
    if isinstance(key, str) and (
        column := re.fullmatch(r"(?:option|choice|answer)[ _-]?(?:([a-h])|(\d))", said, re.IGNORECASE)
    ):
        place = ord(column[1].upper()) - ord("A") if column[1] else int(column[2]) - 1
        return place if 0 <= place < len(options) else None
    number = int(said) if isinstance(key, str) and re.fullmatch(r"\d", said) else key
    if type(number) is int and first is not None and 0 <= number - first < len(options):
        return number - first
    return None


# ---------------------------------------------------------------- Python as text


def literals(source: str) -> list[tuple[int, Any]]:
    """The lists and dictionaries that a Python source assigns or passes on, with their lines; it is not run.

    What in them is no literal (a name, an f-string) stands as its source. Raises SyntaxError.
    """
    if len(source) > LONGEST_SOURCE:
        raise SyntaxError(f"it has more than {LONGEST_SOURCE:,} characters")
    try:
        tree = ast.parse(source)
    except (RecursionError, MemoryError, ValueError) as error:
        raise SyntaxError(str(error) or "it is nested too deeply") from None
    found = []
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        match node:
            case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.Return(value=value):
                values = [value]
            case ast.Expr(value=ast.List() | ast.Dict() as value):
                values = [value]
            case ast.Call(args=arguments, keywords=named):
                values = [*arguments, *(one.value for one in named)]
        listed = [value for value in values if isinstance(value, ast.List | ast.Dict | ast.Tuple)]
        found += [(value.lineno, data_of(value, source)) for value in listed]
    return found


def data_of(node: ast.expr, source: str, depth: int = 0) -> Any:
    """A literal as data."""
    if depth < 30:
        match node:
            case ast.Dict(keys=keys, values=entries):
                names = [data_of(key, source, depth + 1) if key else "**" for key in keys]
                pairs = zip(names, entries, strict=True)
                return {
                    name if isinstance(name, str | int) else str(name): data_of(entry, source, depth + 1)
                    for name, entry in pairs
                }
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return [data_of(part, source, depth + 1) for part in parts]
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                one, other = data_of(left, source, depth + 1), data_of(right, source, depth + 1)
                if isinstance(one, str) and isinstance(other, str):
                    return one + other
            case ast.Call(func=ast.Attribute(value=inner, attr="strip" | "dedent")):
                text = data_of(inner, source, depth + 1)
                return text.strip() if isinstance(text, str) else text
    return ast.get_source_segment(source, node) or ""
