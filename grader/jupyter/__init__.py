"""Questions in a notebook.

    quiz("warmup")                        the practice of a topic, to click and to type in
    quiz("warmup", mode="test")           ten questions and a verdict
    quiz("third-epoch-rate")              one question
    answer("third-epoch-rate", 0.06)      the same without a widget
    check(factor, "write-the-factor")     a function of this notebook
    hint("write-the-factor"), solution("write-the-factor")
    compare(scheduler, "write-the-factor")
    experiment("cosine")                  knobs for a schedule, with the curves of a real run
    %%exercise write-the-factor           a cell as the answer

Everything is judged in another process, which also has the keys; see `desk`. Answers go to the records that the command
`grader` uses. Names that are not there raise InputError, which a notebook shows without a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.errors import InputError
from grader.jupyter.client import desk

if TYPE_CHECKING:
    from grader.figures import Figure
    from grader.knobs import Experiment

__all__ = ["Quiz", "answer", "check", "compare", "experiment", "hint", "quiz", "solution"]


class Quiz:
    """Questions that are asked together. A notebook draws them, anything else reads them as text."""

    def __init__(self, name: str, mode: str, count: int, seed: int | None, fresh: bool) -> None:
        opened = desk.ask("open", name=name, mode=mode, count=count, seed=seed, fresh=fresh)
        self.name = name
        self.sheet = str(opened["sheet"])
        self.items: list[str] = [place["item"] for place in opened["places"]]
        """The id of each question, in order."""
        self._seed = seed

    def answer(self, value: object, question: int = 1) -> None:
        """Judge an answer to a question (counted from 1), and print what is said of it."""
        self._tell("answer", question, raw=_raw(value))

    def check(self, thing: object, question: int = 1) -> None:
        """Judge a function or a class of this notebook, or any other answer."""
        place = self._place(question)
        given = desk.ask("show", sheet=self.sheet, place=place).get("given", [])
        self._tell("answer", question, raw=_code(thing, given))

    def hint(self, question: int = 1) -> None:
        """Print the next hint."""
        shown = desk.ask("hint", sheet=self.sheet, place=self._place(question))
        hints = shown.get("hints", [])
        print(_unmarked(hints[-1]) if hints else "There are no hints.")

    def solution(self, question: int = 1) -> None:
        """Print the solution; a question that was not answered counts as skipped."""
        self._tell("solution", question)

    def _place(self, question: int) -> int:
        if type(question) is not int or not 1 <= question <= len(self.items):
            raise InputError(f"there is no question {question!r}", f"there are {len(self.items)}, counted from 1")
        return question - 1

    def _tell(self, do: str, question: int, **what: Any) -> None:
        place = self._place(question)
        shown = desk.ask("show", sheet=self.sheet, place=place)
        if do == "answer" and shown.get("told") and shown["told"]["final"]:
            desk.ask("again", sheet=self.sheet, place=place)
        desk.ask(do, sheet=self.sheet, place=place, **what)
        print(desk.ask("say", sheet=self.sheet, place=place)["text"])

    def __repr__(self) -> str:
        seeded = "" if self._seed is None else f", seed={self._seed}"
        how = f'Answer in a cell: answer("ITEM", ...{seeded})'
        return f"{desk.ask('read', sheet=self.sheet)['text']}\n\n{how}"

    def _ipython_display_(self) -> None:
        """Draw the questions: as text, which a page with widgets hides, and as a widget where there can be one."""
        from IPython import display

        from grader.jupyter.static import page

        show: Any = display.display
        read = desk.ask("read", sheet=self.sheet)
        bundle = {"text/html": page(self.sheet, read["questions"], read["text"]), "text/plain": repr(self)}
        show(bundle, raw=True)
        try:
            from grader.jupyter.widget import QuizWidget
        except ImportError:
            return
        show(QuizWidget(self.sheet))


_single: dict[tuple[str, int | None], Quiz] = {}
"""The questions that are answered by calls, so that hints and tries belong to the answer that follows."""


def quiz(name: str, *, mode: str = "practice", count: int = 5, seed: int | None = None, fresh: bool = False) -> Quiz:
    """The questions of a topic, or the one of this id.

    `mode` is practice, try, challenge or test; a test that was left goes on, unless `fresh`. `seed` draws other
    numbers.
    Raises InputError where there is no such topic, item or mode.
    """
    return Quiz(name, mode, count, seed, fresh)


def _one(name: str, seed: int | None) -> Quiz:
    if (name, seed) not in _single:
        made = quiz(name, seed=seed)
        if made.items != [name]:
            raise InputError(f"`{name}` is a topic", f"its questions are {', '.join(made.items)}, ...")
        _single[name, seed] = made
    return _single[name, seed]


def answer(name: str, value: object, *, seed: int | None = None) -> None:
    """Judge an answer, and explain it: a letter, a number, a list of numbers, a text, or code as a text."""
    _one(name, seed).answer(value)


def check(thing: object, name: str, *, seed: int | None = None) -> None:
    """Judge a function or a class that this notebook defines, with all of the notebook that it uses."""
    _one(name, seed).check(thing)


def hint(name: str, *, seed: int | None = None) -> None:
    """Print the next hint of an item."""
    _one(name, seed).hint()


def solution(name: str, *, seed: int | None = None) -> None:
    """Print the solution of an item; it counts as skipped, if it was not answered."""
    _one(name, seed).solution()


def compare(scheduler: object, other: object = None, *, steps: int = 20, seed: int | None = None) -> Figure:
    """The rates of a scheduler over its next steps, beside those of another one or of a task's reference.

    `other` is a scheduler, the id of a task in code, or a list of rates. The scheduler and its optimizer are left as
    they are. Raises InputError where a scheduler needs to be told a loss, or the task's curve would be its answer.
    """
    from grader.figures import chart
    from grader.jupyter.schedules import rates

    if isinstance(other, str):
        curve = desk.ask("curve", name=other, seed=seed)
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


def experiment(*args: Any, **kwargs: Any) -> Experiment:
    """Knobs for a learning-rate schedule; see `grader.knobs.experiment`, which takes the same arguments."""
    from grader import knobs

    return knobs.experiment(*args, **kwargs)


def _raw(value: object) -> str:
    """An answer as it would be typed."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return " ".join(str(entry) for entry in value)
    return str(value)


def _code(thing: object, given: list[str]) -> str:
    from grader.jupyter.defined import source_of

    return source_of(thing, given) if callable(thing) else _raw(thing)


def _unmarked(markup: str) -> str:
    """The text of a line of HTML."""
    import html
    import re

    return html.unescape(re.sub(r"<code>(.*?)</code>", r"`\1`", re.sub(r"</?(?!code)[a-z]+>", "", markup)))


def load_ipython_extension(shell: Any) -> None:
    """Make `%%exercise` known; `import grader.jupyter` in a notebook does so by itself."""
    from grader.jupyter.magic import register

    register(shell)


def _register_here() -> None:
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        load_ipython_extension(shell)


_register_here()
