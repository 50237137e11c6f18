# Leave NaN, which no bound excludes.
# earns: ok
answer = float("nan")
