# Trace another process, read its memory, take its descriptors, and look at what it has open.
# earns: refused
import ctypes
import os

ways = {}
buffer = ctypes.c_buffer(16)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 16)
for pid in OTHERS:
    ways |= {
        f"attach_{pid}": lambda pid=pid: call(101, 16, pid, 0, 0),
        f"seize_{pid}": lambda pid=pid: call(101, 0x4206, pid, 0, 0),
        f"read_{pid}": lambda pid=pid: call(310, pid, vector, 1, vector, 1, 0),
        f"write_{pid}": lambda pid=pid: call(311, pid, vector, 1, vector, 1, 0),
        f"compare_{pid}": lambda pid=pid: call(312, os.getpid(), pid, 1, 0, 0),
        f"memory_{pid}": lambda pid=pid: open(f"/proc/{pid}/mem", "rb"),
        f"variables_{pid}": lambda pid=pid: open(f"/proc/{pid}/environ", "rb"),
        f"program_{pid}": lambda pid=pid: os.readlink(f"/proc/{pid}/exe"),
        f"folder_{pid}": lambda pid=pid: os.listdir(f"/proc/{pid}/cwd/"),
        f"files_{pid}": lambda pid=pid: os.listdir(f"/proc/{pid}/fd"),
        f"move_{pid}": lambda pid=pid: call(256, pid, 1, vector, vector),
    }
tried(**ways)
