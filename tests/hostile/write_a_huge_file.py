# Write a file of 1 GB.
# earns: error
with open("flood", "wb") as file:
    file.writelines(bytes(1 << 20) for _ in range(1024))
print("REACHED")
