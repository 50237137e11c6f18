# Crash below Python.
# earns: ends
# kernel: its own
import ctypes

ctypes.string_at(0)
