# Take 8 GiB through mmap.
# earns: memory
import mmap

data = [mmap.mmap(-1, 1 << 30) for _ in range(8)]
print("REACHED")
