# Recurse until the stack of the process ends, or Python 3.12 says that it would.
# earns: killed or error
import sys

sys.setrecursionlimit(10**9)


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x")


def again(value):
    return [again(value)][0] if repr(value) else 0


def sort(n):
    return sorted([1, 2], key=lambda _: sort(n + 1))


sort(0)
