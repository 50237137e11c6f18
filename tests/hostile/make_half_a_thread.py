# Make a thread that shares less than threads do: a table of descriptors of its own, and so a limit of its own.
# earns: ok
import ctypes

thread, memory, files, signals = 0x10000, 0x100, 0x400, 0x800
stack = ctypes.create_string_buffer(1 << 16)
top = ctypes.addressof(stack) + len(stack) & ~15
for flags in (thread | memory | signals, thread | memory | signals | 0x200, thread | 0x02000000, 0x4000 | memory):
    found = ctypes.CDLL(None, use_errno=True).syscall(56, flags, None, None, None, None)
    if found >= 0:
        print("REACHED", hex(flags))
