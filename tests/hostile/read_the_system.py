# Read what is on the machine beside libraries: banks, sources, mail, logs, configuration.
# earns: ok
import os

for folder in ("/usr/local/share", "/usr/share/doc", "/usr/src", "/usr/bin", "/etc", "/var", "/opt", "/home", "/root", "/srv", "/mnt"):
    try:
        print("REACHED", folder, os.listdir(folder))
    except OSError:
        pass
