# Leave thousands of folders, each in the one before, with a large file at the bottom.
# earns: ok or timeout
import os

for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
try:
    with open("large", "wb") as file:
        file.write(b"\1" * (60 << 20))
except OSError:
    pass
