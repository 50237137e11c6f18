"""A service in a process of its own: one line of JSON out for each line in, until no more come in."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from grader import plugins
from grader.errors import InputError
from grader.faces.service.documents import Document
from grader.faces.service.service import Service


def serve(service: Service, lines: Iterable[bytes], out: Any) -> None:
    """Answer line by line until there are no more."""
    for line in lines:
        number = None
        try:
            request = read(line)
            number = request.get("id")
            answer = service.handle(request)
        except InputError as error:
            answer = {"error": {"message": error.message, "hint": error.hint}}
        except Exception as error:  # noqa: BLE001  (the face must hear of it, and go on)
            if os.environ.get("GRADER_DEBUG"):
                traceback.print_exc()
            said = f"{plugins.blame(error)}: {type(error).__name__}: {error}"
            answer = {"error": {"message": said, "hint": ""}}
        out.write(json.dumps(answer | {"id": number}) + "\n")
        out.flush()


def read(line: bytes) -> Document:
    """The request in a line. Raises InputError."""
    try:
        request = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        said = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "no JSON"
        raise InputError(f"this line is {said}: {str(error)[:200]}", "send one JSON object in a line") from None
    if not isinstance(request, dict):
        raise InputError("a request is a JSON object", 'send one in a line, such as {"do": "open"}')
    return request


def main() -> None:
    """Serve the process that started this one, and end with it."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints does not get among the answers
    service = Service(os.environ.get("GRADER_DB"), os.environ.get("GRADER_LEARNER", "me"))
    try:
        serve(service, sys.stdin.buffer, out)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        service.close()


if __name__ == "__main__":
    main()
