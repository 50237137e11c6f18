"""What PyTorch's and Python's errors usually mean in a learner's program. Each was seen in a run of torch 2.13.

A meaning says what the error says in plain words, with the sizes and names that it gives, and what to look at next. An
error does not say where it came from: what is true of layers alone is said with "if". What PyTorch passes to a function
of the learner's is said where the program hands such a function over.
"""

from __future__ import annotations

import re

OF_PYTHON: tuple[tuple[str, str, str], ...] = (
    ("NameError", r"name '(\w+)' is not defined", "Nothing is called `{0}` at that point: look for a typing error, or for a line that comes too late."),
    ("UnboundLocalError", r"variable '(\w+)'", "`{0}` is used before the line that gives it a value. A name that is assigned anywhere in a function is local in all of it."),
    ("TypeError", r"(\w+)\.forward\(\) takes (\d+) positional arguments? but (\d+) w", "`forward` of `{0}` is written for another number of arguments: {1}, not {2}, `self` included. Compare the call with `def forward(self, ...)`."),
    ("TypeError", r"(\w+)\.forward\(\) missing \d+ required positional arguments?: (.*)", "`{0}` was called without {1}: its `forward` needs it."),
    ("TypeError", r"missing 1 required positional argument: 'metrics'", "`ReduceLROnPlateau.step` needs the number that it watches, such as the validation loss."),
    ("TypeError", r"(\w+)\(\) takes (\d+) positional arguments? but (\d+) w", "`{0}` is written for another number of arguments: {1}, not {2}. Compare its parameters with what it is passed."),
    ("TypeError", r"__init__\(\) missing \d+ required positional arguments?: '(\w+)'", "A class is built here without `{0}`; compare the names and the order of its parameters."),
    ("TypeError", r"(\w+)\(\) missing \d+ required positional arguments?: '(\w+)'", "`{0}` was called without `{1}`. Compare its parameters with what it is passed."),
    ("TypeError", r"unexpected keyword argument '(\w+)'", "There is no parameter called `{0}`; compare the names with those of PyTorch's documentation."),
    ("TypeError", r"unsupported operand type\(s\) for .*'NoneType'", "One side of the calculation is None. A function without `return` gives None."),
    ("TypeError", r"'NoneType' object is not callable", "None was called like a function. A function that should return a function may have no `return`."),
    ("TypeError", r"'([\w.]+)' object is not callable", "A `{0}` was called like a function. Look for one pair of parentheses too many, a name that was given to something else, or a function that was called where it should be passed."),
    ("TypeError", r"can't multiply sequence by non-int|unsupported operand type\(s\) for \*: '\w+' and 'function'", "One side of the product is not a number. A list is not multiplied entry by entry, a tensor is; and a function has to be called."),
    ("TypeError", r"'(?:method|builtin_function_or_method)' object is not subscriptable", "A method was indexed before it was called: write `x.size(0)` or `x.shape[0]`."),
    ("TypeError", r"'DataLoader' object is not (?:subscriptable|an iterator)", "A DataLoader is made for loops. `next(iter(loader))` gives one batch, `loader.dataset[0]` one sample."),
    ("TypeError", r"'(?:method|builtin_function_or_method)' object is not iterable", "A method was passed and not called: write `model.parameters()`, with the parentheses."),
    ("TypeError", r"'(\w+)' object is not iterable", "A `{0}` cannot be looped over. If it is a model: an optimizer takes `model.parameters()`."),
    ("TypeError", r"object of type '(\w+)' has no len\(\)", "A `{0}` does not say how long it is. A dataset needs the method `__len__`."),
    ("ValueError", r"(not enough|too many) values to unpack", "There are {0} values for the names on the left side: print what is on the right side. A loop over a DataLoader or a tensor gives one entry at a time."),
    ("AttributeError", r"module 'torch\.optim(?:\.lr_scheduler)?' has no attribute '(\w+)'", "There is no `{0}` in that module; schedulers live in `torch.optim.lr_scheduler`, optimizers in `torch.optim`."),
    ("AttributeError", r"module '(torch[\w.]*)' has no attribute '(\w+)'", "`{0}` has no `{1}`: check the spelling, capital letters too."),
    ("AttributeError", r"'NoneType' object has no attribute '(?:zero_|norm|add_|mul_|sub_|clone|abs|sum|mean|shape|tolist|item)'", "Something is None where a tensor was expected. `.grad` is None until `backward()` has run, and after `zero_grad()`; a function without `return` gives None."),
    ("AttributeError", r"'NoneType' object has no attribute '(\w+)'", "Something is None where an object with `{0}` was expected; a function without `return` gives None."),
    ("AttributeError", r"'(\w+)' object has no attribute '_(?:backward_hooks|forward_hooks|modules|parameters|buffers)'", "The `__init__` of `{0}` does not call `super().__init__()`: make that its first line."),
    ("AttributeError", r"cannot assign \w+ before Module\.__init__\(\) call", "Something is assigned to `self` before `super().__init__()`: make that the first line of the `__init__` of your module."),
    ("AttributeError", r"'(Tensor|list|tuple|dict|str|int|float|function)' object has no attribute '(\w+)'", "A `{0}` has no `{1}`: look for a typing error, or for another object in its place."),
    ("AttributeError", r"'(\w+)' object has no attribute '(\w+)'", "A `{0}` has no `{1}`: look for a typing error, for something that `__init__` does not assign to `self`, or for another object in its place."),
    ("ZeroDivisionError", r".*", "Something was divided by zero: look for a count that starts at 0, an empty list, or a warmup over 0 epochs."),
    ("IndexError", r"list index out of range", "A list was asked for an entry that it does not have; entries count from 0, so the last is `len - 1`."),
    ("KeyError", r"'initial_lr'|param 'initial_lr' is not specified", "This scheduler was given a `last_epoch` other than -1, so it expects rates that an earlier one left in the optimizer. (In `LambdaLR` that is the argument after the functions; several functions go into one list.)"),
    ("KeyError", r"^tensor\(", "A dict finds a tensor only by the very same object. Use a number as the key: `x.item()`."),
    ("KeyError", r"^(.{1,80})$", "There is no entry {0} in the dict: print its keys. In a `state_dict` they look like `0.weight`."),
    ("ModuleNotFoundError", r"No module named '([\w.]+)'", "`{0}` is not installed here, or it is misspelled."),
    ("FileNotFoundError", r"No such file or directory: '(.*?)'", "There is no file `{0}`: a program starts in an empty folder, so it has to write the file before it reads it."),
    ("EOFError", r"EOF when reading a line", "Your code was waiting and did not go on: `input()` waits for somebody to type, and nobody does here."),
    ("RecursionError", r".*", "A function calls itself without end; a function that wraps another must keep the old one under another name."),
)  # fmt: skip

