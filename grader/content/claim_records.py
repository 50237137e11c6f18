"""What a bank claims, claim by claim, with what was observed: to be kept, and compared with another environment's."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.errors import InputError
from grader.judging.bodies import Written, claimed
from grader.judging.claims import shown_options
from grader.model import LETTERS, Inputs, Item, Proof, Span, Value
from grader.template import brief, show

PASSES = "passes"
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]?\d+)?")
ROUNDING = 1e-4
"""What two builds of torch may differ by in float32, relative and near 0."""
LONGEST = 400
"""Characters of an expectation or an observation."""


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """One claim of one variant of an item."""

    item: str
    variant: dict[str, Value]
    path: str
    line: int
    claim: str
    """What is claimed, such as `option B: base_lr * 2`."""
    expected: str
    observed: str
    number: int = 0
    """How many claims of the variant with the same words come before it."""

    @property
    def key(self) -> str:
        """The same in another environment."""
        return f"{self.item} {sorted(self.variant.items(), key=str)} {self.claim} {self.number}"

    def agrees(self, other: ClaimRecord) -> bool:
        """Whether the same was expected and observed; the numbers of a reference that passes may differ by rounding."""
        if self.expected != other.expected:
            return False
        if self.expected != PASSES:
            return self.observed == other.observed
        (words, numbers), (others, theirs) = (
            (NUMBER.sub("0", one.observed), NUMBER.findall(one.observed)) for one in (self, other)
        )
        return words == others and all(
            math.isclose(float(mine), float(its), rel_tol=ROUNDING, abs_tol=ROUNDING)
            for mine, its in zip(numbers, theirs, strict=True)
        )


def of(item: Item, proofs: Sequence[Proof]) -> Iterator[ClaimRecord]:
    """The claims of all variants of an item."""
    for proof in proofs:
        records = _of_exercise(item, proof) if isinstance(item.body, Written) else _of_options(item, proof)
        same: Counter[str] = Counter()
        for claim, at, expected, observed in records:
            yield ClaimRecord(
                item.id, _plain(proof.variant.values), at.path, at.line, claim, _short(expected), _short(observed),
                same[claim],
            )  # fmt: skip
            same[claim] += 1


def _plain(values: Inputs) -> dict[str, Value]:
    return dict(values)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


Claimed = tuple[str, Span, str, str]


def _of_options(item: Item, proof: Proof) -> Iterator[Claimed]:
    """The answer, and of each option whether it holds."""
    body = claimed(item)
    run = proof.observation
    ended = f"{run.error.type}" if run.error else run.status.value
    yield "the program", item.program_at or item.at, item.raises.text if item.raises else "ok", ended
    if body.answer:
        keys = [one.shown for one in proof.options if one.key]
        expected = body.key.text if body.key else ", ".join(keys)
        yield f"answer: {brief(body.answer.text)}", body.answer.at, expected, show(proof.answer)
    for letter, option, proven in zip(LETTERS, shown_options(item, proof.variant), proof.options, strict=False):
        claim = option.value or option.says or option.holds
        said = brief(claim.text if claim else option.code or option.mistake or "")
        observed = ("holds" if proven.holds else "does not hold") if proven.decided else "not decided"
        name = f"option {letter}" if any(one.key for one in proof.options) else f"mistake {option.mistake}"
        shown = "" if option.holds else f": {proven.shown}"
        yield f"{name}: {said}", option.at, "holds" if proven.key else "does not hold", f"{observed}{shown}"


def _of_exercise(item: Item, proof: Proof) -> Iterator[Claimed]:
    """The reference passes, and no mistake does."""
    body = item.body
    assert isinstance(body, Written)
    codes = {finding.code for finding in proof.findings}
    passed = "rejected" if codes & {"reference-fails", "not-run"} else PASSES
    yield "the reference", body.at, PASSES, f"{passed}: {show(proof.answer)}"
    passing = {finding.at for finding in proof.findings if finding.code == "mistake-passes"}
    for wrong in body.wrong:
        yield f"mistake {wrong.mistake}", wrong.at, "fails", PASSES if wrong.at in passing else "fails"


# ---------------------------------------------------------------- two environments


def read(document: Any, name: str) -> tuple[str, dict[str, ClaimRecord]]:
    """The torch of a report that `grader verify --json --claims` printed, and its claims by key.

    Raises InputError for anything else.
    """
    try:
        listed = [ClaimRecord(**entry) for entry in document["listed"]]
        return str(document["torch"]), {record.key: record for record in listed}
    except (KeyError, TypeError, AttributeError):
        hint = "give what `grader verify --json --claims > report.json` printed elsewhere"
        raise InputError(f"{name}: this is not a report with claims", hint) from None


def changes(
    before: Mapping[str, ClaimRecord], now: Sequence[ClaimRecord]
) -> list[tuple[ClaimRecord | None, ClaimRecord | None]]:
    """The claims of which something else was observed, or that are only in one of two reports, in order."""
    known = {record.key: record for record in now}
    found: list[tuple[ClaimRecord | None, ClaimRecord | None]] = [
        (before.get(key), record)
        for key, record in known.items()
        if key not in before or not record.agrees(before[key])
    ]
    return found + [(record, None) for key, record in before.items() if key not in known]
