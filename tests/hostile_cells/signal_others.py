# End other processes, by every call that signals (none is sent in fact: 0 asks whether one could be).
# earns: refused
import fcntl
import os

ways = {}
for pid in OTHERS:
    ways |= {
        f"kill_{pid}": lambda pid=pid: os.kill(pid, 0),
        f"group_{pid}": lambda pid=pid: os.killpg(pid, 0),
        f"thread_{pid}": lambda pid=pid: call(200, pid, 0),
        f"thread_of_{pid}": lambda pid=pid: call(234, pid, pid, 0),
        f"queue_{pid}": lambda pid=pid: call(129, pid, 0, bytes(128)),
        f"queue_thread_{pid}": lambda pid=pid: call(297, pid, pid, 0, bytes(128)),
        f"owner_{pid}": lambda pid=pid: fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, pid),
        f"descriptor_{pid}": lambda pid=pid: call(424, call(434, pid, 0), 0, None, 0),
    }
tried(**ways)