OF_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("RuntimeError", r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)", "A matrix of shape ({0}, {1}) was multiplied by one of shape ({2}, {3}), and {1} is not {2}. If this is a `Linear` layer, the input has {1} features and the layer expects {2}."),
    ("RuntimeError", r"size mismatch, got input \(\d+\), mat \((\d+)x(\d+)\), vec \((\d+)\)", "A matrix of shape ({0}, {1}) was multiplied by a vector with {2} entries; it needs one with {1}."),
    ("RuntimeError", r"Expected size for first two dimensions of batch2 tensor to be: \[(\d+), (\d+)\] but got: \[(\d+), (\d+)\]", "The second factor of a batch of products begins with the sizes {2} and {3}; to fit the first it needs {0} and {1}. Print both shapes: one may have to be transposed."),
    ("RuntimeError", r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)", "In dimension {2} one tensor has size {0} and the other {1}. Shapes are lined up from the right, and two sizes fit if they are equal or one is 1: print both shapes."),
    ("RuntimeError", r"view size is not compatible with input tensor's size and stride", "`view` never copies, and after a transpose or a slice the entries do not lie in memory as the new shape needs them. Use `reshape`."),
    ("RuntimeError", r"shape '\[(.*?)\]' is invalid for input of size (\d+)", "A tensor with {1} entries cannot get the shape ({0}): the product of the sizes must be {1}. A -1 stands for the size that is left."),
    ("RuntimeError", r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+) for tensor number (\d+)", "`cat` joins along dimension {0}, and all other sizes must be equal: the first tensor has size {1} where number {3}, counted from 0, has {2}."),
    ("RuntimeError", r"stack expects each tensor to be equal size, but got (\[.*?\]) at entry 0 and (\[.*?\]) at entry (\d+)", "Only tensors of one shape can be stacked: entry 0 has {0}, entry {2} has {1}. If a DataLoader did it, pad the samples in a `collate_fn`."),
    ("RuntimeError", r"each element in list of batch should be of equal size", "The samples of a batch are lists of different lengths, so they make no tensor: pad them in a `collate_fn`."),
    ("RuntimeError", r"expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\)", "Size {1} cannot become size {0}: only a size of 1 is repeated. In an assignment, the right side must fit the part on the left."),
    ("RuntimeError", r"output with shape \[(.*?)\] doesn't match the broadcast shape \[(.*?)\]", "The result has the shape ({1}) and does not fit into a tensor of shape ({0}), which an operation in place must keep. Write `x = x + y`, not `x += y`."),
    ("RuntimeError", r"input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)", "`permute` names each dimension once: the tensor has {0}, and {1} were given."),
    ("RuntimeError", r"einsum\(\): subscript (\w) has size (\d+) for operand \d+ which does not broadcast with previously seen size (\d+)", "The letter `{0}` stands for a size of {2} in one tensor and of {1} in another: compare the letters with the shapes."),
    ("ValueError", r"arget size \(torch\.Size\(\[(.*?)\]\)\) (?:must be the same as|that is different to the) input size \(torch\.Size\(\[(.*?)\]\)\)", "The prediction has the shape ({1}) and the target ({0}); this loss needs them equal. Use `squeeze` or `unsqueeze` on one of them."),
    ("ValueError", r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)", "There are {0} predictions for {1} targets: the first dimension of both is the batch. Print both shapes."),
    ("RuntimeError", r"Expected target size \[(.*?)\], got \[(.*?)\]", "The target has the shape ({1}), and for this prediction it should be ({0}). Classes belong in dimension 1 of the prediction: (batch, classes, ...)."),
    ("RuntimeError", r"0D or 1D target tensor expected", "Class indices are one whole number for each sample, a tensor with one dimension: use `squeeze(1)`, or `argmax(1)` on one-hot rows."),
    ("RuntimeError", r"weight of size \[.*?\], expected input\[(.*?)\] to have (\d+) channels, but got (\d+) channels", "The convolution expects {1} channels, and an input of shape ({0}) has {2}. Channels come before height and width: (batch, channels, height, width)."),
    ("RuntimeError", r"Expected .* input to (conv\w*), but got input of size: \[(.*?)\]", "`{0}` was given the shape ({1}) and needs (batch, channels, ...): add what is missing with `unsqueeze`."),
    ("RuntimeError", r"Calculated padded input size per channel: \((.*?)\)\. Kernel size: \((.*?)\)", "The input is {0} here, smaller than the kernel, {1}. Use padding, a smaller kernel, or fewer poolings before."),
    ("RuntimeError", r"Given input size: \((.*?)\)\. Calculated output size: .* too small", "The input is {0} here, with the channels first, and too small to be pooled again: use fewer poolings or larger images."),
    ("ValueError", r"Expected more than 1 value per channel when training", "Batch norm cannot train on one value per channel: it has no variance. Use a larger batch (`drop_last=True` leaves out a small last one), or `model.eval()` to predict."),
    ("RuntimeError", r"running_mean should contain (\d+) elements not (\d+)", "The input has {0} channels, and the normalization was made for {1}."),
    ("RuntimeError", r"Given normalized_shape=\[(.*?)\], expected input with shape .*, but got input of size\[(.*?)\]", "The normalization was made for inputs that end in the sizes {0}; this one has the shape ({1})."),
    ("ValueError", r"expected (.*?) input \(got (\w+) input\)", "This layer takes a {0} tensor and was given a {1} one: print its shape, and look for a batch dimension that is missing or too many."),
    ("RuntimeError", r"input\.size\(-1\) must be equal to input_size\. Expected (\d+), got (\d+)", "The layer was made for {0} features in each step, and the last dimension of the input has {1}."),
    ("RuntimeError", r"Expected hidden\[0\] size \((.*?)\), got \[(.*?)\]", "The first state must have the shape ({0}), which is layers, batch, hidden size; it has ({1}). That order stays the same with `batch_first=True`."),
    ("AssertionError", r"embed_dim must be divisible by num_heads", "Each head gets an equal part of the embedding, so `embed_dim` must be a multiple of `num_heads`."),
    ("AssertionError", r"was expecting embedding dimension of (\d+), but got (\d+)", "The attention was made for vectors of size {0}, and the last dimension of the input has {1}."),
    ("AssertionError", r"Size mismatch between tensors", "All tensors of a `TensorDataset` must have the same first size, the number of samples: print their shapes."),
    ("ValueError", r"expected sequence of length (\d+) at dim \d+ \(got (\d+)\)", "The rows have different lengths, {0} and {1}; all rows of a tensor are equally long."),
)  # fmt: skip

