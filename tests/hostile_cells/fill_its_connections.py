# Hold memory in connections to itself: all of the machine share one bound, and beyond it nobody's work.
# earns: held
# walls: both
import socket

server, ends, total, data = socket.create_server(("127.0.0.1", 0), backlog=512), [], 0, bytes(1 << 20)
try:
    while True:
        one = socket.create_connection(server.getsockname())
        ends += [one, server.accept()[0]]
        for end in ends[-2:]:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
            end.setblocking(False)
except OSError:
    pass
for _ in range(3):
    for end in ends:
        try:
            for _ in range(8):
                total += end.send(data)
        except OSError:
            pass
for end in (*ends, server):
    end.close()
print("REACHED" if total > 512 << 20 else "held", total >> 20, "MiB")
