# Give a file of the user to its own user and group anew, which takes set-id bits and changes its time.
# earns: refused, pretended
import os

me = os.getuid(), os.getgid()
tried(
    chown=lambda: os.chown(OUT + "/marker", *me),
    lchown=lambda: os.lchown(OUT + "/marker", *me),
    fchown=lambda: os.fchown(os.open(LIBRARY, os.O_RDONLY), *me),
    fchownat=lambda: os.chown(OUT + "/marker", *me, dir_fd=os.open("/", os.O_PATH)),
)
