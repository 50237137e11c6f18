# Read the worker's memory through /proc.
# earns: error
import os

print("REACHED", open(f"/proc/{os.getppid()}/mem", "rb"))
