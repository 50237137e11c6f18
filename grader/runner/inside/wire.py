"""What the processes of the runner say to each other. Standard library only.

Programs, results and the worker's greeting are frames: a 4-byte length, then that many bytes of JSON. What the worker
is told and tells of each child are records of a fixed size: in a process that forks, each function that is called costs
page faults, and JSON calls many.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEADER = struct.Struct("!I")
COMMAND = struct.Struct("!cI")
"""To the worker: FORK, FORK_WARM, LOOK or KILL, and the number of a child. A fork comes with the child's three
descriptors: its end of the socket, and where its standard output and its standard error go."""
FORK, FORK_WARM, LOOK, KILL = b"f", b"w", b"l", b"k"
REPORT = struct.Struct("!cIiddq")
"""From the worker: what it tells, of which child, and four figures.

ENDED: its exit code (negative: a signal), seconds of CPU time, 0, peak memory in bytes.
SEEN, which answers LOOK: 0, seconds of CPU time, of the clock (CLOCK_MONOTONIC), nanoseconds that it waited for a core
or -1 where the kernel does not say."""
ENDED, SEEN = b"e", b"s"
BEGUN = b"b"
"""The first byte from a child, before its frame: it is shut in and begins with its program now."""

LARGEST = 4 << 20
"""A frame is at most this many bytes; a longer one is refused by either side."""

MOST_PARTS = 400_000
"""So many commas and opening brackets may be in a frame: what parsing costs grows with them, not with bytes of text."""


def pack(message: Any) -> bytes:
    """The frame of a JSON-able message; ValueError where it is too long."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > LARGEST:
        raise ValueError(f"a frame of {len(body)} bytes is over the limit of {LARGEST}")
    _check_parts(body)
    return HEADER.pack(len(body)) + body


def unpack(buffer: bytearray) -> Any:
    """Take the first whole frame from the front of `buffer`; None where there is none yet.

    Raises ValueError for a frame that is too long, or no JSON object.
    """
    if len(buffer) < HEADER.size:
        return None
    (length,) = HEADER.unpack_from(buffer)
    if length > LARGEST:
        raise ValueError(f"a frame of {length} bytes is over the limit of {LARGEST}")
    if len(buffer) < HEADER.size + length:
        return None
    body = bytes(buffer[HEADER.size : HEADER.size + length])
    del buffer[: HEADER.size + length]
    _check_parts(body)
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("a frame is nested too deeply") from None
    if type(message) is not dict:
        raise ValueError(f"a frame holds an object, not {type(message).__name__}")
    return message


def _check_parts(body: bytes) -> None:
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise ValueError("a frame holds too many values")


def receive(sock: socket.socket) -> Any:
    """Wait for one frame on a blocking socket; None where the other side has gone."""
    buffer = bytearray()
    while True:
        wanted = HEADER.size if len(buffer) < HEADER.size else HEADER.size + HEADER.unpack_from(buffer)[0]
        if len(buffer) == wanted > HEADER.size:
            return unpack(buffer)
        chunk = sock.recv(wanted - len(buffer))
        if not chunk:
            return None
        buffer += chunk
