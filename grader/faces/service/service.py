"""Questions for a face that asks by messages, such as a notebook. All that goes in and out is plain JSON data.

The service has the bank, the runner and the records; the face has none of them, and is told of a question only what its
learner may know by then. What a sheet is and what may be done with it is said by `learning.sitting`; here are the
messages. A notebook's kernel, where the learner's own code runs, keeps its service in another process:
`python -m grader.faces.service` answers one line for each line on its standard input, until that is closed.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace

from grader.content.bank_homes import Given
from grader.errors import GraderError, InputError
from grader.faces.answer_text import AnswerText
from grader.faces.service import documents, experiment_actions, opening  # noqa: F401  (actions beside these)
from grader.faces.service.actions import ACTIONS, action
from grader.faces.service.backing import Backing
from grader.faces.service.documents import Document, ViewContext
from grader.faces.words import left_out
from grader.learning.modes import JUDGED
from grader.learning.question import NotProvenError
from grader.learning.shared_work import Recent
from grader.learning.sitting_view import OpenSitting, SittingQuestion
from grader.model import Outcome, Response
from grader.render import terminal_text
from grader.render.markdown import phrase_as_html
from grader.runner.cached import RememberingRunner


class Service:
    """Asks, judges and records, for one learner. Any number of threads may ask at once."""

    def __init__(
        self,
        db: str | None = None,
        learner: str = "me",
        runner: RememberingRunner | None = None,
        face: str = "jupyter",
        bank: Given = None,
    ) -> None:
        """`bank` is its folder, or several; else the usual ones.

        `runner` is one that others use as well, and is left open.

        Without a runner there is one of its own.
        """
        self.learner, self.face = learner, face
        self.backing = Backing(db, runner, bank)
        self._mine: Recent[bool] = Recent(1024)

    def close(self) -> None:
        """End the runner, and let go of the files."""
        self.backing.close()

    def handle(self, request: Document) -> Document:
        """Do what a request asks for: `ok` with a document, or `error` with a message and a hint."""
        arguments = {name: value for name, value in request.items() if name not in ("do", "id")}
        try:
            wanted = ACTIONS.get(str(request.get("do")))
            if wanted is None:
                raise InputError(f"nothing here is called `{request.get('do')}`", f"it is one of {', '.join(ACTIONS)}")
            return {"ok": wanted(self, **arguments)}
        except GraderError as error:
            return {"error": {"message": error.message, "hint": error.hint}}
        except TypeError as error:
            return {"error": {"message": f"that cannot be done so: {error}", "hint": ""}}

    # ------------------------------------------------------------ what can be asked for

    @action
    def state(self, sheet: str) -> Document:
        """A sheet as it is now."""
        found = self._find(sheet)
        left = self._left_out(found)
        said = {"left_out": left, "left_out_html": left and phrase_as_html(f"Questions are {left}.")}
        return documents.of_sheet(found, self._around()) | said

    @action
    def show(self, sheet: str, place: int) -> Document:
        """A question of a sheet with all that may be said of it now; its time begins when it is shown first."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.ask(sheet, place))

    @action
    def hint(self, sheet: str, place: int) -> Document:
        """Give one more hint."""
        self._must_be_mine(sheet)
        try:
            entry = self.backing.sittings.hint(sheet, place)
        except NotProvenError:
            entry = self.backing.sittings.show(sheet, place)
        return self._question(entry) | documents.last_hint(entry)

    @action
    def answer(
        self, sheet: str, place: int, raw: str, tries: int | None = None, token: str | None = None,
        written: bool = False,
    ) -> Document:  # fmt: skip
        """Judge an answer, and put it on record before anything is said of it; see `Sittings.answer`.

        Its letters are those of the sheet; or those of the written order (`written`), which `read` and `say` show.
        """
        self._must_be_mine(sheet)
        if type(raw) is not str or type(tries) not in (int, type(None)) or not _is_token(token):
            raise InputError("an answer is a text, with a number of tries and a token of at most 64 characters")
        if written:
            raw = self._as_shown(sheet, place, raw)
        return self._question(self.backing.sittings.answer(sheet, place, raw, tries=tries, token=token))

    @action
    def solution(self, sheet: str, place: int) -> Document:
        """Give a question up: it is skipped where it was not tried, and explained."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.solution(sheet, place))

    @action
    def again(self, sheet: str, place: int) -> Document:
        """Ask a question once more."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.again(sheet, place))

    @action
    def turn(self, sheet: str, place: int) -> Document:
        """Turn a card over."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.turn(sheet, place))

    @action
    def draft(self, sheet: str, place: int, raw: str) -> Document:
        """Keep what was typed so far."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.draft(sheet, place, str(raw)))

    @action
    def read(self, sheet: str, place: int | None = None) -> Document:
        """All questions of a sheet, or the one at a place, as documents and as text, for where nothing can be clicked.

        Options stand in the written order, so that a letter in a cell means the same tomorrow. The problems of a
        challenge are not shown ahead.
        """
        found = self._find(sheet)
        if found.mode == "challenge":
            return {"questions": [], "text": f"{found.title}: {len(found.asked)} problems against the clock."}
        console, out = _plain_terminal()
        of = f"at most {found.most}" if found.most else len(found.asked)
        shown = [entry for entry in found.asked if place in (None, entry.place)]
        for entry in shown:
            named = f"Question {entry.place + 1} of {of}"
            try:
                console.show(entry.question.as_written().prompt(), named)
            except NotProvenError as error:
                out.write(f"\n{named}: it could not be judged: {error}\n")
            out.write(f"\nItem: {entry.question.item.id}\n")
        return {
            "questions": [self._question(_written(self.backing.sittings.show(sheet, entry.place))) for entry in shown],
            "text": out.getvalue().strip("\n"),
        }

    @action
    def say(self, sheet: str, place: int) -> Document:
        """What may be said of an answer now, as plain text; options have the letters of the written order."""
        found = self._find(sheet)
        entry = _written(self.backing.sittings.show(sheet, place))
        if entry.result is None:
            return {"text": ""}
        console, out = _plain_terminal()
        told = entry.result.score.outcome in (*JUDGED, Outcome.SKIPPED)
        if found.exam and not found.over and told:
            return {"text": "Noted."}
        if entry.final:
            console.tell(entry.question, entry.result, self.backing.bank.mistakes)
        else:
            console.verdict_of(entry.result)
        lines = [
            out.getvalue().strip("\n"),
            documents.remark(entry),
            self.backing.containment(entry.result),
            self.backing.notice,
        ]
        return {"text": "\n\n".join(filter(None, lines))}

    @action
    def recall(self, sheet: str, place: int) -> Document:
        """Judge the answer of an earlier sitting once more, to show what was said of it; nothing is recorded."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.recall(sheet, place))

    @action
    def follow(self, sheet: str, place: int, raw: str) -> Document:
        """Answer the question about one's own code."""
        self._must_be_mine(sheet)
        return self._question(self.backing.sittings.follow(sheet, place, str(raw)))

    # ------------------------------------------------------------ sheets

    def _as_shown(self, sheet: str, place: int, raw: str) -> str:
        """An answer by letters of the written order as its sheet's letters; any other as it is."""
        question = self.backing.sittings.show(sheet, place).question
        with contextlib.suppress(NotProvenError):
            meant, read = question.as_written().read(raw), question.read(raw)
            if isinstance(meant, Response) and meant.picked and meant.picked != getattr(read, "picked", ()):
                return ", ".join(question.letters(meant.picked))
        return raw

    def _find(self, sheet: str) -> OpenSitting:
        if not isinstance(sheet, str):
            raise InputError(f"a sheet has a name, not {sheet!r}")
        return self.backing.sittings.view(sheet, self.learner)

    def _left_out(self, sheet: OpenSitting) -> str:
        """What a sheet of a topic, or of all, cannot ask, since something is wrong with it; else the empty string."""
        whole = not sheet.topic
        if not whole and sheet.title != sheet.topic:
            return ""
        topics = [
            topic for topic in self.backing.bank.topics if whole or topic.name in self.backing.bank.members(sheet.topic)
        ]
        return left_out(
            [*(one for topic in topics for one in topic.left_out), *(self.backing.bank.unread if whole else ())]
        )

    def _must_be_mine(self, sheet: str) -> None:
        """Raise InputError for a sheet that is not there, or somebody else's. Whose it is never changes."""
        if not isinstance(sheet, str) or self._mine.get(sheet) is None:
            self._mine.put(self._find(sheet).id, True)

    # ------------------------------------------------------------ documents

    def _question(self, entry: SittingQuestion) -> Document:
        document = documents.of_question(self.backing.sittings.around(entry), entry, self._around())
        if entry.draft and not entry.final:
            document["draft"] = entry.draft
        if remark := documents.remark(entry):
            document["remark"] = remark
        return document | {"tries": entry.tries}

    def _around(self) -> ViewContext:
        return ViewContext(self.backing.bank.mistakes, self.backing.notice, self.backing.containment)


def _written(entry: SittingQuestion) -> SittingQuestion:
    """A question with its options in the written order."""
    return replace(entry, question=entry.question.as_written())


def _is_token(token: object) -> bool:
    return token is None or (isinstance(token, str) and 0 < len(token) <= 64)


def _plain_terminal() -> tuple[AnswerText, io.StringIO]:
    out = io.StringIO()
    return AnswerText(terminal_text.screen(out, terminal=False), plain=True), out
