# Put an attribute on files of the user, by the old and the new calls, and on one's own an attribute that gives rights.
# earns: refused
import ctypes
import os
import struct

value = ctypes.c_buffer(b"1")
arguments = struct.pack("QII", ctypes.addressof(value), 1, 0)
open("own", "w").close()
tried(
    set=lambda: os.setxattr(OUT + "/marker", "user.reached", b"1"),
    set_link=lambda: os.setxattr(OUT + "/marker", "user.reached", b"1", follow_symlinks=False),
    set_open=lambda: os.setxattr(os.open(LIBRARY, os.O_RDONLY), "user.reached", b"1"),
    set_newest=lambda: call(463, -100, (OUT + "/marker").encode(), 0, b"user.reached", arguments, len(arguments)),
    remove=lambda: os.removexattr(OUT + "/marker", "user.label"),
    remove_newest=lambda: call(466, -100, (OUT + "/marker").encode(), 0, b"user.label"),
    read=lambda: os.getxattr(OUT + "/marker", "user.label"),
    names=lambda: os.listxattr(OUT + "/marker"),
    capability=lambda: os.setxattr("own", "security.capability", bytes(20)),
    access_list=lambda: os.setxattr("own", "system.posix_acl_access", struct.pack("I", 2)),
)
os.remove("own")
