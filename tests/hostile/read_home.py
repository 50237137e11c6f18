# List the home folder of the one who runs the grader.
# earns: error
import os

print("REACHED", os.listdir(HOME))
