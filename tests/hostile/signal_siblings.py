# Find other programs and signal them.
# earns: ok
import os

for pid in range(1, 5000):
    if pid != os.getpid():
        try:
            os.kill(pid, 0)
            print("REACHED", pid)
        except OSError:
            pass
