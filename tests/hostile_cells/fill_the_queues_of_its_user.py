# Use up what is counted for all processes of a user together: signals that wait, and memory that stays.
# earns: held
import ctypes
import mmap
import os
import signal
import threading

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN + 5})
waiting = 0
value = ctypes.c_buffer(128)
ctypes.memmove(value, (ctypes.c_int * 3)(signal.SIGRTMIN + 5, 0, -1), 12)
while waiting < 20_000 and libc.syscall(297, os.getpid(), threading.get_native_id(), signal.SIGRTMIN + 5, value) == 0:
    waiting += 1
locked = mmap.mmap(-1, 64 << 20)
held = libc.mlock(ctypes.byref(ctypes.c_char.from_buffer(locked)), ctypes.c_size_t(64 << 20)) == 0
print("REACHED" if waiting > 1024 or held else "held", waiting, "signals")
