# Raise an exception with a message of 100 MB.
# earns: error
raise ValueError("x" * 10**8)
