"""Meanings of errors: for each a program of a few lines that raises it in the pinned torch, and what is said then."""

from __future__ import annotations

import re

import pytest

from grader.judging import error_meanings
from grader.model import Program
from grader.runner.local import LocalRunner

START = """\
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.utils import data
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.ones(2, 3)
w = torch.ones(2, requires_grad=True)
"""

RAISED: tuple[tuple[str, str], ...] = (
    # of Python
    ("lr_schedular", "Nothing is called `lr_schedular` at that point"),
    ("def f():\n    n += 1\nn = 0\nf()", "`n` is used before the line that gives it a value"),
    ("class Net(nn.Module):\n    def forward(self): return 1\nNet()(x)", "`forward` of `Net` is written for another number of arguments: 1, not 2, `self` included."),
    ("nn.CrossEntropyLoss()(x)", "`CrossEntropyLoss` was called without 'target': its `forward` needs it."),
    ("lr_scheduler.ReduceLROnPlateau(optimizer).step()", "`ReduceLROnPlateau.step` needs the number that it watches"),
    ("def f(): return 1\nlr_scheduler.LambdaLR(optimizer, f)", "`f` is written for another number of arguments: 0, not 1. Compare its parameters with what it is passed."),
    ("lr_scheduler.SequentialLR()", "A class is built here without `optimizer`"),
    ("def f(e, other): return 1\nlr_scheduler.LambdaLR(optimizer, f)", "`f` was called without `other`."),
    ("lr_scheduler.StepLR(optimizer, steps=3)", "There is no parameter called `steps`"),
    ("def f(e): pass\nlr_scheduler.LambdaLR(optimizer, f)", "A function without `return` gives None."),
    ("f = None\nf(1)", "None was called like a function."),
    ("x(1)", "A `Tensor` was called like a function."),
    ("x.shape(0)", "A `torch.Size` was called like a function."),
    ("[1, 2] * 0.5", "One side of the product is not a number."),
    ("s = lr_scheduler.ExponentialLR(optimizer, lambda e: 1)\noptimizer.step(); s.step()", "a function has to be called."),
    ("x.size[0]", "A method was indexed before it was called: write `x.size(0)` or `x.shape[0]`."),
    ("data.DataLoader(x)[0]", "A DataLoader is made for loops."),
    ("next(data.DataLoader(x))", "`next(iter(loader))` gives one batch"),
    ("torch.optim.SGD(model.parameters, lr=0.1)", "write `model.parameters()`, with the parentheses."),
    ("torch.optim.SGD(model, lr=0.1)", "A `Linear` cannot be looped over. If it is a model: an optimizer takes `model.parameters()`."),
    ("class D(data.Dataset):\n    def __getitem__(self, i): return 3\ndata.DataLoader(D(), shuffle=True)", "A dataset needs the method `__len__`."),
    ("a, b = data.DataLoader(x)\na, b, c = data.DataLoader(x)", "There are not enough values for the names on the left side"),
    ("a, b = torch.ones(3)", "There are too many values for the names on the left side"),
    ("torch.optim.StepLR(optimizer, 3)", "There is no `StepLR` in that module; schedulers live in"),
    ("nn.ReLu()", "`torch.nn` has no `ReLu`: check the spelling, capital letters too."),
    ("w.grad.zero_()", "`.grad` is None until `backward()` has run"),
    ("None.step()", "Something is None where an object with `step` was expected"),
    ("class Net(nn.Module):\n    def __init__(self): self.size = 1\n    def forward(self, x): return x\nNet()(x)", "The `__init__` of `Net` does not call `super().__init__()`"),
    ("class Net(nn.Module):\n    def __init__(self): self.fc = nn.Linear(1, 1)\nNet()", "Something is assigned to `self` before `super().__init__()`"),
    ("class Net(nn.Module):\n    def __init__(self): self.w = nn.Parameter(w)\nNet()", "make that the first line of the `__init__` of your module."),
    ("x.reshap(3, 2)", "A `Tensor` has no `reshap`: look for a typing error"),
    ("class Net(nn.Module):\n    def forward(self, x): return self.fc(x)\nNet()(x)", "A `Net` has no `fc`: look for a typing error, for something that `__init__` does not assign to `self`"),
    ("optimizer.stepp()", "A `SGD` has no `stepp`"),
    ("1 / 0", "Something was divided by zero"),
    ("[1][1]", "entries count from 0, so the last is `len - 1`"),
    ("lr_scheduler.StepLR(optimizer, 3, last_epoch=4)", "This scheduler was given a `last_epoch` other than -1"),
    ("{}[torch.ones(1)]", "A dict finds a tensor only by the very same object."),
    ("nn.ModuleDict({'a': model})['b']", "There is no entry 'b' in the dict: print its keys."),
    ("model.state_dict()['0.weight']", "There is no entry '0.weight' in the dict"),
    ("import tensorflow_of_old", "`tensorflow_of_old` is not installed here"),
    ("torch.load('model.pt')", "There is no file `model.pt`: a program starts in an empty folder"),
    ("rate = float(input())", "`input()` waits for somebody to type"),
    ("def f(e): return f(e)\nf(1)", "A function calls itself without end"),
    # shapes
    ("x @ x", "A matrix of shape (2, 3) was multiplied by one of shape (2, 3), and 3 is not 2."),
    ("model(torch.ones(4, 5))", "If this is a `Linear` layer, the input has 5 features and the layer expects 3."),
    ("x @ torch.ones(2)", "A matrix of shape (2, 3) was multiplied by a vector with 2 entries; it needs one with 3."),
    ("torch.ones(2, 3, 4) @ torch.ones(2, 3, 4)", "begins with the sizes 2 and 3; to fit the first it needs 2 and 4."),
    ("x + torch.ones(2, 4)", "In dimension 1 one tensor has size 3 and the other 4. Shapes are lined up from the right"),
    ("x.T.view(6)", "Use `reshape`."),
    ("x.view(-1, 4)", "A tensor with 6 entries cannot get the shape (-1, 4)"),
    ("torch.cat([x, torch.ones(2, 4)])", "`cat` joins along dimension 0, and all other sizes must be equal: the first tensor has size 3 where number 1, counted from 0, has 4."),
    ("torch.stack([torch.ones(2), torch.ones(3)])", "Only tensors of one shape can be stacked: entry 0 has [2], entry 1 has [3]."),
    ("next(iter(data.DataLoader([torch.ones(2), torch.ones(3)], batch_size=2)))", "If a DataLoader did it, pad the samples in a `collate_fn`."),
    ("next(iter(data.DataLoader([[1, 2], [1]], batch_size=2)))", "The samples of a batch are lists of different lengths"),
    ("x.expand(4, 3)", "Size 2 cannot become size 4: only a size of 1 is repeated."),
    ("x[0] = torch.ones(4)", "In an assignment, the right side must fit the part on the left."),
    ("y = torch.zeros(3)\ny += x", "The result has the shape (2, 3) and does not fit into a tensor of shape (3)"),
    ("x.permute(0)", "`permute` names each dimension once: the tensor has 2, and 1 were given."),
    ("torch.einsum('ij,jk->ik', x, torch.ones(4, 2))", "The letter `j` stands for a size of 3 in one tensor and of 4 in another"),
    ("F.binary_cross_entropy_with_logits(torch.ones(2, 1), torch.ones(2))", "The prediction has the shape (2, 1) and the target (2)"),
    ("nn.BCELoss()(torch.ones(2, 1), torch.ones(2))", "The prediction has the shape (2, 1) and the target (2)"),
    ("F.cross_entropy(x, torch.tensor([0, 1, 2]))", "There are 2 predictions for 3 targets"),
    ("F.cross_entropy(torch.ones(2, 5, 3), torch.zeros(2, 5).long())", "The target has the shape (2, 5), and for this prediction it should be (2, 3)."),
    ("F.cross_entropy(x, torch.tensor([[0], [1]]))", "use `squeeze(1)`, or `argmax(1)` on one-hot rows"),
    ("nn.Conv2d(3, 4, 3)(torch.ones(1, 8, 8, 3))", "The convolution expects 3 channels, and an input of shape (1, 8, 8, 3) has 8."),
    ("nn.Conv2d(1, 1, 3)(x)", "`conv2d` was given the shape (2, 3) and needs (batch, channels, ...)"),
    ("nn.Conv2d(1, 1, 5)(torch.ones(1, 1, 3, 3))", "The input is 3 x 3 here, smaller than the kernel, 5 x 5."),
    ("F.max_pool2d(torch.ones(1, 1, 1, 1), 2)", "The input is 1x1x1 here, with the channels first, and too small to be pooled again"),
    ("nn.BatchNorm1d(3)(torch.ones(1, 3))", "Batch norm cannot train on one value per channel"),
    ("nn.BatchNorm1d(3)(torch.ones(2, 4))", "The input has 4 channels, and the normalization was made for 3."),
    ("nn.LayerNorm(3)(torch.ones(2, 4))", "The normalization was made for inputs that end in the sizes 3; this one has the shape (2, 4)."),
    ("nn.BatchNorm2d(3)(x)", "This layer takes a 4D tensor and was given a 2D one"),
    ("nn.LSTM(3, 4)(torch.ones(2, 3, 5))", "The layer was made for 3 features in each step, and the last dimension of the input has 5."),
    ("nn.LSTM(3, 4, batch_first=True)(torch.ones(2, 3, 3), (torch.ones(1, 3, 4), torch.ones(1, 3, 4)))", "The first state must have the shape (1, 2, 4), which is layers, batch, hidden size; it has (1, 3, 4)."),
    ("nn.MultiheadAttention(5, 2)", "`embed_dim` must be a multiple of `num_heads`"),
    ("nn.MultiheadAttention(4, 2)(*[torch.ones(2, 1, 6)] * 3)", "The attention was made for vectors of size 4, and the last dimension of the input has 6."),
    ("data.TensorDataset(torch.ones(2), torch.ones(3))", "must have the same first size, the number of samples"),
    ("torch.tensor([[1, 2], [3]])", "The rows have different lengths, 2 and 1"),
    # dtypes
    ("x @ torch.ones(3, 2).long()", "A matrix of dtype float was multiplied by one of dtype long int"),
    ("import numpy\nmodel(torch.from_numpy(numpy.ones((2, 3))))", "A Double matrix was multiplied by a Float one"),
    ("torch.ones(1, 2, 2) @ torch.ones(1, 2, 2).double()", "A Double tensor meets a Float one here"),
    ("torch.dot(torch.ones(2), torch.ones(2).long())", "A Float vector meets a Long one, and both need one dtype"),
    ("F.binary_cross_entropy(torch.ones(2), torch.ones(2).long())", "different dtypes, Long and Float: convert the target"),
    ("nn.LSTM(3, 2)(torch.ones(1, 1, 3).double())", "The input is torch.float64 and the layer is torch.float32"),
    ("nn.LayerNorm(3)(x.double())", "The input does not have the dtype of the layer"),
    ("nn.Conv2d(1, 1, 1)(torch.ones(1, 1, 2, 2).double())", "The input is double and the bias of the layer is float"),
    ("x[torch.tensor([0])] = torch.ones(1, 3).double()", "Double values are assigned to entries of a Float tensor"),
    ("F.cross_entropy(x, torch.ones(2))", "The target holds class indices, which are whole numbers, and it is Float: convert it with `y.long()`."),
    ("F.cross_entropy(x, x.long())", "it is read as probabilities, and it is Long"),
    ("x.long().mean()", "`mean` of whole numbers (Long) would not be whole"),
    ("F.softmax(x.long(), dim=1)", "This operation does not exist for Long tensors"),
    ("F.cross_entropy(torch.tensor([0, 1]), x)", "the prediction comes first and the target second"),
    ("torch.ones(2) & torch.ones(2)", "This operation does not exist for Float tensors: convert with `.float()`, `.long()` or `.bool()`."),
    ("torch.tensor([1, 2], requires_grad=True)", "Whole numbers have no gradient"),
    ("y = torch.ones(3).long()\ny += 0.5", "The result is Float and has to fit into a Long tensor"),
    ("nn.Embedding(3, 2)(torch.ones(2))", "An embedding looks up whole numbers and was given a Float tensor"),
    ("F.one_hot(torch.ones(2))", "`one_hot` takes class indices"),
    ("x[torch.tensor([1.0])]", "A tensor that is used as an index holds whole numbers or truth values"),
    ("x[4 / 2]", "A float cannot be an index."),
    ("range(torch.tensor(2.0))", "`int(x)` makes one of a tensor with one entry"),
    ("torch.masked_select(x, x)", "The condition must be a bool tensor"),
    ("torch.where(x, 1, 0)", "write a comparison, such as `x > 0`"),
    ("torch.tensor(['a'])", "A tensor holds numbers only"),
    ("if x > 0: pass", "`if`, `and`, `or` and `not` need one truth value, and this tensor has several"),
    ("nn.MSELoss(x, x)", "`nn.MSELoss()(a, b)`"),
    ("float(x)", "Only a tensor with one entry becomes a number"),
    ("torch.tensor([x, x])", "A list of tensors becomes one tensor by `torch.stack`."),
    ("x.item()", "`item()` needs a tensor with one entry, and this one has 6"),
    ("nn.Linear(4, 1)(nn.LSTM(3, 4)(torch.ones(2, 3, 3)))", "`input` is a tuple and must be a tensor. Recurrent layers and attention return a tuple"),
    ("model([1.0, 2.0, 3.0])", "`linear` was given a list for `input`, which must be a Tensor."),
    ("nn.Linear(4 / 2, 1)", "A size is a float here and must be a whole number"),
    ("x.sum(axis='a')", "`sum` cannot be called with (axis=str, )"),
    ("for row in x.sum(): pass", "This tensor is a single number, without dimensions"),
    ("len(x.mean())", "there is nothing to loop over or to count"),
    # devices
    ("model.to('cuda')", "There is no GPU here."),
    ("x + torch.ones(2, 3, device='meta')", "A tensor on meta meets one on cpu"),
    ("x.to('gpu')", "`gpu` is not a device"),
    ("torch.ones(1, device='meta').item()", "A tensor on the device `meta` has a shape and a dtype"),
    # autograd
    ("w.add_(1)", "A leaf that requires a gradient, such as a parameter, was changed in place."),
    ("w[0] = 2", "Do it inside `with torch.no_grad():`"),
    ("y = w.exp()\ny += 1\ny.sum().backward()", "`backward()` needs a tensor as it was, and it was changed in place after that"),
    ("model2 = nn.Sequential(model, nn.Linear(1, 1))\no = torch.optim.SGD(model2.parameters(), lr=1)\nloss = model2(x).sum()\nloss.backward(retain_graph=True)\no.step()\nloss.backward()", "or by an optimizer's step"),
    ("with torch.no_grad():\n    loss = model(x).sum()\nloss.backward()", "Nothing in the loss depends on a parameter that requires a gradient"),
    ("torch.tensor(model(x).sum().item()).backward()", "Look for `detach()`, `item()`, `no_grad()`"),
    ("model(x).backward()", "`backward()` needs one number"),
    ("loss = model(x).exp().sum()\nloss.backward()\nloss.backward()", "`backward()` went through the same graph twice"),
    ("h = torch.zeros(2)\nfor _ in range(2):\n    h = (h + w).tanh()\n    h.sum().backward()", "What is carried over from the step before needs `detach()`."),
    ("y = w * 2\ny.requires_grad = False", "`requires_grad` can be changed only for tensors that are not computed from others"),
    ("torch.autograd.grad(w.sum(), torch.ones(1, requires_grad=True))", "The output does not depend on this tensor"),
    ("w.numpy()", "leave the graph first, `x.detach().numpy()`"),
    ("import copy\ncopy.deepcopy(w * 2)", "A tensor that was computed from others cannot be copied with its graph"),
    ("w.grad = torch.ones(3)", "A gradient has the shape of its tensor, (2), and this one has (3)."),
    ("with torch.inference_mode():\n    y = torch.ones(2)\n(y * w).sum().backward()", "A tensor made under `inference_mode()` cannot take part in training"),
    # indices
    ("x[5]", "Dimension 0 has 2 entries, counted from 0: there is none at 5."),
    ("x[0, -4]", "Dimension 1 has 3 entries, counted from 0: there is none at -4."),
    ("torch.ones(3).gather(0, torch.tensor([3]))", "Dimension 0 has 3 entries, counted from 0: there is none at 3."),
    ("nn.Embedding(3, 2)(torch.tensor([3]))", "`num_embeddings` must be larger than every index"),
    ("F.cross_entropy(x, torch.tensor([0, 3]))", "3 is not a class of this prediction: classes count from 0"),
    ("x.sum(2)", "This tensor has no dimension 2: its dimensions go from -2 to 1."),
    ("x[0, 0, 0]", "More indices were given than the tensor has dimensions, which is 2"),
    ("torch.tensor(3.0)[0]", "A tensor without dimensions holds one number"),
    ("x.gather(1, torch.tensor([0, 1]))", "`gather` needs an index with as many dimensions as the tensor"),
    ("x[torch.tensor([True, False, True])]", "A mask of shape (3) cannot choose from a tensor of shape (2, 3)"),
    ("x[[0, 1], [0, 1, 2]]", "these have the shapes [2], [3]. For all pairs of rows and columns, write `x[rows][:, columns]`."),
    ("F.one_hot(torch.tensor([3]), 3)", "A class is not smaller than `num_classes`"),
    ("nn.Sequential(model)[3]", "There is no layer 3"),
    # modules, what is saved
    ("class Net(nn.Module):\n    def foward(self, x): return x\nNet()(x)", "`Net` has no method `forward`"),
    ("nn.ModuleList([model])(x)", "`ModuleList` has no method `forward`"),
    ("model.weight = x", "`weight` is a parameter, and only another may take its place"),
    ("nn.Sequential([model])", "`list` is not a layer. Write `nn.Sequential(*layers)` for a list of layers"),
    ("nn.Sequential(torch.relu)", "`nn.ReLU()` for `torch.relu`"),
    ("model.load_state_dict({'module.' + k: v for k, v in model.state_dict().items()})", "The saved names begin with `module.`"),
    ("model.load_state_dict({})", 'parameters that were not saved, such as "weight"'),
    ("model.load_state_dict(model.state_dict() | {'scale': w})", 'that this model does not have, such as "scale"'),
    ("nn.Linear(2, 1).load_state_dict(model.state_dict())", "`weight` was saved with the shape (1, 3) and has (1, 2) in this model"),
    ("model.load_state_dict(model)", "pass `other.state_dict()`, not the model"),
    ("torch.save(model, 'm.pt')\ntorch.load('m.pt')", "save `model.state_dict()`"),
    # training
    ("lr_scheduler.StepLR(model, 3)", "A scheduler takes the optimizer first"),
    ("torch.optim.SGD(model.weight, lr=0.1)", "An optimizer takes a list of parameters"),
    ("torch.optim.SGD([1.0], lr=0.1)", "An optimizer takes tensors, and one entry is a float"),
    ("torch.optim.SGD([], lr=0.1)", "The model had no parameters"),
    ("torch.optim.SGD([w * 0.1], lr=0.1)", "An optimizer changes leaves, and this tensor was computed from another"),
    ("optimizer.load_state_dict(torch.optim.SGD([w], lr=0.1).state_dict())", "The saved optimizer had another number of parameters"),
    ("nn.BCELoss()(torch.tensor([2.0]), torch.tensor([1.0]))", "`BCELoss` takes probabilities"),
    ("next(iter(data.DataLoader([None, None])))", "A sample holds a NoneType, and a DataLoader puts together tensors"),
    ("class D(data.Dataset):\n    def __len__(self): return 3\nnext(iter(data.DataLoader(D())))", "The dataset has no method `__getitem__`"),
    ("data.random_split(range(5), [2, 2])", "must add up to the length of the dataset"),
    ("data.DataLoader(x, shuffle=True, sampler=[0])", "A sampler decides the order, and so does `shuffle`"),
    ("lr_scheduler.OneCycleLR(optimizer, 0.1)", "OneCycleLR must know how long the cycle is"),
    ("s = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3)\nfor _ in range(4): optimizer.step(); s.step()", "refuses to go on"),
    ("lr_scheduler.LambdaLR(optimizer, [abs, abs])", "A list of factor functions needs one"),
    ("parts = [lr_scheduler.StepLR(optimizer, 3), lr_scheduler.StepLR(optimizer, 4)]\nlr_scheduler.SequentialLR(optimizer, parts, milestones=[2, 3])", "`SequentialLR` needs one milestone between two schedulers"),
)  # fmt: skip
"""The last lines of a program, and what is said of what they raise."""

