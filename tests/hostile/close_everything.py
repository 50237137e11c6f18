# Close every descriptor, the result's included.
# earns: killed
import os

os.closerange(0, 256)
