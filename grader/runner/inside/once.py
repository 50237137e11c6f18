"""One program in a process of its own, for runners that have no worker: `python -m grader.runner.inside.once IN OUT`.

IN has the program as `codec.document` makes it, OUT gets what was observed, as JSON. The limits of CPU time and memory
are set; there is no sandbox, no bound on time or on output, and no other process.
"""

from __future__ import annotations

import io
import json
import math
import sys
import time
from pathlib import Path

from grader.runner.inside import observers
from grader.runner.inside.execute import address_space, execute
from grader.runner.inside.observers.torch_optim import Watcher
from grader.runner.inside.preload import WARM_UP_JOB
from grader.runner.inside.sandbox import limit


def main(given: str, wanted: str) -> None:
    """Run the program of one file, and write what was observed into the other."""
    import torch

    torch.set_num_threads(1)
    job = json.loads(Path(given).read_text(encoding="utf-8"))
    watcher = Watcher()
    watcher.install()
    observers.ready()
    execute(WARM_UP_JOB, watcher, io.StringIO())
    used = math.ceil(time.process_time())  # the system counts from the start of the process
    limit({**job["limits"], "cpu_seconds": job["limits"]["cpu_seconds"] + used}, address_space())
    seen = execute(job, watcher, sys.stdout)
    Path(wanted).write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
