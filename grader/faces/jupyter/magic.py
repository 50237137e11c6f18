"""`%%exercise item-id`: the cell is the answer."""

from __future__ import annotations

import shlex
from typing import Any

from grader.errors import InputError
from grader.faces.jupyter.client import service
from grader.faces.jupyter.notebook_functions import single


def register(shell: Any) -> None:
    """Make the magic known to a shell."""

    def exercise(line: str, cell: str) -> None:
        """Judge this cell as the answer to an item: `%%exercise item-id [--seed N]`.

        It is judged elsewhere, with other inputs too. Code that is right is run here as well, so that what it defines
        can be used further down.
        """
        words = shlex.split(line)
        name = words[0] if words else ""
        if not name or (len(words) != 1 and (len(words) != 3 or words[1] != "--seed" or not words[2].isdigit())):
            raise InputError("%%exercise needs the id of an item", "such as %%exercise write-the-factor --seed 3")
        asked = single(name, int(words[2]) if len(words) == 3 else None)
        asked.answer(cell)
        told = service.ask("show", sheet=asked.sheet, place=0)
        if any(one["type"] == "code" for one in told["inputs"]) and told["told"]["outcome"] == "correct":
            shell.run_cell(cell)

    shell.register_magic_function(exercise, "cell", "exercise")
