# Leave a file in the system's temporary folder.
# earns: error
open("/tmp/reached-by-a-program", "w").write("x")
print("REACHED")
