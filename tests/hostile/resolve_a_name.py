# Ask for the address of a host.
# earns: error
import socket

print("REACHED", socket.getaddrinfo("localhost.test", 80))
