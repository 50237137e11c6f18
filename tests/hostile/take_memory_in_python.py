# Take 8 GiB through Python.
# earns: memory
data = []
for _ in range(128):
    data.append(bytearray(64 << 20))
print("REACHED")
