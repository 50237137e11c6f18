# Start threads without end.
# earns: error
import threading
import time

for _ in range(100_000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("REACHED")
