# Leave a full folder that nobody may look into.
# earns: ok or timeout
import os

os.umask(0o777)
os.mkdir("shut")
os.umask(0)
os.mkdir("open")
for number in range(3):
    try:
        with open(f"open/{number}", "wb") as file:
            file.write(b"\1" * (60 << 20))
    except OSError:
        break
os.mkdir("open/inner", 0)
os.chmod("open", 0)