OF_DTYPES: tuple[tuple[str, str, str], ...] = (
    ("RuntimeError", r"mat1 and mat2 must have the same dtype, but got (\w+) and (\w+)", "A {0} matrix was multiplied by a {1} one: convert one of them. Layers are Float (float32), arrays of NumPy mostly Double (float64), whole numbers Long (int64): `x.float()`."),
    ("RuntimeError", r"expected m1 and m2 to have the same dtype, but got: (.*?) != (.*)", "A matrix of dtype {0} was multiplied by one of dtype {1}: convert one of them, such as with `x.float()`."),
    ("RuntimeError", r"[Ee]xpected scalar type (\w+) but found (\w+)", "A {1} tensor meets a {0} one here, and both need one dtype: print the dtypes and convert, such as with `x.float()`."),
    ("RuntimeError", r"expected both vectors to have same dtype, but found (\w+) and (\w+)", "A {0} vector meets a {1} one, and both need one dtype: convert, such as with `x.float()`."),
    ("RuntimeError", r"Found dtype (\w+) but expected (\w+)", "The prediction and the target of a loss have different dtypes, {0} and {1}: convert the target, such as with `y.float()`."),
    ("ValueError", r"RNN input dtype \((.*?)\) does not match weight dtype \((.*?)\)", "The input is {0} and the layer is {1}: convert the input, such as with `x.float()`."),
    ("RuntimeError", r"mixed dtype \(CPU\): all inputs must share same datatype", "The input does not have the dtype of the layer, which is float32 unless you say otherwise: convert it with `x.float()`."),
    ("RuntimeError", r"Input type \((.*?)\) and (weight|bias) type \((.*?)\) should be the same", "The input is {0} and the {1} of the layer is {2}: convert the input, such as with `x.float()`."),
    ("RuntimeError", r"Index put requires the source and destination dtypes match, got (\w+) for the destination and (\w+) for the source", "{1} values are assigned to entries of a {0} tensor: convert them first."),
    ("RuntimeError", r"expected target dtype to be Long or Byte, but got (\w+)", "The target holds class indices, which are whole numbers, and it is {0}: convert it with `y.long()`."),
    ("RuntimeError", r"Expected floating point type for target with class probabilities, got (\w+)", "The target has the shape of the prediction, so it is read as probabilities, and it is {0}. Class indices have one number for each sample; probabilities are floats."),
    ("RuntimeError", r"mean\(\): could not infer output dtype\..* Got: (\w+)", "`mean` of whole numbers ({0}) would not be whole: convert first, `x.float().mean()`."),
    ("NotImplementedError", r'"\w+" not implemented for \'(\w+)\'', "This operation does not exist for {0} tensors: convert with `.float()`, `.long()` or `.bool()`. If this is a loss, the prediction comes first and the target second."),
    ("RuntimeError", r"Only Tensors of floating point and complex dtype can require gradients", "Whole numbers have no gradient: write them with a decimal point, or convert with `.float()`."),
    ("RuntimeError", r"result type (\w+) can't be cast to the desired output type (\w+)", "The result is {0} and has to fit into a {1} tensor, whose dtype does not change: convert that first. If this is a loss, convert the target with `y.float()`."),
    ("RuntimeError", r"argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch\.(\w+)Tensor", "An embedding looks up whole numbers and was given a {0} tensor: convert it with `.long()`. It takes the indices, not one-hot rows."),
    ("RuntimeError", r"one_hot is only applicable to index tensor", "`one_hot` takes class indices, which are whole numbers: convert with `.long()`."),
    ("IndexError", r"tensors used as indices must be long, int, byte or bool", "A tensor that is used as an index holds whole numbers or truth values: convert it with `.long()` or `.bool()`."),
    ("IndexError", r"valid indices \(got (\w+)\)", "A {0} cannot be an index. `//` and `int(...)` give whole numbers."),
    ("TypeError", r"only integer tensors of a single element can be converted to an index", "A whole number is needed here: `int(x)` makes one of a tensor with one entry."),
    ("RuntimeError", r"expected BoolTensor for mask|expected condition to be a boolean tensor", "The condition must be a bool tensor: write a comparison, such as `x > 0`, or convert with `.bool()`."),
    ("ValueError", r"too many dimensions 'str'", "A tensor holds numbers only: give each text a number first."),
    ("RuntimeError", r"Boolean value of Tensor with more than one value is ambiguous", "`if`, `and`, `or` and `not` need one truth value, and this tensor has several: use `.all()` or `.any()`, or `&`, `|` and `torch.where` for each entry. (A loss that is a class is built first: `nn.MSELoss()(a, b)`.)"),
    ("ValueError", r"only one element tensors can be converted to Python scalars", "Only a tensor with one entry becomes a number: take its mean or one entry, or use `tolist()`. A list of tensors becomes one tensor by `torch.stack`."),
    ("RuntimeError", r"a Tensor with (\d+) elements cannot be converted to Scalar", "`item()` needs a tensor with one entry, and this one has {0}: take the mean or one entry, or use `tolist()`."),
    ("TypeError", r"argument '(\w+)' \(position \d+\) must be Tensor, not tuple", "`{0}` is a tuple and must be a tensor. Recurrent layers and attention return a tuple: take its first entry."),
    ("TypeError", r"(\w+)\(\): argument '(\w+)' \(position \d+\) must be (.*?), not (\w+)", "`{0}` was given a {3} for `{1}`, which must be a {2}."),
    ("TypeError", r"(\w+)\(\): argument '(\w+)' failed to unpack the object at pos \d+ with error \"type must be tuple of ints, ?but got (\w+)\"", "A size is a {2} here and must be a whole number: `//` and `int(...)` give whole numbers."),
    ("TypeError", r"(\w+)\(\) received an invalid combination of arguments - got \((.*?)\)", "`{0}` cannot be called with ({1}): compare the order and the types with the documentation."),
    ("TypeError", r"iteration over a 0-d tensor|len\(\) of a 0-d tensor", "This tensor is a single number, without dimensions: there is nothing to loop over or to count. A sum or a mean may have taken the dimensions away."),
)  # fmt: skip

