# Leave a thousand folders in each other, more than Python's own functions can remove.
# earns: done
# kernel: its own
import os

own = os.getcwd()
depth = 0
while depth < 1100:
    os.mkdir("d")
    os.chdir("d")
    depth += 1
open("bottom", "w").close()
os.chdir(own)
print("done")
