# Connect to a listener of the test.
# earns: error
import socket

socket.create_connection(("127.0.0.1", PORT), 1)
print("REACHED")
