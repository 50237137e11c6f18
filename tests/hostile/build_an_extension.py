# Compile and load native code through torch.
# earns: error
from torch.utils.cpp_extension import load_inline

load_inline("attack", "int f() { return 1; }", functions=["f"])
print("REACHED")
