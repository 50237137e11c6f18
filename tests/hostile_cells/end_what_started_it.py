# End the parent, its group, and all that can be ended: nothing but the kernel itself.
# earns: ends
# kernel: its own
import os
import signal

for pid in (*OTHERS, os.getppid(), -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
os._exit(7)
