# Read a file of the host.
# earns: error
print("REACHED", open(MARKER).read())
