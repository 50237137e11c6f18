# Wait in a hundred threads, each of which wakes up now and then.
# earns: timeout
import threading
import time

threading.stack_size(128 << 10)


def wait():
    while True:
        time.sleep(1)


for _ in range(100):
    last = threading.Thread(target=wait)
    last.start()
last.join()
