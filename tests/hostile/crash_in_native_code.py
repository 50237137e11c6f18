# Crash below Python.
# earns: killed
import ctypes

ctypes.string_at(0)
