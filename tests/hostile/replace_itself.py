# Become another program.
# earns: error
import os

os.execv("/bin/true", ["true"])
