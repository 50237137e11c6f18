# Wait for a lock that only the waiting thread could open.
# earns: timeout
import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()
