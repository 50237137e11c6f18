"""Anki packages: a card for each question, to be turned over. A second import of the same question updates its card."""

from __future__ import annotations

import hashlib
import html
import tempfile
from pathlib import Path

from grader.errors import InputError
from grader.exchange import pictures
from grader.exchange.exported_questions import FORMS, ExportedQuestion, ExportedQuiz, Form
from grader.model import LETTERS
from grader.render import templates
from grader.render.markdown import as_plain_html

TITLE = "Anki"
WRITES: dict[Form, str] = dict.fromkeys(FORMS, "a card")
MODEL = 1_733_000_026
"""The number of our sort of note, which must stay: Anki knows notes of it again."""

CSS = """\
.card { font-family: system-ui, sans-serif; font-size: 18px; line-height: 1.45; text-align: left; }
.card { max-width: 44em; margin: 0 auto; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 15px; }
pre { overflow-x: auto; padding: 0.6em 0.8em; background: rgba(128, 128, 128, 0.13); border-radius: 4px; }
img { max-width: 100%; }
table { border-collapse: collapse; }
th, td { border: 1px solid rgba(128, 128, 128, 0.5); padding: 0.2em 0.5em; }
ol.letters { list-style: upper-alpha; }
li.right { font-weight: 600; }
.origin { font-size: 13px; opacity: 0.7; }
"""


def write(quiz: ExportedQuiz) -> bytes:
    """See `Writes`. A deck for each topic. Raises InputError where genanki is not installed."""
    try:
        import genanki
    except ImportError:
        raise InputError("genanki is not installed here", 'run `pip install "torch-grader[exchange]"`') from None
    model = genanki.Model(
        MODEL, "torch-grader", css=CSS,
        fields=[{"name": name} for name in ("Question", "Answer", "Item", "Source")],
        templates=[
            {
                "name": "Card",
                "qfmt": "{{Question}}",
                "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}<p class="origin">{{Item}}. {{Source}}</p>',
            }
        ],
    )  # fmt: skip
    source = " ".join(quiz.origin.lines)
    with tempfile.TemporaryDirectory() as folder:
        decks, media = [], dict[str, str]()
        for topic, questions in quiz.by_topic().items():
            deck = genanki.Deck(
                _number(f"{quiz.origin.name}\0{topic}"), f"{quiz.origin.title}::{topic}", html.escape(source)
            )
            for one in questions:
                drawn = {_media_name(svg): svg for _, svg in pictures.files(one)}
                media |= drawn
                note = genanki.Note(
                    model=model,
                    fields=[_front(one, list(drawn)), _back(one), html.escape(one.name), html.escape(source)],
                    guid=genanki.guid_for(quiz.origin.name, one.item, one.variant),
                    tags=[one.level, one.skill],
                )
                deck.add_note(note)
            decks.append(deck)
        for name, svg in media.items():
            Path(folder, name).write_text(svg, encoding="utf-8")
        made = Path(folder, "quiz.apkg")
        genanki.Package(decks, media_files=[str(Path(folder, name)) for name in media]).write_to_file(str(made))
        return made.read_bytes()


def _number(text: str) -> int:
    """A number of a deck, which stays the same for its name."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % (1 << 30)


def _media_name(svg: str) -> str:
    """A name of its own for each drawing: all decks share one folder."""
    return f"torch-grader-{hashlib.sha256(svg.encode()).hexdigest()[:16]}.svg"


def _front(one: ExportedQuestion, drawn: list[str]) -> str:
    """The question; options have letters."""
    shown = pictures.as_html(one, {name: name for name in drawn})
    return shown + templates.filled(__file__, "anki_front.html", one=one, plain=as_plain_html)


def _back(one: ExportedQuestion) -> str:
    """The answer, what is wrong with the other options, and the solution."""
    right = ", ".join(LETTERS[place] for place, option in enumerate(one.options) if option.right)
    judged = [(LETTERS[place], option) for place, option in enumerate(one.options) if option.feedback]
    return templates.filled(
        __file__, "anki_back.html", one=one, right=right, judged=judged, model=one.model(), plain=as_plain_html
    )
