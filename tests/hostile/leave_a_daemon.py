# Leave a process that outlives the program.
# earns: error
import os
import time

if os.fork() == 0:
    os.setsid()
    time.sleep(5)
    os._exit(0)
print("REACHED")
