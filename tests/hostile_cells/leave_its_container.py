# Make namespaces and mounts, enter those of others, and change the root.
# earns: refused
tried(
    users=lambda: call(272, 0x10000000),
    mounts=lambda: call(272, 0x20000),
    child=lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0),
    child_anew=lambda: call(435, bytes(88), 88),
    entered=lambda: call(308, 0, 0),
    mount=lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, None),
    writable_again=lambda: call(165, None, b"/dev/null", None, 32 | 4096, None),
    unmounted=lambda: call(166, b"/tmp", 2),
    root=lambda: call(161, b"/tmp"),
    pivot=lambda: call(155, b"/", b"/"),
    tree=lambda: call(428, -100, b"/", 1),
    attributes=lambda: call(442, -100, b"/", 0, bytes(32), 32),
    file_system=lambda: call(430, b"tmpfs", 0),
)
