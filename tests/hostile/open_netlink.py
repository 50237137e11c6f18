# Ask the kernel for the network's state.
# earns: error
import socket

socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
print("REACHED")
