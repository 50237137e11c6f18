# Change modes and times where the user may: devices, system folders, a file of the user.
# earns: ok
import os

for name in ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/shm", "/dev", "/tmp", "/usr", MARKER):
    for change in (
        lambda: os.chmod(name, 0o600),
        lambda: os.chmod(name, 0o600, follow_symlinks=False),
        lambda: os.utime(name, (1, 1)),
        lambda: os.setxattr(name, "user.reached", b"x"),
        lambda: os.chown(name, 12345, 12345),
    ):
        try:
            before = os.stat(name)
            change()
        except (OSError, NotImplementedError):
            continue
        after = os.stat(name)
        if (before.st_mode, before.st_mtime, before.st_ctime, before.st_uid) != (
            after.st_mode, after.st_mtime, after.st_ctime, after.st_uid
        ):
            print("REACHED", name)
