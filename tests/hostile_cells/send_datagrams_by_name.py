# Send to a socket outside by naming it in each message: nothing has to be connected for that.
# earns: refused
import ctypes
import socket

name = OUT + "/datagram"


def named(kind, pair):
    ends = socket.socketpair(socket.AF_UNIX, kind) if pair else [socket.socket(socket.AF_UNIX, kind)]
    return ends[0].sendmsg([b"reached"], [], 0, name)


def given(kind):
    ends = socket.socketpair(socket.AF_UNIX, kind)
    return ends[0].sendto(b"reached", name)


def many():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = b"\1\0" + name.encode() + b"\0"
    data = ctypes.c_buffer(b"reached")
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 7)
    place = ctypes.c_buffer(address)
    header = (ctypes.c_uint64 * 8)(ctypes.addressof(place), len(address), ctypes.addressof(vector), 1)
    return call(307, one.fileno(), header, 1, 0)


tried(
    pair=lambda: named(socket.SOCK_DGRAM, True),
    one=lambda: named(socket.SOCK_DGRAM, False),
    raw=lambda: named(socket.SOCK_RAW, True),
    sendto=lambda: given(socket.SOCK_DGRAM),
    sendmmsg=many,
    connect=lambda: socket.socket(socket.AF_UNIX).connect(OUT + "/stream"),
    abstract=lambda: socket.socket(socket.AF_UNIX).connect("\0" + OUT),
    internet=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"reached", ("192.0.2.1", 9)),
)
