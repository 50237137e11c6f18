"""Questions for a face that asks by messages, such as a notebook. All that goes in and out is plain JSON data.

The desk has the bank, the runner and the records; the face has none of them, and is told of a question only what its
learner may know by then. A notebook's kernel, where the learner's own code runs, keeps its desk in another process:
`python -m grader.desk` answers one line for each line on its standard input, until that is closed.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grader import bank as banks
from grader import digests, modes, records, sittings
from grader.desk import documents
from grader.desk.documents import Around
from grader.desk.sheet import Asked, Document, Sheet
from grader.diagnosis import curve
from grader.errors import GraderError, InputError, did_you_mean
from grader.marking import Marker
from grader.model import Attempt, Bank, Item, Outcome, Result, Sitting
from grader.recording import Recorder, now
from grader.run.remembered import RememberingRunner, Store, installed_torch
from grader.session import NotProvenError, Question, choose
from grader.ui import drawing
from grader.ui.telling import Teller
from grader.verify import Proving

if TYPE_CHECKING:
    from grader.records import Records

ASKED = ("practice", "try", "challenge", "test")
"""The modes that a sheet can have."""

ACTIONS = (
    "open", "state", "show", "read", "answer", "say", "hint", "solution", "turn", "again", "recall", "follow", "curve",
)  # fmt: skip
"""What a face may ask for."""


class Desk:
    """Asks, judges and records, for one learner."""

    def __init__(self, db: str | None = None, learner: str = "me") -> None:
        self._db, self._learner = db, learner
        self._store = Store()
        self._runner = RememberingRunner(self._store, self._start)
        self._bank: Bank | None = None
        self._kept: Records | None = None
        self._sheets: dict[str, Sheet] = {}
        self._recorders: dict[str, Recorder] = {}
        self._notice = ""
        self._uncontained = ""

    def close(self) -> None:
        """End the runner, and let go of the files."""
        self._runner.close()
        self._store.close()
        if self._kept:
            self._kept.close()

    def handle(self, request: Document) -> Document:
        """Do what a request asks for: `ok` with a document, or `error` with a message and a hint."""
        actions: dict[str, Callable[..., Document]] = {name: getattr(self, name) for name in ACTIONS}
        arguments = {name: value for name, value in request.items() if name not in ("do", "id")}
        try:
            action = actions.get(str(request.get("do")))
            if action is None:
                raise InputError(f"nothing here is called `{request.get('do')}`", f"it is one of {', '.join(actions)}")
            return {"ok": action(**arguments)}
        except GraderError as error:
            return {"error": {"message": error.message, "hint": error.hint}}
        except TypeError as error:
            return {"error": {"message": f"that cannot be done so: {error}", "hint": ""}}

    # ------------------------------------------------------------ what can be asked for

    def open(
        self, name: str, mode: str = "practice", count: int = 5, seed: int | None = None, fresh: bool = False
    ) -> Document:
        """Begin a sheet: the questions of a topic in a mode, or one item by its id. `fresh` begins a left test anew."""
        bank = self.bank
        if mode not in ASKED:
            raise InputError(
                f"there is no mode `{mode}`", did_you_mean(mode, ASKED) or f"it is one of {', '.join(ASKED)}"
            )
        topics = [topic.name for topic in bank.topics]
        if name not in topics:
            item = self._item(name)
            sheet = self._sheet(
                item.id, "practice" if mode == "test" else mode, item.topic, [(item, item.variant(seed).index)]
            )
        elif mode == "test":
            sheet = self._test(name, seed, fresh)
        else:
            if not (items := choose(bank, name, mode, count)):
                raise InputError(f"{name} has no questions for the mode `{mode}`", "try the mode `practice`")
            sheet = self._sheet(name, mode, name, [(item, item.variant(seed).index) for item in items])
        self._sheets[sheet.id] = sheet
        return self._document(sheet)

    def state(self, sheet: str) -> Document:
        """A sheet as it is now."""
        return self._document(self._find(sheet))

    def show(self, sheet: str, place: int) -> Document:
        """A question of a sheet with all that may be said of it now; its time begins when it is shown first."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if entry.since is None:
            entry.since = time.monotonic()
        return self._question(found, entry)

    def hint(self, sheet: str, place: int) -> Document:
        """Give one more hint."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if found.exam:
            raise InputError("a test has no hints", "answer what you know; the explanations come at its end")
        with contextlib.suppress(NotProvenError):
            if hint := entry.question.hint():
                entry.hints.append(hint)
        return self._question(found, entry)

    def answer(self, sheet: str, place: int, raw: str) -> Document:
        """Judge an answer, and put it on record before anything is said of it."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if entry.final:
            raise InputError("this question has been answered", "its sheet shows how")
        seconds = time.monotonic() - (entry.since or time.monotonic())
        result = entry.question.answer(raw, self.bank.mistakes)
        if found.mode == "challenge":
            result = modes.in_time(result, seconds)
        entry.result = result
        if result.score.outcome in (*modes.JUDGED, Outcome.SKIPPED):
            self._record(entry, result, seconds)
            entry.tries += 1
            most = modes.TRIES if found.mode == "try" else None
            timed = found.exam or found.mode == "challenge"
            entry.final = timed or not modes.may_try_again(result, entry.tries, most)
            entry.follow_up = None if timed else entry.question.follow_up()
        return self._question(found, entry)

    def solution(self, sheet: str, place: int) -> Document:
        """Give a question up: it is skipped where it was not tried, and explained."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if not entry.final:
            if entry.tries == 0:
                entry.result = entry.question.skip()
                self._record(entry, entry.result, time.monotonic() - (entry.since or time.monotonic()))
                with contextlib.suppress(NotProvenError):
                    _ = entry.question.proof
            entry.final = True
        return self._question(found, entry)

    def again(self, sheet: str, place: int) -> Document:
        """Ask a question once more, in a sitting of its own."""
        found = self._find(sheet)
        old = self._entry(found, place)
        if found.exam or found.mode == "challenge":
            raise InputError(f"a question of a {found.mode} is answered once", "begin a new one")
        sitting = self._sitting(found.topic, found.mode)
        new = Asked(
            place, self._ask(old.question.item, old.question.variant.index, None), sitting, since=time.monotonic()
        )
        found.asked[place] = new
        return self._question(found, new)

    def turn(self, sheet: str, place: int) -> Document:
        """Turn a card over."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if found.exam:
            raise InputError(
                "in a test no card is turned over", "answer what you know; the explanations come at its end"
            )
        entry.turned = True
        return self._question(found, entry)

    def read(self, sheet: str) -> Document:
        """All questions of a sheet for where nothing can be clicked: as documents, and as plain text.

        The problems of a challenge are not shown ahead.
        """
        found = self._find(sheet)
        if found.mode == "challenge":
            return {"questions": [], "text": f"{found.title}: {len(found.asked)} problems against the clock."}
        console, out = _plain_terminal()
        for entry in found.asked:
            place = f"Question {entry.place + 1} of {len(found.asked)}"
            try:
                console.show(entry.question.prompt(), place)
            except NotProvenError as error:
                out.write(f"\n{place}: it could not be judged: {error}\n")
            out.write(f"\nItem: {entry.question.item.id}\n")
        return {
            "questions": [self._question(found, entry) for entry in found.asked],
            "text": out.getvalue().strip("\n"),
        }

    def say(self, sheet: str, place: int) -> Document:
        """What may be said of an answer now, as plain text."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if entry.result is None:
            return {"text": ""}
        console, out = _plain_terminal()
        if found.exam and not found.over:
            return {"text": "Noted."}
        if entry.final:
            console.tell(entry.question, entry.result, self.bank.mistakes)
        else:
            console.verdict_of(entry.result)
        lines = [out.getvalue().strip("\n"), self._containment(entry.result), self._notice]
        return {"text": "\n\n".join(filter(None, lines))}

    def recall(self, sheet: str, place: int) -> Document:
        """Judge the answer of an earlier sitting once more, to show what was said of it; nothing is recorded."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if entry.earlier is None or entry.result is not None:
            return self._question(found, entry)
        if entry.earlier.response is None:
            entry.result = entry.question.skip()
            with contextlib.suppress(NotProvenError):
                _ = entry.question.proof
        else:
            entry.result = entry.question.answer(entry.earlier.response, self.bank.mistakes)
        entry.final = True
        return self._question(found, entry)

    def follow(self, sheet: str, place: int, raw: str) -> Document:
        """Answer the question about one's own code."""
        found = self._find(sheet)
        entry = self._entry(found, place)
        if entry.follow_up:
            entry.followed = entry.follow_up.answer(raw)
        return self._question(found, entry)

    def curve(self, name: str, seed: int | None = None) -> Document:
        """What the reference of a task gives for the inputs that are shown, where that is no answer by itself."""
        item = self._item(name)
        if item.kind not in ("code", "repair"):
            raise InputError(f"the curve of `{name}` would be its answer", "it can be had for tasks in code")
        proof = self._ask(item, item.variant(seed).index, None).proof
        if not curve(proof.answer):
            raise InputError(f"`{name}` has no curve", "compare with the scheduler that you have in mind")
        assert isinstance(proof.answer, list)
        return {"values": proof.answer, "shows": item.shows, "counts": item.counts}

    # ------------------------------------------------------------ bank, records, sheets

    @property
    def bank(self) -> Bank:
        """The whole bank, read once. Raises InputError where it has findings."""
        if self._bank is None:
            found = banks.read(banks.files([banks.home()]), self._store)
            if found.findings:
                raise InputError(str(found.findings[0]), found.findings[0].hint)
            self._bank = found
        return self._bank

    def _start(self) -> Any:
        from grader.run.local import LocalRunner

        return LocalRunner()

    def _item(self, name: str) -> Item:
        items = {item.id: item for item in self.bank.items}
        if name not in items:
            known = [*(topic.name for topic in self.bank.topics), *items]
            raise InputError(f"there is no topic and no item `{name}`", did_you_mean(name, known))
        return items[name]

    def _ask(self, item: Item, variant: int, mix: int | None) -> Question:
        drawn = item.variants[variant]
        marker = Marker(self._runner.inner, secrets.randbits(64))
        return Question(item, drawn, Proving.begin(item, drawn, self._runner), marker, mix)

    def _sitting(self, topic: str, mode: str) -> Sitting:
        return Sitting(records.new_id(), self._learner, topic, mode, now())

    def _sheet(self, title: str, mode: str, topic: str, drawn: list[tuple[Item, int]]) -> Sheet:
        sitting = self._sitting(topic, mode)
        asked = [Asked(place, self._ask(item, variant, None), sitting) for place, (item, variant) in enumerate(drawn)]
        if mode in ("practice", "try"):
            for entry in asked:
                entry.earlier = self._earlier(entry.question)
        return Sheet(sitting.id, title, mode, topic, asked)

    def _test(self, topic: str, seed: int | None, fresh: bool) -> Sheet:
        """A test, or the one that was left; what was answered of that is not asked again."""
        store = self._records()
        if store is None:
            raise InputError(f"a test is kept on record, and that does not work: {self._notice}")
        left = None if fresh else sittings.left_test(self.bank, topic, self._learner, store, now())
        if left:
            sitting, before = left
        else:
            drawn_by = secrets.randbits(31) if seed is None else seed
            sitting, before = sittings.plan_test(self.bank, topic, self._learner, store, drawn_by, now()), []
            if not sitting.plan:
                raise InputError(f"{topic} has no questions for a test", "give some of its items the mode `test`")
            store.begin(sitting)
        items = {item.id: item for item in self.bank.items}
        asked = [
            Asked(place, self._ask(items[name], variant, sitting.shuffle), sitting)
            for place, (name, variant) in enumerate(sitting.plan)
        ]
        for attempt in before:
            entry = asked[attempt.place]
            entry.result, entry.final, entry.tries = sittings.result_of(attempt, items[attempt.item]), True, 1
        return Sheet(sitting.id, topic, "test", topic, asked)

    def _find(self, sheet: str) -> Sheet:
        if sheet not in self._sheets:
            raise InputError("these questions are no longer open", "run the cell that asks them again")
        return self._sheets[sheet]

    @staticmethod
    def _entry(sheet: Sheet, place: int) -> Asked:
        if type(place) is not int or not 0 <= place < len(sheet.asked):
            raise InputError(f"there is no question {place!r}", f"there are {len(sheet.asked)}, counted from 0")
        return sheet.asked[place]

    def _records(self) -> Records | None:
        """The records; None, and a notice, where they cannot be opened."""
        if self._kept is None and not self._notice:
            try:
                self._kept = records.Records(self._db)
            except records.RecordsError as error:
                self._notice = f"answers are not recorded: {error.message}; {error.hint}"
        return self._kept

    def _record(self, entry: Asked, result: Result, seconds: float) -> None:
        store = self._records()
        if store is None:
            return
        if entry.sitting.id not in self._recorders:
            recorder = self._recorders[entry.sitting.id] = Recorder(store, entry.sitting, self.bank, installed_torch())
            if entry.sitting.plan:
                recorder.begun()
        try:
            if not self._recorders[entry.sitting.id](result, entry.place, entry.tries, seconds):
                raise InputError("this question was answered elsewhere in the meantime", "run the cell again to go on")
        except records.RecordsError as error:
            self._notice = f"this answer is not recorded: {error.message}; {error.hint}"

    def _earlier(self, question: Question) -> Attempt | None:
        """The last answer to this very question, in a sitting before."""
        if not records.exist(records.url_of(self._db)) or (store := self._records()) is None:
            return None
        equal = {"learner": self._learner, "item": question.item.id, "variant": question.variant.index}
        try:
            found = [one for one in store.attempts(**equal) if one.mode in ("practice", "try")]
        except records.RecordsError:
            return None
        last = found[-1] if found else None
        return last if last and digests.same(question.item, last.digest) is not False else None

    # ------------------------------------------------------------ documents

    def _document(self, sheet: Sheet) -> Document:
        return documents.of_sheet(sheet, self._around())

    def _question(self, sheet: Sheet, entry: Asked) -> Document:
        if sheet.exam and sheet.over:
            self._judge_again(entry)
        return documents.of_question(sheet, entry, self._around())

    def _around(self) -> Around:
        return Around(self.bank.mistakes, self._notice, self._containment)

    def _judge_again(self, entry: Asked) -> None:
        """Run the answer to a question of a test that was taken up again: on record is its outcome, not the proof."""
        result = entry.result
        if result and result.proof is None and result.response is not None:
            entry.result = entry.question.answer(result.response, self.bank.mistakes)

    def _containment(self, result: Result) -> str:
        """A notice where the learner's code ran without a sandbox."""
        from grader.run.local import LocalRunner

        inner = self._runner.inner() if result.score.run else None
        if isinstance(inner, LocalRunner) and not inner.walls.contained:
            return "Your code ran without a sandbox; `grader doctor` says why."
        return ""


def _plain_terminal() -> tuple[Teller, io.StringIO]:
    out = io.StringIO()
    return Teller(drawing.screen(out, terminal=False), plain=True), out
