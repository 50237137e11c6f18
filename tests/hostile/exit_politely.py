# Leave through Python.
# earns: ok
import sys

sys.exit(0)
