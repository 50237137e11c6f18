# Announce a result of 4 GB.
# earns: killed
import os
import time

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b"\xff\xff\xff\xff" + b"x" * 1000)
    except OSError:
        pass
time.sleep(60)
