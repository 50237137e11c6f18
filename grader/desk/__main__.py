"""A desk in a process of its own: one line of JSON out for each line in, until no more come in."""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from typing import Any

from grader.desk import Desk


def serve(desk: Desk, lines: Any, out: Any) -> None:
    """Answer line by line until there are no more."""
    for line in lines:
        try:
            request = json.loads(line)
            answer = desk.handle(request) | {"id": request.get("id")}
        except Exception as error:  # noqa: BLE001  (the face must hear of it, and go on)
            if os.environ.get("GRADER_DEBUG"):
                traceback.print_exc()
            answer = {
                "error": {"message": f"an error of ours: {type(error).__name__}: {error}", "hint": ""},
                "id": None,
            }
        out.write(json.dumps(answer) + "\n")
        out.flush()


def main() -> None:
    """Serve the process that started this one, and end with it."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints does not get among the answers
    desk = Desk(os.environ.get("GRADER_DB"), os.environ.get("GRADER_LEARNER", "me"))
    try:
        serve(desk, io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8"), out)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        desk.close()


if __name__ == "__main__":
    main()
