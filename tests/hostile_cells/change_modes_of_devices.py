# Change the machine's device nodes (to the modes that they have: the times tell), as root could.
# earns: refused, pretended
import os

DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
ways = {name: lambda name=name: os.chmod(f"/dev/{name}", os.stat(f"/dev/{name}").st_mode & 0o7777) for name in DEVICES}
times = {f"{name}_times": lambda name=name: os.utime(f"/dev/{name}") for name in DEVICES}
tried(**ways, **times, dev=lambda: os.chmod("/dev", 0o755))
