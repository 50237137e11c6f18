# Leave without a result.
# earns: killed
import os

os._exit(0)
