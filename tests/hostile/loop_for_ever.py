# Never end.
# earns: timeout
while True:
    pass