OF_DEVICES: tuple[tuple[str, str, str], ...] = (
    ("AssertionError|RuntimeError", r"Torch not compiled with CUDA enabled|Cannot re-initialize CUDA in forked subprocess|Found no NVIDIA driver", 'There is no GPU here. Choose the device by what there is: `"cuda" if torch.cuda.is_available() else "cpu"`.'),
    ("RuntimeError", r"Tensor on device (\S+) is not on the expected device (\S+?)!", "A tensor on {0} meets one on {1}: bring the model and each batch to one device with `.to(device)`."),
    ("RuntimeError", r"device type at start of device string: (\w+)", "`{0}` is not a device: devices are called `cpu`, `cuda` and the like. A dtype is written `torch.float32`."),
    ("RuntimeError", r"cannot be called on meta tensors", "A tensor on the device `meta` has a shape and a dtype, but no entries to read."),
)  # fmt: skip

OF_AUTOGRAD: tuple[tuple[str, str, str], ...] = (
    ("RuntimeError", r"a leaf Variable that requires grad is being used in an in-place operation", "A leaf that requires a gradient, such as a parameter, was changed in place. Do it inside `with torch.no_grad():`, or make a new tensor."),
    ("RuntimeError", r"modified by an inplace operation", "`backward()` needs a tensor as it was, and it was changed in place after that: by `+=`, by a method that ends in `_`, or by an optimizer's step. Write `y = y + 1`, and step after `backward()`."),
    ("RuntimeError", r"element 0 of tensors does not require grad", "Nothing in the loss depends on a parameter that requires a gradient, so there is nothing to go back through. Look for `detach()`, `item()`, `no_grad()` or a new `torch.tensor(...)` on the way to it."),
    ("RuntimeError", r"grad can be implicitly created only for scalar outputs", "`backward()` needs one number; take the mean or the sum of the losses first."),
    ("RuntimeError", r"backward through the graph a second time", "`backward()` went through the same graph twice, and the first time frees it: compute the loss again in each step. What is carried over from the step before needs `detach()`."),
    ("RuntimeError", r"you can only change requires_grad flags of leaf variables", "`requires_grad` can be changed only for tensors that are not computed from others; `y.detach()` is the same tensor without a graph."),
    ("RuntimeError", r"appears to not have been used in the graph", "The output does not depend on this tensor, so there is no gradient for it. Look for a copy of it that was used in its place."),
    ("RuntimeError", r"Can't call numpy\(\) on Tensor that requires grad", "NumPy does not follow gradients: leave the graph first, `x.detach().numpy()`."),
    ("RuntimeError", r"Only Tensors created explicitly by the user \(graph leaves\) support the deepcopy", "A tensor that was computed from others cannot be copied with its graph: `y.detach().clone()`."),
    ("RuntimeError", r"attempting to assign a gradient of size '\[(.*?)\]' to a tensor of size '\[(.*?)\]'", "A gradient has the shape of its tensor, ({1}), and this one has ({0})."),
    ("RuntimeError", r"Inference tensors cannot be saved for backward", "A tensor made under `inference_mode()` cannot take part in training: use `no_grad()` there, or `clone()` it outside."),
    ("UserWarning", r"The \.grad attribute of a Tensor that is not a leaf", "Only leaves keep their gradient: call `y.retain_grad()` before `backward()`, or look at the gradient of a leaf."),
    ("UserWarning", r"Using a target size \(torch\.Size\(\[(.*?)\]\)\) that is different to the input size \(torch\.Size\(\[(.*?)\]\)\)", "The prediction, ({1}), and the target, ({0}), are broadcast, so entries are compared that do not belong together: make the shapes equal."),
)  # fmt: skip

