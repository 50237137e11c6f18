# Reach out of the scratch folder through a link.
# earns: error
import os

os.symlink(MARKER, "link")
print("REACHED", open("link").read())
