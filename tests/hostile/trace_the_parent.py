# Attach to the worker as a debugger.
# earns: ok
import ctypes
import os

if ctypes.CDLL(None).ptrace(16, os.getppid(), None, None) == 0:
    print("REACHED")
