# Have other processes run on one processor only, and at the end of the queue.
# earns: refused, pretended
import os

ways = {}
for pid in OTHERS:
    ways |= {
        f"affinity_{pid}": lambda pid=pid: os.sched_setaffinity(pid, {0}),
        f"scheduler_{pid}": lambda pid=pid: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
        f"parameters_{pid}": lambda pid=pid: os.sched_setparam(pid, os.sched_param(0)),
    }
tried(**ways)
