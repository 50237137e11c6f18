# Make files without end.
# earns: timeout
import itertools

for number in itertools.count():
    open(str(number), "w").close()
