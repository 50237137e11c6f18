# End every process.
# earns: error
import os

os.kill(-1, 0)  # probes: were it allowed, a real signal would be
print("REACHED")
