# Pull a file into the scratch folder through a hard link.
# earns: error
import os

os.link(MARKER, "link")
print("REACHED", open("link").read())
