# Find other processes by what the system tells of them.
# earns: ok
import os
import resource

me = os.getpid()
for pid in range(1, me + 60):
    if pid == me:
        continue
    for ask in (
        os.getpgid,
        os.getsid,
        os.sched_getscheduler,
        os.sched_getaffinity,
        os.sched_getparam,
        lambda pid: os.getpriority(os.PRIO_PROCESS, pid),
        lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU),
    ):
        try:
            ask(pid)
        except OSError:
            continue
        print("REACHED", pid)
