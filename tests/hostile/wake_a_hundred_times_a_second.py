# Wait, and look busy at that.
# earns: timeout
import time

while True:
    time.sleep(0.01)
