"""Starts the forkserver with a Jupyter server, so that the first kernel is a warm one too. It does nothing else."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from grader.kernels import KERNEL, forkserver_client

PAUSE_SECONDS = 0.05


def _load_jupyter_server_extension(server: Any) -> None:
    """In a thread of its own: the server neither waits for it nor fails with it."""
    threading.Thread(target=begin, args=(server,), name="torch-grader-warm", daemon=True).start()


def begin(server: Any) -> None:
    """Start the forkserver that this server's kernels of our kernelspec will be forked from, if there is none yet."""
    try:
        from jupyter_client.manager import KernelManager

        manager = KernelManager(kernel_name=KERNEL, kernel_spec_manager=server.kernel_spec_manager)
        manager._launch_args = {}  # noqa: SLF001  (it fills in the command of a kernel about to start)
        place, _ = forkserver_client.origin(manager.format_kernel_cmd(), os.environ, os.getcwd())  # noqa: PTH109  (the text that the provisioner compares)
        for found in forkserver_client.waiting(place):
            if found is None:
                time.sleep(PAUSE_SECONDS)
            else:
                found.close()
        server.log.info("Kernels named %s start warm.", KERNEL)
    except Exception as error:  # noqa: BLE001  (whatever it was: the server is none the worse for it)
        server.log.warning("Kernels named %s will not start warm: %s", KERNEL, error)
