"""What kinds share in reading answers: the prompt of options, and letters, texts, values and numbers as typed."""

from __future__ import annotations

import math
import re

from grader import claims, template
from grader.model import Item, Pick, Prompt, Proof, Response, Unreadable, Variant


def prompt(item: Item, variant: Variant, proof: Proof | None, many: bool) -> Prompt | None:
    """The prompt of an item with options; None where its numbers take a proof that is not there yet."""
    if proof is not None:
        stem, options = proof.stem, tuple(option.shown for option in proof.options)
    else:
        shown = claims.shown_before_proof(item, variant)
        if shown is None:
            return None
        stem, options = shown
    code = any(option.code is not None and not option.text for option in item.options)
    return Prompt(
        item=item.id,
        kind=item.kind,
        level=item.level,
        skill=item.skill,
        variant=variant,
        stem=stem,
        program=claims.shown_program(item, variant),
        interaction=Pick(options, many, code),
        hints=len(item.hints),
    )


def read_one(pick: Pick, raw: str) -> Response | Unreadable:
    """One option, by its letter, its text or its value."""
    place = _place(pick, raw)
    if place is None:
        return Unreadable(raw, _wanted(pick))
    return Response(raw, (place,))


def read_many(pick: Pick, raw: str) -> Response | Unreadable:
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


def read_number(raw: str) -> float | Unreadable:
    """A number in plain or scientific notation; a decimal comma is refused, since it may group thousands."""
    text = raw.strip()
    if not re.fullmatch(template.NUMBER, text):
        comma = re.fullmatch(r"[-+]?\d*,\d+", text)
        why = "write the decimal point as `.`" if comma else "answer with a number, such as 0.05 or 5e-2"
        return Unreadable(raw, why)
    number = float(text)
    return number if math.isfinite(number) else Unreadable(raw, "the number is too large")


def _place(pick: Pick, raw: str) -> int | None:
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
    plain = [" ".join(text.replace("`", "").split()).casefold().rstrip(".") for text in (option, raw)]
    return plain[0] == plain[1]


def _same_number(option: str, raw: str) -> bool:
    try:
        return math.isclose(float(option), float(raw), rel_tol=1e-6, abs_tol=1e-12)
    except ValueError:
        return False


def _wanted(pick: Pick) -> str:
    letters = f"{pick.letters[0]} to {pick.letters[-1]}"
    if pick.many:
        return f"answer with the letters of all options that hold, such as `A, C` ({letters})"
    return f"answer with a letter, {letters}, or with the text or value of an option"
