"""JupyterLab as `grader lab` starts it. Without a terminal, Jupyter leaves kernels behind when it is interrupted."""

from __future__ import annotations

import os
import signal

from jupyterlab.labapp import main

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    main()
