"""A bank as large as one asks for: the shipped items and those of the engine's bank, under new ids and with a parameter more.

Each program begins with the parameter, so that no two of the copies are the same to what is remembered. Items keep all
that they have, variants too; a quarter of them are `code` or `repair`, and a topic has at most `PER_TOPIC`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.common import ROOT

SOURCES = (ROOT / "quizzes", ROOT / "tests/banks/engine/quizzes")
PER_TOPIC = 36
"""As 28 topics of 1,000 items have."""

CODE = ("code", "repair")
PARAMETER = "copy_number"


@dataclass(frozen=True)
class Model:
    """An item as it is written, and what of its topic it needs."""

    text: str
    kind: str
    mistakes: dict[str, str]
    setups: dict[str, str]

    def copied(self, number: int) -> str:
        """The item under a new id, with one parameter more."""
        text = re.sub(r"\A- id: (\S+)", rf"- id: \g<1>-copy-{number}", self.text)
        text, found = re.subn(r"^( +)program: \|\n", rf"\g<0>\1  copied = {PARAMETER}\n", text, flags=re.MULTILINE)
        if not found:
            return text
        if listed := re.search(r"^  params:\n(  - \{.*\n)+", text, re.MULTILINE):
            return text.replace(listed[0], listed[0].replace("- {", f"- {{{PARAMETER}: {number}, "), 1)
        for old, new in (
            (r"^  params:\n", rf"\g<0>    {PARAMETER}: [{number}]\n"),
            (r"^  params: \{", rf"\g<0>{PARAMETER}: [{number}], "),
            (r"^  kind: .*\n", rf"\g<0>  params: {{{PARAMETER}: [{number}]}}\n"),
        ):
            text, found = re.subn(old, new, text, count=1, flags=re.MULTILINE)
            if found:
                return text
        raise AssertionError(text)


def write(folder: Path, count: int, per_topic: int = PER_TOPIC, kinds: Collection[str] = ()) -> int:
    """Write a bank of so many items, a quarter of them code; with `kinds`, of these alone. Returns how many are code."""
    models = [model for model in _models() if not kinds or model.kind in kinds]
    code = itertools.cycle([model for model in models if model.kind in CODE])
    others = itertools.cycle([model for model in models if model.kind not in CODE])
    chosen = [next(code, None) or next(others) if place % 4 == 3 else next(others) for place in range(count)]
    quizzes = folder / "quizzes"
    quizzes.mkdir(parents=True)
    for number, start in enumerate(range(0, count, per_topic)):
        some = chosen[start : start + per_topic]
        parts = {
            "setup": {name: text for model in some for name, text in model.setups.items()},
            "mistakes": {name: text for model in some for name, text in model.mistakes.items()},
            "items": {place: model.copied(start + place) for place, model in enumerate(some)},
        }
        text = f"format: 1\ntopic: topic-{number}\ntitle: Topic {number}\n"
        text += "".join(f"{name}:\n{''.join(part.values())}" for name, part in parts.items() if part)
        (quizzes / f"topic-{number}.yaml").write_text(text)
    return sum(model.kind in CODE for model in chosen)


def _models() -> Iterator[Model]:
    """The items of both banks, taken from the texts of their files as these are laid out; those with a module are left out."""
    texts = [path.read_text() for folder in SOURCES for path in sorted(folder.rglob("*.yaml"))]
    mistakes, setups = (
        {name: entry for text in texts for name, entry in _named(text, section).items()}
        for section in ("mistakes", "setup")
    )
    for text in texts:
        for item in re.split(r"^(?=- id: )", _section(text, "items"), flags=re.MULTILINE)[1:]:
            (kind,) = re.findall(r"^  kind: (\w+)", item, re.MULTILINE)
            used = re.findall(r"[\w-]+", "".join(re.findall(r"^  uses: \[(.*)\]", item, re.MULTILINE)))
            words = set(re.findall(r"[\w-]+", item))
            if "from helpers import" not in item:
                yield Model(
                    item.rstrip("\n") + "\n\n",
                    kind,
                    {name: entry for name, entry in mistakes.items() if name in words},
                    {name: setups[name] for name in used if name in setups},
                )


def _section(text: str, name: str) -> str:
    found = re.search(rf"^{name}:\n(.*?)(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].rstrip("\n") + "\n" if found else ""


def _named(text: str, section: str) -> dict[str, str]:
    entries = re.split(r"^(?=  \S)", _section(text, section), flags=re.MULTILINE)[1:]
    return {entry.split(":")[0].strip(): entry for entry in entries}