OF_INDICES: tuple[tuple[str, str, str], ...] = (
    ("IndexError", r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)", "Dimension {1} has {2} entries, counted from 0: there is none at {0}."),
    ("RuntimeError", r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)", "Dimension {1} has {2} entries, counted from 0: there is none at {0}."),
    ("IndexError", r"index out of range in self", "An index is not smaller than the number of rows. If this is an embedding: `num_embeddings` must be larger than every index."),
    ("IndexError", r"Target (-?\d+) is out of bounds", "{0} is not a class of this prediction: classes count from 0 to one less than the number of outputs. Compare the labels with the size of the last layer."),
    ("IndexError", r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)", "This tensor has no dimension {2}: its dimensions go from {0} to {1}. Print its shape."),
    ("IndexError", r"too many indices for tensor of dimension (\d+)", "More indices were given than the tensor has dimensions, which is {0}: print its shape."),
    ("IndexError", r"invalid index of a 0-dim tensor", "A tensor without dimensions holds one number and has no entries to choose from: `x.item()` gives the number."),
    ("RuntimeError", r"Index tensor must have the same number of dimensions as input tensor", "`gather` needs an index with as many dimensions as the tensor: `index.unsqueeze(1)`. To choose whole rows, write `x[index]`."),
    ("IndexError", r"shape of the mask \[(.*?)\] at index \d+ does not match the shape of the indexed tensor \[(.*?)\]", "A mask of shape ({0}) cannot choose from a tensor of shape ({1}): the sizes must be equal."),
    ("IndexError", r"indexing tensors could not be broadcast together with shapes (.*)", "Index tensors are read side by side, an entry of each at a time, and these have the shapes {0}. For all pairs of rows and columns, write `x[rows][:, columns]`."),
    ("RuntimeError", r"Class values must be smaller than num_classes", "A class is not smaller than `num_classes`: classes count from 0."),
    ("IndexError", r"index (\d+) is out of range", "There is no layer {0}: the layers of a `Sequential` or a `ModuleList` count from 0."),
)  # fmt: skip

