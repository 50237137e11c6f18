# Have the kernel signal the worker when a pipe is written.
# earns: error
import fcntl
import os

read, write = os.pipe()
fcntl.fcntl(read, fcntl.F_SETOWN, os.getppid())
print("REACHED")
