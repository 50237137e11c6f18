# Take the rights from the folder of its sockets, which its client removes.
# earns: done
# kernel: its own
import os

os.chmod(SOCKETS, 0)
os.chmod(SOCKETS + "/c.json", 0) if os.access(SOCKETS, os.X_OK) else None
print("done")
