# Hold memory in the buffers of sockets, as large as they can be made, from threads as well: no limit counts it.
# earns: held
import ctypes
import socket
import threading

total, keep, data = [0], [], bytes(256 << 10)


def fill():
    libc.syscall(436, ctypes.c_uint(3_000_000_000), ctypes.c_uint(3_000_000_000), 2)
    try:
        while total[0] < 1600 << 20:
            pair = socket.socketpair()
            keep.append(pair)
            for end in pair:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
                end.setblocking(False)
                try:
                    for _ in range(64):
                        total[0] += end.send(data)
                except BlockingIOError:
                    pass
    except OSError:
        pass


for _ in range(4):
    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()
keep.clear()
print("REACHED" if total[0] > 512 << 20 else "held", total[0] >> 20, "MiB")
