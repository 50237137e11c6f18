"""GIFT, Moodle's text format: `::title:: stem {=right ~wrong}`, a backslash before signs that have a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from grader.errors import InputError
from grader.exchange.exported_questions import SAME, ExportedQuestion, ExportedQuiz, Form, decimal, shares, single_cells
from grader.exchange.html_text import markdown
from grader.exchange.published_questions import PublishedKey, PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile
from grader.render.markdown import without_html

TITLE = "GIFT"
MARKUP = re.compile(r"^\s*\[(html|moodle|plain|markdown)\]", re.IGNORECASE)
NAMED = re.compile(r"^\s*::((?:\\.|[^\\])*?)::", re.DOTALL)
WEIGHT = re.compile(r"^%(-?[\d.]+)%")
WRITES: dict[Form, str] = {
    "one": SAME,
    "many": SAME,
    "number": SAME,
    "text": SAME,
    "match": "matching",
    "table": "a number for each cell",
    "written": "an essay",
}


def recognize(file: QuizFile) -> int:
    """See `Reads`."""
    if file.is_xml or file.text.lstrip()[:1] in ("{", "[") or re.search(r"^<quiz>$", file.text, re.MULTILINE):
        return 0
    text = _without_comments(file.text)[0]
    titled = re.search(r"^[ \t]*::.*?::", text, re.MULTILINE) or re.search(r"^\$CATEGORY:", text, re.MULTILINE)
    answered = re.search(r"(?<!\\)\{\s*(?:[=~#]|T\b|F\b|TRUE|FALSE)(?:\\.|[^\\{}])*\}", text)
    if file.suffix in (".py", ".ipynb", ".json", ".toml"):
        return 0
    return 3 if titled and answered else 2 if answered else 0


def read(file: QuizFile) -> PublishedQuiz:
    """See `Reads`."""
    text, comments = _without_comments(file.text)
    records, category = [], list[str]()
    for line, block in _blocks(text):
        if block.startswith("$CATEGORY:"):
            category.append(block)
        else:
            records.append((line, {"source": block}))
    _whole(records, file.name)
    return PublishedQuiz(tuple(each(records, _question)), raw={"comments": comments, "categories": category})


def _whole(records: list[tuple[int, dict[str, Any]]], name: str) -> None:
    """The last question ends. Raises InputError where the file was cut off."""
    if (
        records
        and _bracket(records[-1][1]["source"], "{") is not None
        and _bracket(records[-1][1]["source"], "}") is None
    ):
        message = f"{name}:{records[-1][0]}: the question that begins here does not end: a closing brace is missing"
        raise InputError(message, "the file may have been cut off; a plain brace is written `\\{`")


def _without_comments(text: str) -> tuple[str, list[str]]:
    """The text with its comments as empty lines, and the comments."""
    comments, lines = [], []
    for line in text.split("\n"):
        is_comment = line.lstrip().startswith("//")
        comments += [line.strip()] if is_comment else []
        lines.append("\0" if is_comment else line)
    return "\n".join(lines), comments


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Questions: parted by empty lines, where no brace is open."""
    block: list[str] = []
    start, depth = 1, 0
    for number, line in enumerate(text.split("\n"), 1):
        if line == "\0":
            continue
        if not line.strip() and depth <= 0:
            if block:
                yield start, "\n".join(block)
            block, depth = [], 0
            continue
        if line.startswith("$CATEGORY:") and not block:
            yield number, line
            continue
        start = number if not block else start
        block.append(line)
        bare = re.sub(r"\\.", "", line)
        depth += bare.count("{") - bare.count("}")
    if block:
        yield start, "\n".join(block)


def _bracket(text: str, sign: str, start: int = 0) -> int | None:
    """The place of the next brace that is not escaped."""
    found = re.compile(rf"(?:\\.|[^\\{re.escape(sign)}])*?({re.escape(sign)})", re.DOTALL).match(text, start)
    return found.start(1) if found else None


ESCAPED = {"n": "\n"}


def _plain(text: str) -> str:
    """A text without its escapes."""
    return re.sub(r"\\([~=#{}:\\n])", lambda found: ESCAPED.get(found[1], found[1]), text).strip()


def _shown(text: str, markup: str) -> tuple[str, str]:
    """A text as Markdown; it may name its own markup, which is passed on."""
    if found := MARKUP.match(text):
        markup, text = found[1].lower(), text[found.end() :]
    said = _plain(text)
    return (markdown(said) if markup == "html" else said), markup


def _question(record: dict[str, Any]) -> PublishedQuestion:
    source = record["source"]
    named = NAMED.match(source)
    body = source[named.end() :] if named else source
    start = _bracket(body, "{")
    if start is None:
        return PublishedQuestion(_shown(body, "moodle")[0], "other")
    end = _bracket(body, "}", start + 1)
    if end is None:
        raise ValueError("its answers do not end: a closing brace is missing")
    before, inside, after = body[:start], body[start + 1 : end], body[end + 1 :]
    stem, markup = _shown(before + ("" if not after.strip() else f" ____ {after}"), "moodle")
    inside, general = _general(inside)
    common: dict[str, Any] = {"explanation": general}
    if found := re.fullmatch(r"\s*(T|TRUE|F|FALSE)\s*(?:#.*)?", inside, re.DOTALL):
        right = found[1].startswith("T")
        both = (PublishedOption("True", right), PublishedOption("False", not right))
        return PublishedQuestion(stem, "one", options=both, **common)
    if inside.lstrip().startswith("#"):
        return PublishedQuestion(stem, "typed", keys=tuple(_numbers(inside.lstrip()[1:])), **common)
    parts = list(_parts(inside))
    if not parts:
        return PublishedQuestion(stem, "other", **common)
    if any("->" in text for _, text, _, _ in parts):
        return PublishedQuestion(stem, "other", **common)
    if all(sign == "=" for sign, _, _, _ in parts):
        keys = tuple(PublishedKey(_shown(text, markup)[0]) for _, text, weight, _ in parts if weight in (None, 100))
        return PublishedQuestion(stem, "typed", keys=keys, **common)
    weighted = any(weight for _, _, weight, _ in parts)
    charged = any((weight or 0) < 0 for _, _, weight, _ in parts)
    options = tuple(
        PublishedOption(_shown(text, markup)[0], sign == "=" or (weight or 0) > 0, _plain(feedback))
        for sign, text, weight, feedback in parts
    )
    several = charged or sum(option.right is True for option in options) > 1
    many = weighted and several and not any(part[0] == "=" for part in parts)
    return PublishedQuestion(stem, "many" if many else "one", options=options, **common)


