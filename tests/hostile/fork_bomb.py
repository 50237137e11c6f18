# Fork as often as it goes (here at most 100 times, by the parent alone).
# earns: error
import os

for _ in range(100):
    if os.fork() == 0:
        os._exit(0)
print("REACHED")