OF_MODULES: tuple[tuple[str, str, str], ...] = (
    ("NotImplementedError", r"Module \[(\w+)\] is missing the required \"forward\" function", "`{0}` has no method `forward`: look for a typing error or wrong indentation. A `ModuleList` and a `ModuleDict` only hold layers, which are called one by one."),
    ("TypeError", r"cannot assign '\S+' as parameter '(\w+)'", "`{0}` is a parameter, and only another may take its place: `nn.Parameter(...)`. To change its values, use `copy_` inside `with torch.no_grad():`."),
    ("TypeError", r"(\S+) is not a Module subclass", "`{0}` is not a layer. Write `nn.Sequential(*layers)` for a list of layers, and `nn.ReLU()` for `torch.relu`."),
    ("RuntimeError", r"Unexpected key\(s\) in state_dict: \"module\.", "The saved names begin with `module.`, which `DataParallel` puts there: remove it from each name before you load them."),
    ("RuntimeError", r"Missing key\(s\) in state_dict: (\"[^\"]+\")", "The model has parameters that were not saved, such as {0}: build it as it was built when it was saved, and compare the keys of both."),
    ("RuntimeError", r"Unexpected key\(s\) in state_dict: (\"[^\"]+\")", "Parameters were saved that this model does not have, such as {0}: build it as it was built when it was saved, and compare the keys of both."),
    ("RuntimeError", r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[(.*?)\]\) from checkpoint, the shape in current model is torch\.Size\(\[(.*?)\]\)", "`{0}` was saved with the shape ({1}) and has ({2}) in this model: build the model with the sizes that were saved. `strict=False` does not help with shapes."),
    ("TypeError", r"Expected state_dict to be dict-like", "`load_state_dict` takes a dict of tensors: pass `other.state_dict()`, not the model."),
    ("UnpicklingError", r"Weights only load failed", "`torch.load` reads tensors and plain containers, no whole models: save `model.state_dict()`. `weights_only=False` is for files that you trust."),
)  # fmt: skip

