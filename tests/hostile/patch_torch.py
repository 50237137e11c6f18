# Make torch say what one likes. It is about itself alone.
# earns: ok
import torch

torch.optim.lr_scheduler.LambdaLR.step = lambda self: None
print("patched")
