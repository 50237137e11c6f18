# Set the clock, the name, the disks, the log of the machine; watch and load what runs in its kernel.
# earns: refused
tried(
    clock=lambda: call(227, 0, bytes(16)),
    day=lambda: call(164, bytes(16), None),
    tick=lambda: call(159, bytes(208)),
    name=lambda: call(170, b"reached", 7),
    swap=lambda: call(168, b"/none"),
    restart=lambda: call(169, 0, 0, 0, None),
    log=lambda: call(103, 3, ctypes.c_buffer(16), 16),
    module=lambda: call(175, b"", 0, b""),
    program=lambda: call(321, 0, None, 0),
    counters=lambda: call(298, bytes(128), -1, 0, -1, 0),
    faults=lambda: call(323, 0),
    handle=lambda: call(304, -100, bytes(128), 0),
    layout=lambda: call(135, 0x40000),
    quota=lambda: call(179, 0x800002, b"/dev/vda", 0, ctypes.c_buffer(128)),
    accounting=lambda: call(163, None),
)
