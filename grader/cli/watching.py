"""`quiz --watch FILE`: the code in a file is judged each time it is saved."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.asking import Face, on_record
from grader.cli.shared import complain, read_text, write_files
from grader.errors import GraderError, InputError

if TYPE_CHECKING:
    from grader.learning.sitting import Sittings
    from grader.model import Bank, Prompt, Result


def watch(face: Face, sittings: Sittings, name: str, bank: Bank, file: Path) -> tuple[list[Result], str]:
    """Show the one question of a sitting, and judge the file at each save until it is right, or Ctrl-C ends it.

    A file that is not there is begun with the starter. Returns what was answered, and `complete` or `stopped`.
    """
    from watchfiles import watch as saves

    terminal, entry = face.terminal, sittings.ask(name, 0)
    prompt = entry.question.prompt()
    terminal.show(prompt, "Question")
    if not file.exists():
        write_files({file: _starter(prompt)})
        terminal.console.print(f"\n{file} is new, and has the code to start from.")
    judged, said = file.read_bytes(), False
    place = file.resolve()
    with contextlib.suppress(KeyboardInterrupt):
        for changes in saves(place.parent, debounce=200, step=50, rust_timeout=500, yield_on_timeout=True):
            if not said:  # and not before: what was saved while the watching began would be missed
                terminal.console.print(f"\nWatching {file}: it is judged at each save; Ctrl-C ends it.")
                said = True
            saved = any(Path(changed).resolve() == place for _, changed in changes)
            if not saved or not file.is_file() or (now := file.read_bytes()) == judged:
                continue
            judged = now
            try:
                entry = terminal.judge(sittings, name, entry, read_text(file))
            except GraderError as error:
                complain(error)
            if entry.final:
                break
    answered = on_record(sittings.view(name).asked)
    if entry.final and entry.result:
        terminal.explain(entry.question, entry.result, bank.mistakes)
    return list(answered.values()), "complete" if entry.final else "stopped"


def _starter(prompt: Prompt) -> str:
    """The code to start from. Raises InputError where none is asked for."""
    from grader.model import CodeInput

    for one in prompt.inputs:
        if isinstance(one, CodeInput):
            return one.starter
    raise InputError(f"`{prompt.item}` is not answered with code", "--watch is for questions that are")
