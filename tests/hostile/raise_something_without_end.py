# Raise an exception whose text takes all memory.
# earns: error
class Endless(Exception):
    def __str__(self):
        return "x" * 10**12


raise Endless
