"""What a process does before it forks: pay once for what first use of torch pays, and be cheap to copy."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

WARM_UP = """
import torch
from torch.optim.lr_scheduler import LambdaLR
layer = torch.nn.Linear(2, 1)
for kind in (torch.optim.SGD, torch.optim.Adam):
    optimizer = kind(layer.parameters(), lr=0.1)
    scheduler = LambdaLR(optimizer, lambda epoch: 1.0)
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(layer(torch.zeros(1, 2)), torch.zeros(1, 1)).backward()
    optimizer.step()
    scheduler.step()
torch.zeros(1, dtype=torch.float16).float()
print(f"{scheduler.get_last_lr()[0]:.6g}")
"""
"""Pays once for what first use of torch pays: its first optimizer imports another second of modules, and its first
conversion of a float16 reads, on some processors, files of the system that a child can no longer read."""

WARM_UP_JOB: dict[str, Any] = {
    "source": WARM_UP,
    "asks": ["run.lr_used"],
    "seed": 0,
    "cases": [],
    "cells": [],
    "parts": [],
    "modules": [],
    "replay": None,
    "watch": [],
}
"""The same, as the program that it is."""

HUGE_PAGE = 2 << 20


def pack_memory() -> None:
    """Ask for huge pages under all private memory (Linux 6.1, MADV_COLLAPSE): a fork then copies far fewer entries.

    Makes a fork and exit about twice as fast. Where the kernel refuses, nothing changes.
    """
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        span, access, _, _, inode, *_ = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if access == "rw-p" and inode == "0" and last - first >= HUGE_PAGE and "[stack]" not in line:
            madvise(first, last - first, 25)
