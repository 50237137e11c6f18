# Write to standard error without end.
# earns: output
import os

while True:
    os.write(2, b"x" * 65536)
