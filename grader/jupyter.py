"""Questions in a notebook.

What there is::

    quiz("warmup")                        the practice of a topic, to click and to type in
    quiz("warmup", mode="test")           ten questions and a verdict
    quiz("third-epoch-rate")              one question
    quiz(items=["third-epoch-rate"])      several by their ids
    predict(items=["third-epoch-rate"])   the same, on what the next cell will print
    review(), start()                     what is due today; how far you are, and what comes next
    place(), place("numbers")             at most ten questions on where to begin
    answer("third-epoch-rate", 0.06)      the same without a widget
    check(factor, "write-the-factor")     a function of this notebook
    hint("write-the-factor"), solution("write-the-factor")
    compare(scheduler, "write-the-factor")
    experiment("warmup", rate=0.1)        knobs of a topic's experiment, with the curves of a real run
    %%exercise write-the-factor           a cell as the answer

Everything is judged in another process, which also has the keys; see `grader.faces.service`. Answers go to the records
that the command `grader` uses. Names that are not there raise InputError, which a notebook shows without a traceback.
"""

from __future__ import annotations

from typing import Any

from grader.faces.jupyter.notebook_functions import (
    Quiz,
    answer,
    check,
    compare,
    experiment,
    hint,
    place,
    predict,
    quiz,
    review,
    solution,
    start,
)

__all__ = [
    "Quiz", "answer", "check", "compare", "experiment", "hint", "place", "predict", "quiz", "review", "solution",
    "start",
]  # fmt: skip


def load_ipython_extension(shell: Any) -> None:
    """Make `%%exercise` known; `import grader.jupyter` in a notebook does so by itself."""
    from grader.faces.jupyter.magic import register

    register(shell)


def _register_here() -> None:
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        load_ipython_extension(shell)


_register_here()
