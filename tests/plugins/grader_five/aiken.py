"""Aiken, Moodle's text format: a question, options `A. ...`, and a line `ANSWER: B`."""

from __future__ import annotations

import re

from grader.errors import InputError
from grader.exchange.published_questions import PublishedOption, PublishedQuestion, PublishedQuiz, each
from grader.exchange.quiz_files import QuizFile

TITLE = "Aiken"
OPTION = re.compile(r"([A-Z])[.)] +(.*)")
ANSWER = re.compile(r"ANSWER: *([A-Z])\s*")


def recognize(file: QuizFile) -> int:
    lines = file.head.split("\n")
    return 3 if any(map(ANSWER.fullmatch, lines)) and any(map(OPTION.fullmatch, lines)) else 0


def read(file: QuizFile) -> PublishedQuiz:
    records: list[tuple[int, list[str]]] = []
    ended = True
    for number, line in enumerate(file.text.split("\n"), 1):
        if not line.strip():
            continue
        if ended:
            records.append((number, []))
        records[-1][1].append(line.strip())
        ended = line.startswith("ANSWER:")
    if not records:
        raise InputError(f"{file.name}:1: there is no question", "write one, options `A. ...`, and `ANSWER: A`")
    return PublishedQuiz(tuple(each(records, question)))


def question(lines: list[str]) -> PublishedQuestion:
    answer = ANSWER.fullmatch(lines[-1])
    if answer is None:
        raise ValueError("its last line is not `ANSWER: ` and a letter")
    start = next((place for place, line in enumerate(lines) if OPTION.fullmatch(line)), 0)
    options = list(map(OPTION.fullmatch, lines[start:-1]))
    if not start or not all(options):
        raise ValueError("it is not a question and then options, each on a line `A. ...`")
    letters = [option[1] for option in options if option]
    if letters != [chr(ord("A") + place) for place in range(len(letters))] or answer[1] not in letters:
        raise ValueError("its options are not called A, B, C, ..., or the answer is none of them")
    texts = [option[2] for option in options if option]
    told = zip(letters, texts, strict=True)
    return PublishedQuestion(
        "\n".join(lines[:start]), "one", tuple(PublishedOption(text, letter == answer[1], "") for letter, text in told)
    )
