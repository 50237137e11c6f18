"""The functions of `grader.jupyter`: questions as a notebook asks them, over the service in another process."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grader.errors import InputError
from grader.faces.jupyter import static
from grader.faces.jupyter.client import service

if TYPE_CHECKING:
    from grader.faces.jupyter.experiment_widget import ExperimentWidget
    from grader.render.figures import Shown


class Quiz:
    """Questions that are asked together. A notebook draws them, anything else reads them as text."""

    def __init__(self, opened: dict[str, Any], *, seed: int | None = None, predicts: bool = False) -> None:
        self.sheet = str(opened["sheet"])
        self.items: list[str] = [place["item"] for place in opened["places"]]
        """The id of each question, in order."""
        self._seed, self._predicts, self._opened = seed, predicts, opened

    def answer(self, value: object, question: int = 1) -> None:
        """Judge an answer to a question (counted from 1), and print what is said of it.

        A letter is that of the written order, which is read as text; a widget may show another one.
        """
        self._tell("answer", question, raw=_raw(value), written=True)

    def check(self, thing: object, question: int = 1) -> None:
        """Judge a function or a class of this notebook, or any other answer."""
        place = self._place(question)
        given = service.ask("show", sheet=self.sheet, place=place).get("given", [])
        self._tell("answer", question, raw=_code(thing, given), written=True)

    def hint(self, question: int = 1) -> None:
        """Print the next hint."""
        shown = service.ask("hint", sheet=self.sheet, place=self._place(question))
        _say(shown["hint"] or "There are no hints.", shown | {"told": None})

    def solution(self, question: int = 1) -> None:
        """Print the solution; a question that was not answered counts as skipped."""
        self._tell("solution", question)

    def _place(self, question: int) -> int:
        if type(question) is not int or not 1 <= question <= len(self.items):
            raise InputError(f"there is no question {question!r}", f"there are {len(self.items)}, counted from 1")
        return question - 1

    def _tell(self, do: str, question: int, **what: Any) -> None:
        place = self._place(question)
        shown = service.ask("show", sheet=self.sheet, place=place)
        if do == "answer" and shown.get("told") and shown["told"]["final"]:
            service.ask("again", sheet=self.sheet, place=place)
        done = service.ask(do, sheet=self.sheet, place=place, **what)
        _say(service.ask("say", sheet=self.sheet, place=place)["text"], done)
        if "most" in self._opened:
            self._follow()

    def _follow(self) -> None:
        """Of questions that are each drawn by the answers before: print the one that follows, or where to begin."""
        now = service.ask("state", sheet=self.sheet)
        self.items = [place["item"] for place in now["places"]]
        if (end := now["end"]) is not None:
            placed = end["placed"]
            topics = [f"  {one['title']}: {one['words']}" for one in placed["topics"]]
            print("\n".join([placed["words"], *topics]))
            return
        number = next(place for place, one in enumerate(now["places"], 1) if not one["answered"])
        print(service.ask("read", sheet=self.sheet, place=number - 1)["text"])
        print(f"\nAnswer with answer(..., question={number}) of it, or solution(question={number}) if you do not know.")

    def __repr__(self) -> str:
        return self._text(service.ask("read", sheet=self.sheet)["text"])

    def _text(self, questions: str) -> str:
        seeded = "" if self._seed is None else f", seed={self._seed}"
        how = f'Answer in a cell: answer("ITEM", ...{seeded})'
        if "most" in self._opened:
            how = "Give it a name, as in `where = place()`, and answer by that: where.answer(..., question=1)"
        left = self._opened.get("left_out", "")
        return "\n\n".join(filter(None, [questions, how if self.items else "", left]))

    def _ipython_display_(self) -> None:
        """Draw the questions: as text, which a page with widgets hides, and as a widget where there can be one."""
        from IPython import display

        show: Any = display.display
        read = service.ask("read", sheet=self.sheet)
        beside = f"tg-static-{secrets.token_hex(4)}"
        html = static.page(beside, read["questions"], read["text"])
        show({"text/html": html, "text/plain": self._text(read["text"])}, raw=True)
        try:
            from grader.faces.jupyter.widget import QuizWidget
        except ImportError:
            return
        show(QuizWidget(self.sheet, "predict" if self._predicts else "", beside))


class Note:
    """A line that is shown as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


_single: dict[tuple[str, int | None], Quiz] = {}
"""The questions that are answered by calls, so that hints and tries belong to the answer that follows."""


def quiz(
    name: str = "", *, items: Sequence[str] = (), variant: int | None = None, mode: str = "practice", count: int = 5,
    seed: int | None = None, fresh: bool = False, mix: int | None = None, in_order: bool = False,
) -> Quiz:  # fmt: skip
    """The questions of a topic, or the one of this id, or several by their ids (`items`).

    `mode` is practice, try, challenge or test. What was left goes on, unless `fresh`. `seed` draws other numbers, and
    `variant` takes those of one variant of the items, counted from 0. The widget mixes options: by the seed `mix`, by
    `seed`, or by chance; not `in_order`. As text, and in calls of `answer`, they stand as they are written.
    Raises InputError where there is no such topic, item, variant or mode.
    """
    how = {"mode": mode, "count": count, "seed": seed, "fresh": fresh, "mix": mix, "in_order": in_order}
    return Quiz(service.ask("open", name=name, items=list(items), variant=variant, **how), seed=seed)


