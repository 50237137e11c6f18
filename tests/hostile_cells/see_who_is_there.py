# Ask each call that takes a process whether there is one: all must answer as they do for nobody.
# earns: nothing
import ctypes
import os
import resource
import time

SIZE = ctypes.c_buffer(64)
QUESTIONS = (
    os.getpgid,
    os.getsid,
    os.sched_getaffinity,
    os.sched_getscheduler,
    os.sched_rr_get_interval,
    lambda pid: os.sched_getparam(pid) and None,
    lambda pid: os.getpriority(os.PRIO_PROCESS, pid),
    lambda pid: os.getpriority(os.PRIO_PGRP, pid),
    lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE),
    lambda pid: os.kill(pid, 0),
    lambda pid: os.killpg(pid, 0),
    lambda pid: call(315, pid, SIZE, 56, 0),
    lambda pid: call(252, 1, pid),
    lambda pid: call(274, pid, SIZE, SIZE),
    lambda pid: call(200, pid, 0),
    lambda pid: call(234, pid, pid, 0),
    lambda pid: call(434, pid, 0),
    lambda pid: time.clock_gettime(~pid << 3 | 2),
    lambda pid: time.clock_getres(~pid << 3 | 2),
)


def answer(question, pid):
    try:
        return question(pid)
    except OSError as error:
        return error.errno


seen = {(place, pid) for place, question in enumerate(QUESTIONS) for pid in OTHERS if answer(question, pid) != answer(question, NOBODY)}
print("REACHED" if seen else "nothing", sorted(seen))
