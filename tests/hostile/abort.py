# Crash on purpose.
# earns: killed
import os

os.abort()
