# Make system calls past Python.
# earns: ok
import ctypes

call = ctypes.CDLL(None, use_errno=True).syscall
for name, number, *arguments in (
    ("fork", 57),
    ("vfork", 58),
    ("socket", 41, 2, 1, 0),
    ("unshare", 272, 0x10000000),
    ("bpf", 321, 0, None, 0),
    ("keyctl", 250, 0, -3, 0),
    ("io_uring_setup", 425, 1, None),
    ("userfaultfd", 323, 0),
    ("mount", 165, None, b"/", None, 0, None),
    ("memfd_create", 319, b"x", 0),
    ("chroot", 161, b"/"),
    ("personality", 135, 0x40000),
    ("shmget", 29, 0, 4096, 0o1600),
    ("setns", 308, 0, 0),
    ("reboot", 169, 0, 0, 0, None),
    ("open_tree", 428, -100, b"/", 0),
    ("pidfd_open", 434, 1, 0),
    ("process_vm_readv", 310, 1, None, 0, None, 0, 0),
    ("swapoff", 168, b"/none"),
):
    if call(number, *arguments) >= 0:
        print("REACHED", name)
