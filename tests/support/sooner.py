"""`nbgrader` for tests, a second sooner: each command is forked from a process that has imported it already.

What runs is nbgrader itself, in a process of its own, with the caller's arguments, folder, variables and streams. The
command is a small program that hands those over and waits; it lies in a folder that belongs at the front of PATH. So
does `alembic`, which nbgrader calls for a new gradebook.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

CLIENT = """\
#!{python} -SIE
import json, os, socket, sys
arguments = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if arguments[0] == "python":
    if arguments[1:3] != ["-m", "nbgrader"]:
        os.execv({python!r}, [{python!r}, *arguments[1:]])
    del arguments[:2]
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode() + b"\\n"
    socket.send_fds(server, [request], [0, 1, 2])
    sys.exit(int(server.makefile().read() or 70))
"""


@contextlib.contextmanager
def nbgrader(environment: Mapping[str, str]) -> Iterator[Path]:
    """A folder with the commands. `environment` is what Python starts with: PYTHONPATH, PYTHONWARNINGS."""
    with tempfile.TemporaryDirectory(prefix="nbgrader-") as name:  # a short path, as sockets need one
        folder = Path(name)
        address = str(folder / "socket")
        for place in (folder / "nbgrader", folder / "alembic", folder / "within/python"):
            place.parent.mkdir(exist_ok=True)
            place.write_text(CLIENT.format(python=sys.executable, address=address))
            place.chmod(0o700)
        server = subprocess.Popen(
            [sys.executable, __file__, address], env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        try:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield folder
        finally:
            server.kill()
            server.communicate()


def serve(address: str) -> list[str]:
    """Fork a process for each command. Returns in such a process only, with what is to be run: a command and its arguments."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)
    while True:
        caller, _ = listening.accept()
        if os.fork() == 0:
            break
        caller.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """Those that have ended are no longer listed."""
    listening.close()
    request, streams, *_ = socket.recv_fds(caller, 1 << 20, 3)
    while not request.endswith(b"\n"):
        request += caller.recv(1 << 20)
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(OSError):
            caller.sendall(str(code).encode())
        os._exit(0)
    caller.close()
    arguments, folder, variables = json.loads(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    return arguments


def main() -> None:
    import alembic.config
    import alembic.script
    from nbgrader.apps import nbgraderapp

    commands: dict[str, Callable[[], Any]] = {"nbgrader": nbgraderapp.main, "alembic": alembic.config.main}
    address = sys.argv[1]
    gc.freeze()
    sys.argv = serve(address)
    if sys.argv[1:2] == ["quickstart"]:  # it calls nbgrader five times, by the name of this Python
        sys.executable = str(Path(address).parent / "within/python")
    code = 1
    try:
        commands[sys.argv[0]]()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  (as at the end of any program)
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # to take all modules apart would copy what is shared, and takes longer than most commands


if __name__ == "__main__":
    main()
