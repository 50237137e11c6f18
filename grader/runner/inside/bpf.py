"""Seccomp filters, made by hand of a few hundred instructions each (docs/adr, two walls). Standard library only."""

from __future__ import annotations

import struct

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the tables of system calls, and the kernel's name of the architecture (AUDIT_ARCH)."""

LOAD, EQUAL, AND_SET, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x45, 0x35, 0x54, 0x06
ALLOW, NOTHING = 0x7FFF0000, 0x00050000
"""Answers: it is done; it is not done, and said to be."""
EPERM, ESRCH, EINVAL, ENOSYS, EOPNOTSUPP = (NOTHING | error for error in (1, 3, 22, 38, 95))
NUMBER, ARCHITECTURE = 0, 4
UNIX, INET, INET6, STREAM = 1, 2, 10, 1
TYPE_MASK = 0xF
"""The lower bits of a socket's type, without its flags."""
THREAD = 0x00010000
"""CLONE_THREAD."""


def argument(place: int, high: bool = False) -> int:
    """Where an argument of the system call stands, or its upper half."""
    return 16 + 8 * place + (4 if high else 0)


Code = list[tuple[int, int, int, int]]
"""Instructions as in `struct sock_filter`: what to do, where to jump if so, if not, and a value."""


def answer(value: int) -> Code:
    """Instructions that answer a system call."""
    return [(RETURN, 0, 0, value)]


def one_of(place: int, values: tuple[int, ...], then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) is one of these."""
    block = [(LOAD, 0, 0, argument(place))]
    block += [(EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [*block, *answer(otherwise), *answer(then)]


def any_bit(place: int, bits: int, then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) has one of these bits."""
    return [(LOAD, 0, 0, argument(place)), (AND_SET, 0, 1, bits), *answer(then), *answer(otherwise)]


def all_bits(place: int, bits: int, then: int, otherwise: int) -> Code:
    """Answer by whether an argument (its lower half) has all of these bits."""
    test = [(LOAD, 0, 0, argument(place)), (AND, 0, 0, bits), (EQUAL, 0, 1, bits)]
    return [*test, *answer(then), *answer(otherwise)]


def only_null(place: int) -> Code:
    """Allow it where an argument is a null pointer."""
    return [*null_then(place, 1), *answer(ALLOW), *answer(EPERM)]


def null_then(place: int, beyond: int) -> Code:
    """Go on where an argument is a null pointer; else skip that many instructions more."""
    halves = [(LOAD, 0, 0, argument(place)), (EQUAL, 0, 2 + beyond, 0), (LOAD, 0, 0, argument(place, high=True))]
    return [*halves, (EQUAL, 0, beyond, 0)]


def filter_of(architecture: int, calls: dict[int, Code], otherwise: int) -> bytes:
    """A filter that answers system calls by their number; calls of another architecture are refused."""
    code: Code = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), *answer(EPERM)]
    code += [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, 0x40000000), *answer(EPERM)]  # the x32 numbers of x86-64
    for number, block in calls.items():
        code += [(EQUAL, 0, len(block), number), *block]
    code += answer(otherwise)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def numbers_of(table: str, column: int) -> dict[str, int]:
    """The calls of a table that this architecture has."""
    rows = [entry.split(":") for entry in table.split()]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def only(place: int, value: int, otherwise: int) -> Code:
    """Go on where an argument (its lower half) is this value, and answer otherwise."""
    return [(LOAD, 0, 0, argument(place)), (EQUAL, 1, 0, value), *answer(otherwise)]
