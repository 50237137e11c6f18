# Have torch write outside of the scratch folder.
# earns: error
import torch

torch.save({}, MARKER + ".reached")
print("REACHED")
