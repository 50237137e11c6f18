# Take a lease on a library: whoever opens it then waits for 45 seconds.
# earns: refused
import fcntl
import os

library = os.open(LIBRARY, os.O_RDONLY)
tried(
    write=lambda: fcntl.fcntl(library, fcntl.F_SETLEASE, fcntl.F_WRLCK),
    read=lambda: fcntl.fcntl(library, fcntl.F_SETLEASE, fcntl.F_RDLCK),
)
os.close(library)
