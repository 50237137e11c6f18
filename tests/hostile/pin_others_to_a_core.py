# Have the worker, and others, run on one core only.
# earns: ok
import os

for pid in {os.getppid(), 1, 2, 3, *range(os.getpid() - 30, os.getpid())}:
    if pid <= 0:
        continue
    try:
        os.sched_setaffinity(pid, {0})
    except OSError:
        continue
    try:
        if os.sched_getaffinity(pid) == {0} and os.cpu_count() > 1:
            print("REACHED", pid)
    except OSError:
        pass
