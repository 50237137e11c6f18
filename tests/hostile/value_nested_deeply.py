# Leave a value that is nested a hundred thousand times.
# earns: ok
answer = []
for _ in range(100_000):
    answer = [answer]
