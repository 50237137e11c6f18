# Send a datagram to a socket of the test.
# earns: error
import socket

socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))
print("REACHED")
