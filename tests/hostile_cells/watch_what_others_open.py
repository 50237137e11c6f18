# Have the system tell which libraries others open, and which files come into a folder of the user.
# earns: refused
import fcntl
import os

tried(
    inotify=lambda: call(254, call(294, 0), os.path.dirname(LIBRARY).encode(), 0xFFF),
    inotify_of_old=lambda: call(253),
    fanotify=lambda: call(300, 0, 0),
    dnotify=lambda: fcntl.fcntl(os.open(os.path.dirname(LIBRARY), os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS),
)
