# Leave very many files, links and folders, with names as long as they may be.
# earns: ok or timeout
import os

for number in range(6000):
    name = f"{number}".rjust(60, "x")
    if number % 3 == 0:
        os.mkdir(name)
    elif number % 3 == 1:
        os.symlink("/", name)
    else:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0))
