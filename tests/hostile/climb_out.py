# Walk up from the scratch folder.
# earns: error
import os

os.chdir("..")
print("REACHED", os.listdir("."))
