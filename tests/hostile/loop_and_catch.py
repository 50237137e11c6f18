# Never end, whatever is raised.
# earns: timeout
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