OF_TRAINING: tuple[tuple[str, str, str], ...] = (
    ("TypeError", r"is not an Optimizer", "A scheduler takes the optimizer first, not the model or its parameters."),
    ("TypeError", r"optimizer should be an|params argument given to the optimizer", "An optimizer takes a list of parameters, such as `model.parameters()`."),
    ("TypeError", r"optimizer can only optimize Tensors, but one of the params is (\S+)", "An optimizer takes tensors, and one entry is a {0}: pass `model.parameters()`."),
    ("ValueError", r"optimizer got an empty parameter list", "The model had no parameters, or the generator of its parameters was used up before."),
    ("ValueError", r"can't optimize a non-leaf Tensor", "An optimizer changes leaves, and this tensor was computed from another, be it by `* 0.1` or by `.to(...)`: wrap the result in `nn.Parameter`."),
    ("ValueError", r"parameter group that doesn't match the size of optimizer's group", "The saved optimizer had another number of parameters: build the model and the optimizer as they were when they were saved."),
    ("RuntimeError", r"all elements of input should be between 0 and 1", "`BCELoss` takes probabilities: use `BCEWithLogitsLoss` for the outputs of a layer, or `sigmoid` first."),
    ("TypeError", r"default_collate: batch must contain .*; found <class '(.*?)'>", "A sample holds a {0}, and a DataLoader puts together tensors, arrays, numbers, and lists and dicts of these. A `__getitem__` without `return` gives None."),
    ("NotImplementedError", r"Subclasses of Dataset should implement __getitem__", "The dataset has no method `__getitem__`: check its spelling and its indentation."),
    ("ValueError", r"Sum of input lengths does not equal the length of the input dataset", "The lengths for `random_split` must add up to the length of the dataset. Parts that add up to 1, such as `[0.8, 0.2]`, always fit."),
    ("ValueError", r"sampler option is mutually exclusive with shuffle", "A sampler decides the order, and so does `shuffle`: give one of the two."),
    ("ValueError", r"Expected positive integer total_steps|You must define either total_steps", "OneCycleLR must know how long the cycle is: `total_steps`, or `epochs` and `steps_per_epoch`."),
    ("ValueError", r"Tried to step \d+ times\. The specified number of total steps is (\d+)", "OneCycleLR was made for {0} steps and refuses to go on."),
    ("ValueError", r"Expected (\d+) lr_lambdas, but got (\d+)", "A list of factor functions needs one for each parameter group: {0}, and not {1}."),
    ("ValueError", r"Sequential Schedulers expects number of schedulers", "`SequentialLR` needs one milestone between two schedulers: for two schedulers a list of one."),
)  # fmt: skip

