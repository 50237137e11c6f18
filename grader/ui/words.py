"""The words that every face says of an answer."""

from __future__ import annotations

from grader.model import Outcome

WORDS = {
    Outcome.CORRECT: "Right.",
    Outcome.PARTLY: "Partly right.",
    Outcome.INCORRECT: "Not right.",
    Outcome.UNREADABLE: "That could not be read",
    Outcome.NOT_RUN: "This question could not be judged",
    Outcome.SKIPPED: "Skipped.",
}
