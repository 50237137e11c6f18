# Put a link in the place of the own scratch folder, for whoever cleans up.
# earns: error
import os

own = os.getcwd()
os.chdir("..")
os.rename(own, own + "-old")
os.symlink(os.path.dirname(MARKER), own)
print("REACHED")
