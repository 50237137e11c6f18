# Leave folders that nobody may look into, with much in them; the own folder is one of them.
# earns: done
# kernel: its own
import os

os.makedirs("hidden/deeper")
for name in ("hidden/one", "hidden/deeper/two"):
    with open(name, "wb") as file:
        file.write(bytes(1 << 20))
os.chmod("hidden/deeper", 0)
os.chmod("hidden", 0o400)
os.mkdir("made", 0)
os.chmod("hidden", 0)
os.close(os.open("file", os.O_CREAT | os.O_WRONLY, 0))
os.chmod(".", 0)
print("done")
