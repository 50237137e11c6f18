# Make system calls by the numbers of x32.
# earns: ok
import ctypes

if ctypes.CDLL(None, use_errno=True).syscall(0x40000000 + 57) >= 0:
    print("REACHED")
