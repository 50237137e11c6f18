# Hold memory, or what all users of the machine share, past the limits: files without a place, segments, queues, pages.
# earns: refused
import os

read, write = os.pipe()
vector = (ctypes.c_uint64 * 2)(id(b""), 1)
tried(
    file=lambda: os.memfd_create("x"),
    secret_file=lambda: call(447, 0),
    segment=lambda: call(29, 0, 1 << 30, 0o1600),
    semaphores=lambda: call(64, 0, 32000, 0o1600),
    queue=lambda: call(68, 0, 0o1600),
    pages=lambda: call(278, write, vector, 1, 0),
    requests=lambda: call(206, 65536, ctypes.byref(ctypes.c_uint64())),
    ring=lambda: call(425, 4096, bytes(120)),
    keys=lambda: call(248, b"user", b"x", b"y" * 1000, 1000, -3),
)
os.close(read), os.close(write)