WARNED: tuple[tuple[str, str], ...] = (
    ("y = w * 2\ny.sum().backward()\ny.grad", "call `y.retain_grad()` before `backward()`"),
    ("F.mse_loss(torch.ones(2, 1), torch.ones(2))", "The prediction, (2, 1), and the target, (2), are broadcast"),
)


def _met(kind: str, message: str) -> int:
    """Which meaning is the first that fits."""
    rows = enumerate(error_meanings.MEANINGS)
    return next(number for number, row in rows if re.fullmatch(row[0], kind) and re.search(row[1], message[:500]))


@pytest.fixture(scope="module")
def raised(runner: LocalRunner) -> dict[str, tuple[str, str]]:
    """Type and message of what each of the programs raises or warns."""
    found = {}
    for number, (code, _) in enumerate((*RAISED, *WARNED)):
        assert START.count("\n") + code.count("\n") - 8 <= 12
        seen = runner.submit(Program(START + code, seed=1)).result()
        if number < len(RAISED):
            assert seen.error, code
            found[code] = seen.error.type, seen.error.message
        else:
            assert seen.warnings, code
            found[code] = seen.warnings[0].category, seen.warnings[0].message
    return found


@pytest.mark.parametrize(("code", "said"), [*RAISED, *WARNED])
def test_what_an_error_means(code: str, said: str, raised: dict[str, tuple[str, str]]) -> None:
    meaning = error_meanings.meaning(*raised[code])
    assert said in meaning, (raised[code], meaning)
    assert "{" not in meaning
    assert "None:" not in meaning
    assert len(meaning) < 300


