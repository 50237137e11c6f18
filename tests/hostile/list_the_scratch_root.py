# See the folders of other programs.
# earns: error
import os

print("REACHED", os.listdir(".."))
