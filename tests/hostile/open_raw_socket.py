# Open a raw socket.
# earns: error
import socket

socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print("REACHED")
