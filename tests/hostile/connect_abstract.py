# Connect to an abstract Unix socket of the test.
# earns: error
import socket

sock = socket.socket(socket.AF_UNIX)
sock.connect("\0" + MARKER)
print("REACHED")
