# Send a datagram to a socket with a name, over one end of a pair.
# earns: ok
import socket

for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
    try:
        one, other = socket.socketpair(socket.AF_UNIX, kind)
    except OSError:
        continue
    for address in (f"{MARKER}.datagrams", f"\0{MARKER}.datagrams"):
        try:
            one.sendto(b"hello", address)
            print("REACHED", kind, address)
        except OSError:
            pass
        try:
            one.sendmsg([b"hello"], [], 0, address)
            print("REACHED", kind, address)
        except OSError:
            pass
