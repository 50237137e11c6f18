# Fill the buffers of pipes, made as large as they may be.
# earns: ok
import fcntl
import os

total = 0
try:
    while True:
        _, end = os.pipe()
        os.set_blocking(end, False)
        try:
            fcntl.fcntl(end, 1031, 1 << 20)
        except OSError:
            pass
        try:
            while True:
                total += os.write(end, b"x" * 65536)
        except BlockingIOError:
            pass
except OSError:
    pass
if total > 64 << 20:
    print("REACHED", total >> 20, "MiB")
