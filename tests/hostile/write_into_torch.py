# Change torch for the programs to come.
# earns: error
import torch

open(torch.__file__, "a").write("#")
print("REACHED")
