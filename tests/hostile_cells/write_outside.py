# Write, cut, remove, move and link files of the user and of Python.
# earns: refused
import os

open("own", "w").close()
ways = {"read": lambda: open(OUT + "/marker").read()}
for kind, path in (("file", OUT + "/marker"), ("library", LIBRARY)):
    ways |= {
        f"{kind}_write": lambda path=path: open(path, "a"),
        f"{kind}_cut": lambda path=path: os.truncate(path, 0),
        f"{kind}_removed": lambda path=path: os.remove(path),
        f"{kind}_moved": lambda path=path: os.rename(path, path + "-reached"),
        f"{kind}_taken": lambda path=path: os.rename(path, "taken"),
        f"{kind}_replaced": lambda path=path: os.rename("own", path),
        f"{kind}_linked": lambda path=path: os.link(path, "linked"),
        f"{kind}_beside": lambda path=path: os.link("own", path + "-reached"),
        f"{kind}_folder": lambda path=path: os.mkdir(path + "-reached"),
        f"{kind}_symlink": lambda path=path: os.symlink("x", path + "-reached"),
    }
tried(**ways)
os.remove("own")