def predict(items: Sequence[str], *, variant: int = 0) -> Quiz:
    """Questions on what the next cell will print, to be answered before it is run: items by their ids, in a variant.

    Raises InputError where there is no such item or variant.
    """
    return Quiz(service.ask("open", items=list(items), variant=variant), predicts=True)


def review(topic: str = "", *, count: int = 20, new: int = 5, ahead: bool = False) -> Quiz | Note:
    """What is due today, of all topics or of one: cards to turn over, and questions with fresh numbers.

    At most `count`, of them `new` that were never asked; `ahead` takes what is not yet due as well.
    Raises InputError where there is no such topic.
    """
    opened = service.ask("review", topic=topic, count=count, new=new, ahead=ahead)
    return Quiz(opened) if opened["places"] else Note(opened["text"])


def place(block: str = "", *, seed: int | None = None, fresh: bool = False) -> Quiz:
    """At most ten questions that say where to begin, in a block or in all topics; what was left goes on.

    Each is drawn by the answers before it. Raises InputError where there is no such block.
    """
    return Quiz(service.ask("place", block=block, seed=seed, fresh=fresh))


def start() -> Quiz:
    """How far you are, and what comes next: what you left, else what is due, else the first questions."""
    opened = service.ask("begin")
    _say(opened["text"], html=static.welcome(opened))
    return Quiz(opened)


def single(name: str, seed: int | None) -> Quiz:
    """The question of this id that calls answer, made when it is first named. Raises InputError for a topic."""
    if (name, seed) not in _single:
        made = quiz(name, seed=seed, in_order=True, fresh=True)
        if made.items != [name]:
            raise InputError(f"`{name}` is a topic", f"its questions are {', '.join(made.items)}, ...")
        _single[name, seed] = made
    return _single[name, seed]


def answer(name: str, value: object, *, seed: int | None = None) -> None:
    """Judge an answer, and explain it: a letter, a number, a list of numbers, a text, or code as a text."""
    single(name, seed).answer(value)


def check(thing: object, name: str, *, seed: int | None = None) -> None:
    """Judge a function or a class that this notebook defines, with all of the notebook that it uses."""
    single(name, seed).check(thing)


def hint(name: str, *, seed: int | None = None) -> None:
    """Print the next hint of an item."""
    single(name, seed).hint()


def solution(name: str, *, seed: int | None = None) -> None:
    """Print the solution of an item; it counts as skipped, if it was not answered."""
    single(name, seed).solution()


def compare(scheduler: object, other: object = None, *, steps: int = 20, seed: int | None = None) -> Shown:
    """The rates of a scheduler over its next steps, beside those of another one or of a task's reference.

    `other` is a scheduler, the id of a task in code, or a list of rates. The scheduler and its optimizer are left as
    they are. Raises InputError where a scheduler needs to be told a loss, or the task's curve would be its answer.
    """
    from grader.faces.jupyter.schedules import rates
    from grader.render.figures import chart

    if isinstance(other, str):
        curve = service.ask("curve", name=other, seed=seed)
        right, counts = [float(value) for value in curve["values"]], str(curve["counts"])
        return chart("Your rates, and what they should be", counts, "rate",
                     {"yours": rates(scheduler, len(right)), "should be": right})  # fmt: skip
    if other is None:
        return chart("The rates", "step", "rate", {"rate": rates(scheduler, steps)})
    if isinstance(other, list | tuple):
        given = [float(value) for value in other]
        return chart("Two curves", "step", "rate", {"yours": rates(scheduler, len(given)), "given": given})
    return chart("Two schedules", "step", "rate",
                 {"the first": rates(scheduler, steps), "the second": rates(other, steps)})  # fmt: skip


SCHEDULES = ("constant", "step", "multistep", "exponential", "cosine", "linear", "onecycle", "restarts")
"""What notebooks of earlier versions name in place of a topic."""


def experiment(topic: str = "schedulers", **settings: Any) -> ExperimentWidget:
    """Knobs of a topic's experiment, and what a run with them shows: `experiment("warmup", rate=0.1)`.

    `experiment("cosine")` is that of schedulers with this one. Raises InputError where there is no such experiment, or
    a knob has no such value.
    """
    from grader.faces.jupyter.experiment_widget import ExperimentWidget

    if topic in SCHEDULES:
        topic, settings = "schedulers", {"scheduler": topic, **settings}
    return ExperimentWidget(topic, settings)


def _say(text: str, question: dict[str, Any] | None = None, html: str = "") -> None:
    """Show what is said of an answer: as a card in a notebook, else as text."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(text)
        return
    from IPython import display

    show: Any = display.display
    show({"text/html": html or static.told(question or {}), "text/plain": text}, raw=True)


def _raw(value: object) -> str:
    """An answer as it would be typed."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return " ".join(str(entry.tolist() if hasattr(entry, "tolist") else entry) for entry in value)
    return str(value)


def _code(thing: object, given: list[str]) -> str:
    from grader.faces.jupyter.source_of import source_of

    return source_of(thing, given) if callable(thing) else _raw(thing)
