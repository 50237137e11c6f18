# Give each thread a table of descriptors of its own, so that the limit on them is each one's.
# earns: refused
import ctypes

HIGH = ctypes.c_uint(3_000_000_000)
tried(
    close_range=lambda: call(436, HIGH, HIGH, 2),
    close_range_later=lambda: call(436, HIGH, HIGH, 2 | 4),
    unshare=lambda: call(272, 0x400),
    thread=lambda: call(56, 0x10000 | 0x800 | 0x200 | 0x100, 0, 0, 0, 0),
    new_thread=lambda: call(435, bytes(88), 88),
)
