# Connect to a Unix socket of the test.
# earns: error
import socket

sock = socket.socket(socket.AF_UNIX)
sock.connect(MARKER + ".sock")
print("REACHED")