def _general(inside: str) -> tuple[str, str]:
    """The answers and the feedback on all of them."""
    answers, mark, general = inside.partition("####")
    return answers, _plain(general) if mark else ""


def _parts(inside: str) -> Iterator[tuple[str, str, float | None, str]]:
    """Sign, text, weight in percent and feedback of each answer."""
    for found in re.finditer(r"([=~])((?:\\.|[^\\=~])*)", inside, re.DOTALL):
        text = found[2].strip()
        weight = WEIGHT.match(text)
        text = text[weight.end() :] if weight else text
        said = re.match(r"((?:\\.|[^\\#])*)(?:#(.*))?", text, re.DOTALL)
        assert said
        yield found[1], said[1].strip(), float(weight[1]) if weight else None, said[2] or ""


def _numbers(text: str) -> Iterator[PublishedKey]:
    """`3.14:0.01`, `1..5`, or several with `=` and weights."""
    listed = [part for part in re.split(r"(?<!\\)=", text) if part.strip()] if "=" in text else [text]
    for part in listed:
        bare = re.sub(r"^\s*%(-?[\d.]+)%", "", part).partition("#")[0].partition("~")[0].strip()
        weight = re.match(r"\s*%(-?[\d.]+)%", part)
        if weight and float(weight[1]) != 100:
            continue
        if found := re.fullmatch(r"(\S+?)\.\.(\S+)", bare):
            yield PublishedKey(f"{found[1]} to {found[2]}")
        else:
            value, _, margin = bare.partition(":")
            yield PublishedKey(value.strip(), float(margin) if margin.strip() else None)


# ---------------------------------------------------------------- writing


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. Texts are Markdown, which Moodle reads; a line of the file has a whole text."""
    lines = [f"// {line}" for line in (quiz.title, *quiz.origin.lines)]
    for topic, questions in quiz.by_topic().items():
        lines += ["", f"$CATEGORY: $course$/{_line(topic).replace('/', '//')}"]
        for one in questions:
            for asked in single_cells(one) if one.form == "table" else (one,):
                lines += ["", *_written(asked)]
    return ("\n".join(lines) + "\n").encode()


def _line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    """A text in which nothing has a meaning of GIFT."""
    return re.sub(r"[~=#{}:\\]", lambda found: "\\" + found[0], text.strip("\n")).replace("\n", "\\n")


def _shown_as(text: str) -> str:
    """Markdown in which HTML is text, without a meaning of GIFT."""
    return _escaped(without_html(text))


def _written(one: ExportedQuestion) -> Iterator[str]:
    yield f"// [id:{one.name}] [tag:{one.level}] [tag:{one.skill}]"
    yield f"::{_escaped(one.name)}::[markdown]{_shown_as(one.markdown())}{{{'#' if one.form == 'number' else ''}"
    yield from (f"\t{line}" for line in _answers(one))
    if one.explanation or one.form == "written":
        said = one.explanation if one.form != "written" else f"{one.model()}\n\n{one.explanation}"
        yield f"\t####{_shown_as(said)}"
    yield "}"


def _answers(one: ExportedQuestion) -> Iterator[str]:
    match one.form:
        case "one":
            for option in one.options:
                yield _feedback(f"{'=' if option.right else '~'}{_shown_as(option.text)}", option.feedback)
        case "many":
            share = shares(sum(option.right is True for option in one.options))
            for option in one.options:
                yield _feedback(f"~%{share if option.right else -share}%{_shown_as(option.text)}", option.feedback)
        case "number":
            for key in one.keys:
                yield f"={_number(key)}"
            for key, said in one.wrong:
                yield _feedback(f"=%0%{_number(key)}", said)
        case "text":
            for key in one.keys:
                yield f"=%100%{_escaped(key.text)}"
            for key, said in one.wrong:
                yield _feedback(f"=%0%{_escaped(key.text)}", said)
        case "match":
            for part in one.parts:
                yield f"={_side(part.label)} -> {_side(part.options[part.right])}"
            used = {part.right for part in one.parts}
            yield from (f"= -> {_side(text)}" for place, text in enumerate(one.parts[0].options) if place not in used)


def _feedback(answer: str, said: str) -> str:
    return f"{answer}#{_shown_as(said)}" if said else answer


def _number(key: PublishedKey) -> str:
    return f"{key.text}:{decimal(key.tolerance)}" if key.tolerance else f"{key.text}:0"


def _side(text: str) -> str:
    """One side of a pair; an arrow in it would part it."""
    return _escaped(_line(text).replace("->", "\N{RIGHTWARDS ARROW}"))
