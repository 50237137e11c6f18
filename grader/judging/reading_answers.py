"""Reading what a learner typed: one reader for all inputs, whatever kind asks for them.

An answer is one text. Where there are several inputs it has a part for each: numbers with spaces between them, anything
else with semicolons or line ends; a JSON array or object (by labels) is taken too, as forms and notebooks send it.
"""

from __future__ import annotations

import ast
import json
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from grader import template
from grader.model import (
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    NumberInput,
    OrderInput,
    Prompt,
    Response,
    TextInput,
    Unreadable,
)

LONGEST_TEXT = 300
"""Characters that one blank may take."""

LONGEST_CODE = 64 << 10
"""Bytes of code that an answer may have."""


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """Understand a raw answer to what a prompt asks for."""
    inputs = prompt.inputs
    if len(inputs) == 1 and not (isinstance(inputs[0], NumberInput) and inputs[0].label):
        return _read_one(inputs[0], raw)
    if all(isinstance(one, NumberInput) for one in inputs):
        return _numbers(raw, [one.label for one in inputs])
    if all(isinstance(one, TextInput) for one in inputs):
        return _texts([one for one in inputs if isinstance(one, TextInput)], raw)
    parts = _parts(inputs, raw)
    if len(parts) != len(inputs):
        return Unreadable(raw, f"{len(inputs)} answers are wanted, with `;` between them; there are {len(parts)}")
    read_parts = []
    for one, part in zip(inputs, parts, strict=True):
        response = _read_one(one, part)
        if isinstance(response, Unreadable):
            return Unreadable(raw, f"{one.label}: {response.why}" if one.label else response.why)
        read_parts.append(response)
    return Response(
        raw,
        picked=tuple(place for response in read_parts for place in response.picked),
        numbers=tuple(response.number for response in read_parts if response.number is not None),
        parts=tuple(text for response in read_parts for text in response.parts),
    )


def _read_one(one: Input, raw: str) -> Response | Unreadable:
    match one:
        case ChooseOne():
            place = _place(one, raw)
            return Unreadable(raw, _wanted(one)) if place is None else Response(raw, (place,))
        case ChooseMany():
            return _read_many(one, raw)
        case NumberInput(unit=unit):
            bare = raw.strip().casefold().removesuffix(unit.casefold()) if unit else raw
            number = read_number(bare or raw)
            number = replace(number, raw=raw) if isinstance(number, Unreadable) else number
            return number if isinstance(number, Unreadable) else Response(raw, number=number)
        case TextInput():
            return _texts([one], raw)
        case CodeInput():
            return _code(raw)
        case OrderInput(lines=lines):
            return _order(lines, raw)
        case _:
            assert_never(one)


def _parts(inputs: Sequence[Input], raw: str) -> list[str]:
    """The parts of an answer to several inputs."""
    text = raw.strip()
    if text[:1] in ("[", "{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            data = [data[one.label] for one in inputs if one.label in data]
        if isinstance(data, list):
            return [entry if isinstance(entry, str) else json.dumps(entry) for entry in data]
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    if len(parts) == 1 and all(isinstance(one, ChooseOne) for one in inputs):
        words = text.replace(",", " ").split()
        return words if len(words) > 1 or len(text) > len(inputs) else list(text)  # letters, one for each
    return parts


# ---------------------------------------------------------------- options


def _read_many(pick: ChooseMany, raw: str) -> Response | Unreadable:
    """Several options: letters with or without commas, or texts and values with commas between."""
    whole = _place(pick, raw)
    if whole is not None:
        return Response(raw, (whole,))
    compact = re.sub(r"[\s,;.)(+&]|\band\b", "", raw)
    letters = compact.upper()
    if letters and all(letter in pick.letters for letter in letters):
        return Response(raw, tuple(sorted({pick.letters.index(letter) for letter in letters})))
    places = [_place(pick, part) for part in re.split(r"[,;]", raw)]
    if any(place is None for place in places):
        return Unreadable(raw, _wanted(pick))
    return Response(raw, tuple(sorted({place for place in places if place is not None})))


def _place(pick: ChooseOne | ChooseMany, raw: str) -> int | None:
    letter = re.fullmatch(r"\(?\s*([A-Za-z])\s*[).:]?", raw.strip())
    if letter and letter.group(1).upper() in pick.letters:
        return pick.letters.index(letter.group(1).upper())
    if not raw.strip():
        return None
    for same in (_same_text, _same_number):
        matches = [index for index, option in enumerate(pick.options) if same(option, raw)]
        if len(matches) == 1:
            return matches[0]
    return None


def _same_text(option: str, raw: str) -> bool:
    plain = [
        " ".join(text.replace("`", "").split()).casefold().rstrip(".").removeprefix("torch.") for text in (option, raw)
    ]
    return plain[0] == plain[1]


def _same_number(option: str, raw: str) -> bool:
    one, other = read_number(option), read_number(raw)
    if isinstance(one, Unreadable) or isinstance(other, Unreadable):
        return False
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)


