# The same by descriptors, which need not be able to read or write.
# earns: ok
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
path_only = 0o10000000
for name in ("/dev/null", MARKER, os.path.dirname(os.getcwd())):
    try:
        descriptor = os.open(name, path_only)
    except OSError:
        continue
    before = os.fstat(descriptor)
    for number in (90, 91, 268, 452, 280, 260, 93):  # chmod, fchmod, fchmodat, fchmodat2, utimensat, fchownat, fchown
        libc.syscall(number, descriptor, ctypes.c_char_p(b""), 0, 0x1000)
    after = os.fstat(descriptor)
    if (before.st_mode, before.st_ctime) != (after.st_mode, after.st_ctime):
        print("REACHED", name)
