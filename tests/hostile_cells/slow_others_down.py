# Lower the priority and the limits of other processes.
# earns: refused
import os
import resource

ways = {}
for pid in OTHERS:
    ways |= {
        f"priority_{pid}": lambda pid=pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
        f"group_{pid}": lambda pid=pid: os.setpriority(os.PRIO_PGRP, pid, 19),
        f"disk_{pid}": lambda pid=pid: call(251, 1, pid, 3 << 13),
        f"attributes_{pid}": lambda pid=pid: call(314, pid, bytes(48), 0),
        f"limits_{pid}": lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)),
        f"joined_{pid}": lambda pid=pid: os.setpgid(pid, 0),
    }
tried(**ways)
