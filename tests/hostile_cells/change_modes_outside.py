# Take all rights from a file and a folder of the user, by each call that can.
# earns: refused, pretended
import os

folder = None
try:
    folder = os.open(OUT, os.O_PATH)
except OSError:
    pass
tried(
    file=lambda: os.chmod(OUT + "/marker", 0),
    folder=lambda: os.chmod(OUT, 0),
    relative=lambda: os.chmod("marker", 0, dir_fd=os.open(OUT, os.O_PATH)),
    by_descriptor=lambda: os.chmod(f"/proc/self/fd/{folder}", 0),
    newest=lambda: call(452, -100, (OUT + "/marker").encode(), 0, 0),
    library=lambda: os.chmod(LIBRARY, 0o644),
    library_that_is_open=lambda: os.fchmod(os.open(LIBRARY, os.O_RDONLY), 0o644),
    top=lambda: os.chmod("/", 0o755),
)