def test_every_meaning_is_seen_in_a_run(raised: dict[str, tuple[str, str]]) -> None:
    unseen = set(range(len(error_meanings.MEANINGS))) - {_met(*error) for error in raised.values()}
    assert not [error_meanings.MEANINGS[number] for number in unseen]


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("scheduler = LambdaLR(optimizer, f)", " A scheduler passes the epoch and nothing else."),
        ("layer.register_forward_hook(f)", " A forward hook is passed the module, its inputs as a tuple, and its output."),
        ("f(1, 2, 3)", ""),
    ],
)  # fmt: skip
def test_what_a_function_is_passed_is_said_of_the_caller_that_there_is(program: str, passed: str) -> None:
    said = error_meanings.meaning("TypeError", "f() takes 2 positional arguments but 3 were given", program)
    assert said.endswith(f"not 3. Compare its parameters with what it is passed.{passed}")


def test_an_unknown_error_has_no_meaning() -> None:
    assert error_meanings.meaning("OSError", "nobody knows") == ""
    assert error_meanings.meaning("RuntimeError", "x" * 10**6) == ""


@pytest.mark.parametrize("row", error_meanings.MEANINGS, ids=lambda row: f"{row[0]} {row[1][:30]}")
def test_a_meaning_is_short_and_a_sentence(row: tuple[str, str, str]) -> None:
    _, pattern, text = row
    assert text[0].isupper() or text[0] in "`{"
    assert text.rstrip(")")[-1] in ".`"
    assert len(text) <= 260
    assert not re.search(r"\{\d\}", text) or re.compile(pattern).groups
    assert not re.search(r"(?<!there )(?<!There )\bis no\b|\bhas not\b|\bmend\b|n't\b", text), text
