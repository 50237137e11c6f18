# End the worker.
# earns: error
import os
import signal

os.kill(os.getppid(), signal.SIGKILL)
print("REACHED")