def _wanted(pick: ChooseOne | ChooseMany) -> str:
    letters = f"{pick.letters[0]} to {pick.letters[-1]}"
    if isinstance(pick, ChooseMany):
        return f"answer with the letters of all options that hold, such as `A, C` ({letters})"
    return f"answer with a letter, {letters}, or with the text or value of an option"


# ---------------------------------------------------------------- numbers


DIVIDED, TOO_LARGE = "it divides by zero", "the number is too large"
LONGEST_ANSWER = 100
"""Numbers of a table beyond what is wanted that are still looked at."""


def read_number(raw: str) -> float | Unreadable:
    """A number in plain or scientific notation, or arithmetic with such numbers: `6/100`, `0.1*0.6`, `6%`.

    A tensor that holds one, as PyTorch prints it, is that number: `tensor(7., grad_fn=<MulBackward0>)`.
    A decimal comma is refused, since it may group thousands.
    """
    text = raw.strip()
    if printed := re.fullmatch(r"(?:torch\.)?tensor\(([^,()]+)(?:,\s*\w+=[^()]*)?\)", text):
        text = printed[1].strip()
    try:
        number = float(text) if re.fullmatch(template.NUMBER, text) else template.calculated(text)
    except ZeroDivisionError:
        return Unreadable(raw, DIVIDED)
    except OverflowError:
        return Unreadable(raw, TOO_LARGE)
    except ValueError:
        comma = re.fullmatch(r"[-+]?\d*,\d+", text)
        long = len(text) > template.LONGEST_CALCULATION and re.fullmatch(r"[0-9.eE+\-*/()%\s]+", text)
        if long:
            return Unreadable(raw, f"a number may be calculated in {template.LONGEST_CALCULATION} characters at most")
        why = "write the decimal point as `.`" if comma else "answer with a number, such as 0.05 or 5e-2"
        return Unreadable(raw, why)
    return number if math.isfinite(number) else Unreadable(raw, TOO_LARGE)


def _numbers(raw: str, labels: Sequence[str]) -> Response | Unreadable:
    """Numbers with spaces, commas, semicolons or line ends between them; nested lists row by row."""
    wanted = len(labels)
    text = re.sub(r"^(?:torch\.)?tensor\(", "(", raw.strip())
    words = _listed(text, labels)
    if words is None:
        words = _words(text, wanted)
    if len(words) > wanted + LONGEST_ANSWER:
        return Unreadable(raw, f"{wanted} numbers are wanted, with spaces between them; there are {len(words)}")
    numbers: list[float] = []
    for word in words:
        number = read_number(word)
        if isinstance(number, float):
            numbers.append(number)
        elif number.why == DIVIDED:
            return Unreadable(raw, f"`{word[:20]}` divides by zero")
        elif number.why == TOO_LARGE:
            return Unreadable(raw, "one of the numbers is too large")
        else:
            return Unreadable(raw, f"`{word[:20]}` is not a number; give {wanted} numbers with spaces between them")
    if len(numbers) != wanted:
        return Unreadable(raw, f"{wanted} numbers are wanted, with spaces between them; there are {len(numbers)}")
    return Response(raw, numbers=tuple(numbers))


def _listed(text: str, labels: Sequence[str]) -> list[str] | None:
    """The numbers of a JSON array, nested or not, or of an object by labels, each as it is typed; None for all else."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rest = [data[label] for label in reversed(labels) if label in data] if isinstance(data, dict) else [data]
    words = []
    while rest:
        entry = rest.pop()
        if isinstance(entry, list):
            rest += reversed(entry)
        else:
            words.append(entry if isinstance(entry, str) else json.dumps(entry))
    return words


def _words(text: str, wanted: int) -> list[str]:
    """The numbers of an answer as they are typed; with commas, semicolons or lines between, spaces may be in them."""
    bare = text.translate(str.maketrans("[]", "  ")).strip()
    if bare.startswith("(") and _closing(bare) == len(bare) - 1:
        bare = bare[1:-1].strip()
    apart = [part.strip() for part in re.split(r"[,;\n]", bare) if part.strip()]
    words = re.split(r"[\s,;]+", bare.strip(" \t\r\n,;")) if bare.strip(" \t\r\n,;") else []
    words = apart if len(apart) == wanted else words
    if any(word.count("(") != word.count(")") for word in words):  # tuples of numbers
        return re.sub(r"[(),;]", " ", bare).split()
    return words


def _closing(text: str) -> int:
    """Where the parenthesis is closed that a text begins with; -1 where it is not."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place
    return -1


