# Print without end.
# earns: output
while True:
    print("x" * 10_000)
