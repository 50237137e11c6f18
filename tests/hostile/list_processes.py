# See what else runs.
# earns: error
import os

print("REACHED", os.listdir("/proc"))