# ---------------------------------------------------------------- texts and code


def _texts(inputs: Sequence[TextInput], raw: str) -> Response | Unreadable:
    """One line, or text before a semicolon, for each input."""
    count = len(inputs)
    text = raw.strip().strip(";")
    parts = [text] if count == 1 and "\n" not in text else [part.strip() for part in text.replace("\n", ";").split(";")]
    parts = [part for part in parts if part]
    if len(parts) != count:
        between = ", with `;` between them" if count > 1 else ""
        wanted = "one text for the blank" if count == 1 else f"{count} texts, one for each blank"
        return Unreadable(raw, f"answer with {wanted}{between}")
    if any(len(part) > LONGEST_TEXT for part in parts):
        return Unreadable(raw, f"one of the texts is longer than {LONGEST_TEXT} characters")
    parts = [_bare(part) if one.python else part for one, part in zip(inputs, parts, strict=True)]
    python = [part for one, part in zip(inputs, parts, strict=True) if one.python]
    if bad := next((part for part in python if not is_closed(part)), None):
        return Unreadable(raw, f"`{bad[:40]}` is not Python by itself; give a whole expression for each blank")
    return Response(raw, parts=tuple(parts))


def _bare(part: str) -> str:
    """A blank's text without a comment behind it, which would take the rest of the program's line with it."""
    while "#" in part and (tree := _parsed(part)):
        shorter = part.rpartition("#")[0].rstrip()
        without = _parsed(shorter)
        if without is None or ast.dump(tree) != ast.dump(without):
            break
        part = shorter
    return part


def is_closed(part: str) -> bool:
    """Whether a text is whole Python, as arguments or indices are: it closes what it opens, and no more."""
    return _parsed(part) is not None


def _parsed(part: str) -> ast.expr | None:
    """A text as the arguments of a call or, where a slice is in it, as indices; None where it is neither."""
    for opened, closed in ("()", "[]"):
        try:
            body = ast.parse(f"f{opened}{part}\n{closed}", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        # `1) * (2` is Python between these parentheses, but not one call any more.
        match body:
            case ast.Call(func=ast.Name()) | ast.Subscript(value=ast.Name()):
                return body
    return None


def _code(raw: str) -> Response | Unreadable:
    """Whether it is Python is seen when it is run."""
    if not raw.strip():
        return Unreadable(raw, "there is no code")
    if len(raw.encode(errors="replace")) > LONGEST_CODE:
        return Unreadable(raw, f"the code is longer than {LONGEST_CODE:,} bytes")
    text = raw.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    # A program has its inputs before it, where these imports may not stand; Python 3 does not need them.
    text = re.sub(r"^from __future__ import .*$", "", text, flags=re.MULTILINE)
    # A method may be typed as it stands in its class. It is put in at the class's indentation, so its own has to go.
    if text.lstrip("\n").startswith((" ", "\t")):
        text = textwrap.dedent(text)
    return Response(raw, parts=(text + "\n",))


def _order(lines: tuple[str, ...], raw: str) -> Response | Unreadable:
    """The numbers of the lines in order, or the lines themselves."""
    count = len(lines)
    wanted = f"answer with the numbers 1 to {count} in order, such as `{' '.join(map(str, range(count, 0, -1)))}`"
    typed = [line.strip() for line in raw.strip().splitlines() if line.strip()]
    if len(typed) == count and sorted(typed) == sorted(line.strip() for line in lines):
        by_text = {line.strip(): line for line in lines}
        return Response(raw, parts=tuple(by_text[line] for line in typed))
    if re.search(r"[^\d\s,;.>-]", raw):
        return Unreadable(raw, wanted)
    digits = [int(digit) for digit in re.findall(r"[1-9]", raw)]
    if sorted(digits) != list(range(1, count + 1)) or re.search(r"0", raw):
        return Unreadable(raw, wanted)
    return Response(raw, parts=tuple(lines[digit - 1] for digit in digits))
