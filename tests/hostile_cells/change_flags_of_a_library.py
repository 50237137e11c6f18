# Set flags of the file system on a library that may be read: its owner may do so with a descriptor for reading.
# earns: refused
import fcntl
import os
import struct

library = os.open(LIBRARY, os.O_RDONLY)
tried(
    set=lambda: fcntl.ioctl(library, 0x40086602, struct.pack("l", 0x80)),
    extended=lambda: fcntl.ioctl(library, 0x401C5820, bytes(28)),
    version=lambda: fcntl.ioctl(library, 0x40087602, struct.pack("l", 1)),
    newest=lambda: call(469, -100, LIBRARY.encode(), bytes(64), 24, 0),
)
os.close(library)