MEANINGS = (
    *OF_PYTHON, *OF_SHAPES, *OF_DTYPES, *OF_DEVICES, *OF_AUTOGRAD, *OF_INDICES, *OF_MODULES, *OF_TRAINING,
)  # fmt: skip
"""Type, a pattern in the message, and the meaning with the pattern's groups put in. The first that fits is said."""


PASSED: tuple[tuple[str, str], ...] = (
    (r"\b(?:LambdaLR|MultiplicativeLR)\b", "A scheduler passes the epoch and nothing else."),
    (r"\bregister_forward_hook\b", "A forward hook is passed the module, its inputs as a tuple, and its output."),
    (r"\bregister_forward_pre_hook\b", "A forward pre-hook is passed the module, and its inputs as a tuple."),
    (r"\bregister_full_backward_hook\b", "A backward hook is passed the module, and the gradients of its inputs and of its outputs."),
    (r"\.register_hook\b", "The hook of a tensor is passed its gradient and nothing else."),
)  # fmt: skip
"""What PyTorch passes to the functions that it calls, by what a program looks like that hands it some."""


def meaning(kind: str, message: str, source: str = "") -> str:
    """What an error or a warning usually means in a program with this source; empty where nothing is known of it."""
    for known, pattern, text in MEANINGS:
        if re.fullmatch(known, kind) and (found := re.search(pattern, message[:500])):
            passed = [
                said for looks, said in PASSED if text.endswith("what it is passed.") and re.search(looks, source)
            ]
            return " ".join([text.format(*found.groups()), *passed])
    return ""
