# Recurse until Python stops it.
# earns: error
def again():
    return again()


again()
