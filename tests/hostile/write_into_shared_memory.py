# Leave a block of shared memory.
# earns: error
open("/dev/shm/reached-by-a-program", "w").write("x")
print("REACHED")
