"""Starts the zygote with a Jupyter server, so that the first kernel is a warm one too. It does nothing else."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from grader.warm import KERNEL, door

PAUSE_SECONDS = 0.05


def _load_jupyter_server_extension(server: Any) -> None:
    """In a thread of its own: the server neither waits for it nor fails with it."""
    threading.Thread(target=begin, args=(server,), name="torch-grader-warm", daemon=True).start()


def begin(server: Any) -> None:
    """Start the zygote that this server's kernels of our kernelspec will be forked from, unless it is there already."""
    try:
        from jupyter_client.manager import KernelManager

        manager = KernelManager(kernel_name=KERNEL, kernel_spec_manager=server.kernel_spec_manager)
        manager._launch_args = {}  # noqa: SLF001  (it fills in the command of a kernel about to start)
        place, _ = door.origin(manager.format_kernel_cmd(), os.environ, os.getcwd())  # noqa: PTH109
        for found in door.waiting(place):
            if found is None:
                time.sleep(PAUSE_SECONDS)
            else:
                found.close()
        server.log.info("Kernels named %s start warm.", KERNEL)
    except Exception as error:  # noqa: BLE001  (whatever it was: the server is none the worse for it)
        server.log.warning("Kernels named %s will not start warm: %s", KERNEL, error)
