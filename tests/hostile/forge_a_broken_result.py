# Send what is no result.
# earns: killed
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b"\0\0\0\4null")
    except OSError:
        pass
