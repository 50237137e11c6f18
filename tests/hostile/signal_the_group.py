# End the process group of the worker.
# earns: error
import os

os.killpg(os.getpgid(os.getppid()), 0)
print("REACHED")
