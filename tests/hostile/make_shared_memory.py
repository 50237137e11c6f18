# Make shared memory through multiprocessing.
# earns: error
from multiprocessing import shared_memory

shared_memory.SharedMemory(create=True, size=100)
print("REACHED")
