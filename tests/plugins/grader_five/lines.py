"""`lines`: questions as JSON lines on standard output, answers as JSON lines on standard input."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from grader.errors import InputError
from grader.faces.desk import ChooseMany, ChooseOne, Desk, Input, Prompt

TITLE = "in lines of JSON"
OPENED_BY = ""


def draw(prompt: Prompt) -> str:
    return json.dumps({**asdict(prompt), "inputs": list(map(plain, prompt.inputs))})


def plain(one: Input) -> dict[str, Any]:
    letters = {"letters": one.letters} if isinstance(one, ChooseOne | ChooseMany) else {}
    return {"input": type(one).__name__, **asdict(one), **letters}


def ask(desk: Desk) -> None:
    """Each line that comes in is `{"answer": ...}`, `{"hint": true}`, `{"turn": true}` or `{"give_up": true}`."""
    say({"title": desk.title})
    passed: set[int] = set()
    while places := [place for place in desk.open() if place not in passed]:
        place = places[0]
        try:
            say({"place": place, "question": json.loads(draw(desk.prompt(place)))})
        except InputError as error:
            passed.add(place)
            say({"place": place, "error": error.message, "hint": error.hint})
            continue
        while place in desk.open():
            line = sys.stdin.readline()
            if not line:
                return
            try:
                say({"place": place, **told(desk, place, json.loads(line))})
            except InputError as error:
                say({"place": place, "error": error.message, "hint": error.hint})
            except (ValueError, RecursionError):
                say({"place": place, "error": "this is no line of JSON", "hint": 'write {"answer": "B"}'})


def told(desk: Desk, place: int, line: Any) -> dict[str, Any]:
    match line:
        case {"answer": str(raw), **more}:
            return {"told": asdict(desk.answer(place, raw, more.get("token")))}
        case {"answer": raw}:
            return {"told": asdict(desk.answer(place, json.dumps(raw)))}
        case {"hint": True}:
            return {"hint": desk.hint(place)}
        case {"turn": True}:
            return {"back": desk.turn(place)}
        case {"give_up": True}:
            return {"told": asdict(desk.give_up(place))}
    raise InputError("this line asks for nothing", 'write {"answer": "B"}, {"hint": true} or {"give_up": true}')


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)
