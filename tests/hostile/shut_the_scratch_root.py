# Take away the mode of the folder in which all programs have theirs, and of those beside the own one.
# earns: ok
import os

own = os.getcwd()
root = os.path.dirname(own)
for folder in (root, *(f"{root}/{number}" for number in range(40)), own):
    try:
        os.chmod(folder, 0)
    except OSError:
        pass
if os.stat(own).st_mode & 0o777 == 0 or os.stat(root).st_mode & 0o777 == 0:
    print("REACHED")
