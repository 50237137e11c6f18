# Take the rights from files of /proc. Their modes are one for the whole machine, in whichever container they are set.
# earns: refused, pretended
import os

tried(
    misc=lambda: os.chmod("/proc/misc", 0o400),
    proc=lambda: os.chmod("/proc", 0o555),
    processor=lambda: os.chmod("/sys/devices/system/cpu/online", 0o444),
)
