# Wait without using time of the CPU.
# earns: timeout
import time

time.sleep(1000)
