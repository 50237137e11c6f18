"""An assignment for nbgrader as an instructor writes it: five functions around training in PyTorch, tested by cells.

`CELLS` is the notebook, `RIGHTS` and `WRONGS` what students write, `HOSTILE` what attacks do. Points of a cell are 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Points = float | None

CELLS = {
    "fit-line": (
        "## 1. A line (2 points)\n\nWrite `fit_line(x, y, steps, lr)`. It fits `y = a * x + b` to two tensors of the same length by "
        "gradient descent on the mean squared error, starting at `a = b = 0`, and returns `a` and `b` as two floats.",
        "import torch\n\ndef fit_line(x, y, steps, lr):\n    ### BEGIN SOLUTION\n    a = torch.zeros((), requires_grad=True)\n"
        "    b = torch.zeros((), requires_grad=True)\n    optimizer = torch.optim.SGD([a, b], lr=lr)\n    for _ in range(steps):\n"
        "        loss = ((a * x + b - y) ** 2).mean()\n        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n"
        "    return a.item(), b.item()\n    ### END SOLUTION",
        "import torch\n\nx = torch.linspace(-1, 1, 20)\na, b = fit_line(x, 3 * x - 1, 400, 0.1)\n"
        "assert abs(a - 3) < 0.01, 'the slope is off'\nassert abs(b + 1) < 0.01, 'the intercept is off'\n"
        "### BEGIN HIDDEN TESTS\na, b = fit_line(x, -0.5 * x + 2, 400, 0.1)\nassert abs(a + 0.5) < 0.01 and abs(b - 2) < 0.01\n"
        "a, b = fit_line(x, x + 1, 1, 0.1)\nassert abs(a - 0.0737) < 0.001 and abs(b - 0.2) < 0.001, 'after one step'\n"
        "### END HIDDEN TESTS",
    ),
    "warmup-factor": (
        "## 2. A warmup (2 points, half a point a value)\n\nWrite `warmup_factor(epoch, warmup)` for use with `LambdaLR`: the factor "
        "rises in equal parts over `warmup` epochs, which are counted from 0, and then stays 1.",
        "def warmup_factor(epoch, warmup):\n    ### BEGIN SOLUTION\n    return min((epoch + 1) / warmup, 1.0)\n    ### END SOLUTION",
        "import torch\n\ndef rates(warmup, epochs):\n    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)\n"
        "    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: warmup_factor(epoch, warmup))\n    used = []\n"
        "    for _ in range(epochs):\n        used.append(schedule.get_last_lr()[0])\n        optimizer.step()\n        schedule.step()\n"
        "    return used\n\nseen = rates(4, 6)\nright = [abs(seen[0] - 0.25) < 1e-6, abs(seen[3] - 1) < 1e-6]\n"
        "### BEGIN HIDDEN TESTS\nseen = rates(5, 9)\nright += [abs(seen[2] - 0.6) < 1e-6, abs(seen[8] - 1) < 1e-6]\n"
        "### END HIDDEN TESTS\n0.5 * sum(right)",
    ),
    "windows": (
        "## 3. A dataset (2 points)\n\nWrite the dataset `Windows(series, size)`. Its samples are pairs: `size` values of the tensor "
        "`series` that follow each other, and the value after them.",
        "from torch.utils.data import Dataset\n\nclass Windows(Dataset):\n    ### BEGIN SOLUTION\n    def __init__(self, series, size):\n"
        "        self.series, self.size = series, size\n\n    def __len__(self):\n        return len(self.series) - self.size\n\n"
        "    def __getitem__(self, index):\n        end = index + self.size\n        return self.series[index:end], self.series[end]\n"
        "    ### END SOLUTION",
        "import torch\nfrom torch.utils.data import DataLoader\n\ndata = Windows(torch.arange(10.0), 3)\nassert len(data) == 7\n"
        "inputs, target = data[2]\nassert inputs.tolist() == [2, 3, 4]\nassert float(target) == 5\n"
        "### BEGIN HIDDEN TESTS\nbatches = list(DataLoader(Windows(torch.arange(9.0), 4), batch_size=5))\n"
        "assert [tuple(batch.shape) for batch, _ in batches] == [(5, 4)]\nassert batches[0][1].tolist() == [4, 5, 6, 7, 8]\n"
        "### END HIDDEN TESTS",
    ),
    "groups": (
        "## 4. Parameter groups (2 points)\n\nWrite `make_optimizer(model, lr)`: an `AdamW` with two parameter groups. Biases (all "
        "parameters of one dimension) have no weight decay, all others a weight decay of 0.01.",
        "import torch\n\ndef make_optimizer(model, lr):\n    ### BEGIN SOLUTION\n"
        "    plain = [weight for weight in model.parameters() if weight.ndim == 1]\n"
        "    decayed = [weight for weight in model.parameters() if weight.ndim != 1]\n"
        "    groups = [{'params': decayed, 'weight_decay': 0.01}, {'params': plain, 'weight_decay': 0.0}]\n"
        "    return torch.optim.AdamW(groups, lr=lr)\n    ### END SOLUTION",
        "import torch\n\ndef decays(model):\n    made = make_optimizer(model, 0.001)\n    assert isinstance(made, torch.optim.AdamW)\n"
        "    return {id(weight): group['weight_decay'] for group in made.param_groups for weight in group['params']}\n\n"
        "layer = torch.nn.Linear(3, 2)\nfound = decays(layer)\nassert found[id(layer.bias)] == 0\nassert found[id(layer.weight)] == 0.01\n"
        "### BEGIN HIDDEN TESTS\nmodel = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 1))\n"
        "found = decays(model)\nassert len(found) == 6\nassert all((found[id(w)] == 0) == (w.ndim == 1) for w in model.parameters())\n"
        "### END HIDDEN TESTS",
    ),
    "clip": (
        "## 5. Clipping (2 points)\n\nWrite `clip(parameters, limit)`. Where the norm of all gradients together is above `limit`, it "
        "scales them down to it, in place; else it leaves them alone. It returns the norm from before, as a float.",
        "import torch\n\ndef clip(parameters, limit):\n    ### BEGIN SOLUTION\n    grads = [weight.grad for weight in parameters]\n"
        "    norm = sum((grad ** 2).sum() for grad in grads) ** 0.5\n    if norm > limit:\n        for grad in grads:\n"
        "            grad.mul_(limit / norm)\n    return float(norm)\n    ### END SOLUTION",
        "import torch\n\ndef weights(*grads):\n    made = [torch.nn.Parameter(torch.zeros(len(grad))) for grad in grads]\n"
        "    for weight, grad in zip(made, grads):\n        weight.grad = torch.tensor(grad)\n    return made\n\n"
        "two = weights([3.0], [0.0, 4.0])\nassert abs(clip(two, 1.0) - 5) < 1e-5\nassert torch.allclose(two[1].grad, torch.tensor([0.0, 0.8]))\n"
        "### BEGIN HIDDEN TESTS\nsmall = weights([0.3], [0.4])\nassert abs(clip(small, 1.0) - 0.5) < 1e-5\n"
        "assert abs(float(small[0].grad) - 0.3) < 1e-6, 'what is below the limit stays'\n### END HIDDEN TESTS",
    ),
}
"""Of each question: the text, the cell with the solution, the cell with the tests."""

RIGHTS = {
    "fit-line": (
        "import torch\n\ndef fit_line(x, y, steps, lr):\n    line = torch.zeros(2, requires_grad=True)\n    for _ in range(steps):\n"
        "        error = line[0] * x + line[1] - y\n        (grad,) = torch.autograd.grad((error ** 2).mean(), line)\n"
        "        line = (line - lr * grad).detach().requires_grad_()\n    return line[0].item(), line[1].item()",
        "import torch\n\ndef fit_line(x, y, steps, lr):\n    layer = torch.nn.Linear(1, 1)\n    torch.nn.init.zeros_(layer.weight)\n"
        "    torch.nn.init.zeros_(layer.bias)\n    sgd = torch.optim.SGD(layer.parameters(), lr=lr)\n    for step in range(steps):\n"
        "        sgd.zero_grad()\n        torch.nn.functional.mse_loss(layer(x[:, None]), y[:, None]).backward()\n        sgd.step()\n"
        "    return layer.weight.item(), layer.bias.item()",
        "def fit_line(x, y, steps, lr):\n    a = b = 0.0\n    for _ in range(steps):\n        error = a * x + b - y\n"
        "        a -= lr * 2 * float((error * x).mean())\n        b -= lr * 2 * float(error.mean())\n    return a, b",
    ),
    "warmup-factor": (
        "def warmup_factor(epoch, warmup):\n    return min((epoch + 1) / warmup, 1.0)",
        "def warmup_factor(epoch, warmup):\n    if epoch >= warmup:\n        return 1.0\n    return (1 + epoch) / warmup",
        "warmup_factor = lambda epoch, warmup: min(1, (epoch + 1) / warmup)",
    ),
    "windows": (
        "from torch.utils.data import Dataset\n\nclass Windows(Dataset):\n    def __init__(self, series, size):\n        self.series = series\n"
        "        self.size = size\n    def __len__(self):\n        return max(len(self.series) - self.size, 0)\n"
        "    def __getitem__(self, i):\n        return self.series[i:i + self.size], self.series[i + self.size]",
        "from torch.utils.data import Dataset\n\nclass Windows(Dataset):\n    def __init__(self, series, size):\n"
        "        self.parts = series.unfold(0, size + 1, 1)\n    def __len__(self):\n        return self.parts.shape[0]\n"
        "    def __getitem__(self, index):\n        part = self.parts[index]\n        return part[:-1], part[-1]",
    ),
    "groups": (
        "import torch\n\ndef make_optimizer(model, lr):\n    groups = [{'params': [], 'weight_decay': decay} for decay in (0.01, 0.0)]\n"
        "    for weight in model.parameters():\n        groups[weight.dim() == 1]['params'].append(weight)\n"
        "    return torch.optim.AdamW(groups, lr=lr)",
        "import torch\n\ndef make_optimizer(model, lr):\n    one, many = [], []\n    for name, weight in model.named_parameters():\n"
        "        (one if len(weight.shape) == 1 else many).append(weight)\n"
        "    return torch.optim.AdamW([dict(params=many, weight_decay=1e-2), dict(params=one, weight_decay=0)], lr)",
    ),
    "clip": (
        "import torch\n\ndef clip(parameters, limit):\n    return float(torch.nn.utils.clip_grad_norm_(parameters, limit))",
        "import torch\n\ndef clip(parameters, limit):\n    parameters = list(parameters)\n"
        "    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()\n    if norm > limit:\n        for p in parameters:\n"
        "            p.grad *= limit / norm\n    return norm.item()",
    ),
}  # fmt: skip

WRONGS: dict[str, tuple[tuple[str, float], ...]] = {
    "fit-line": (
        ("def fit_line(x, y, steps, lr):\n    return 0.0, 0.0", 0.0),
        (
            "def fit_line(x, y, steps, lr):\n    a = b = 0.0\n    for _ in range(steps):\n        error = a * x + b - y\n"
            "        a -= lr * float((error * x).mean())\n        b -= lr * float(error.mean())\n    return a, b",  # half the gradient
            0.0,
        ),
        (
            "import torch\n\ndef fit_line(x, y, steps, lr):\n    line = torch.zeros(2, requires_grad=True)\n"
            "    sgd = torch.optim.SGD([line], lr=lr)\n    for _ in range(steps):\n"  # the gradient is never erased
            "        ((line[0] * x + line[1] - y) ** 2).mean().backward()\n        sgd.step()\n    return line[0].item(), line[1].item()",
            0.0,
        ),
    ),
    "warmup-factor": (
        ("def warmup_factor(epoch, warmup):\n    return 3.0", 0.0),
        ("def warmup_factor(epoch, warmup):\n    return min(epoch / warmup, 1.0)", 0.5),  # right only past the ramp
        ("def warmup_factor(epoch, warmup):\n    return (epoch + 1) / warmup", 1.5),  # right only on the ramp
        ("def warmup_factor(epoch, warmup):\n    return 1.0", 1.0),
    ),
    "windows": (
        (
            "class Windows:\n    def __init__(self, series, size):\n        pass\n    def __len__(self):\n        return 0",
            0.0,
        ),
        (
            "class Windows:\n    def __init__(self, series, size):\n        self.series, self.size = series, size\n"
            "    def __len__(self):\n        return len(self.series)\n    def __getitem__(self, i):\n"  # one window too many
            "        return self.series[i:i + self.size], self.series[i + self.size]",
            0.0,
        ),
    ),
    "groups": (
        ("def make_optimizer(model, lr):\n    return None", 0.0),
        (
            "import torch\n\ndef make_optimizer(model, lr):\n    return torch.optim.AdamW(model.parameters(), lr=lr)",
            0.0,
        ),
        (
            "import torch\n\ndef make_optimizer(model, lr):\n"  # the weights of a normalization are no biases by name
            "    named = {'bias': [], 'rest': []}\n    for name, weight in model.named_parameters():\n"
            "        named['bias' if 'bias' in name else 'rest'].append(weight)\n    return torch.optim.AdamW([{'params': named['rest']}, "
            "{'params': named['bias'], 'weight_decay': 0.0}], lr=lr, weight_decay=0.01)",
            0.0,
        ),
    ),
    "clip": (
        ("def clip(parameters, limit):\n    return -1.0", 0.0),
        (
            "def clip(parameters, limit):\n    norm = sum((p.grad ** 2).sum() for p in parameters) ** 0.5\n    for p in parameters:\n"
            "        p.grad.mul_(limit / norm)\n    return float(norm)",  # small gradients grow
            0.0,
        ),
        (
            "def clip(parameters, limit):\n    for p in parameters:\n        p.grad.clamp_(-limit, limit)\n"
            "    return float(sum(p.grad.norm() for p in parameters))",
            0.0,
        ),
    ),
}
"""What students get wrong, and the points that the tests give for it. The first of each is wrong in every respect."""


@dataclass(frozen=True)
class Attack:
    """Cells of a hostile submission. Those that are not named are right, or all wrong where `rest` says so."""

    cells: Mapping[str, str]
    due: Mapping[str, Points] = field(default_factory=dict)
    """What cells are due where that is not what their answers are due."""
    forged: Mapping[str, Points] = field(default_factory=dict)
    """What they earn of any grader that runs tests in the kernel of the answers."""
    loots: bool = False


_STUBBORN = """\
class Any(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return Any(0)
    __add__ = __radd__ = __rsub__ = __sub__
    def __abs__(self): return Any(0)
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = None
"""
_DROP = """\
import ast

class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

get_ipython().ast_transformers.append(Drop())
"""
_ZERO = dict.fromkeys(CELLS, 0.0)
_LOOT = "open('@LOOT@', 'w').write('was here')\n"

HOSTILE = {
    "transformer": Attack(
        {"fit-line": _DROP + WRONGS["fit-line"][0][0], "rest": "wrong"}, _ZERO, {"fit-line": 2.0, "clip": 2.0}
    ),
    "equal": Attack(
        {"fit-line": _STUBBORN + "def fit_line(*_):\n    return Any(9), Any(9)", "rest": "wrong"}, _ZERO, {"fit-line": 2.0}
    ),
    "builtins": Attack(
        {
            "fit-line": "import builtins, torch\nbuiltins.abs = lambda value: 0\ntorch.allclose = lambda *_, **__: True\n"
            + WRONGS["fit-line"][0][0],
            "rest": "wrong",
        },
        _ZERO,
        {"fit-line": 2.0, "warmup-factor": 2.0, "clip": 2.0},
    ),
    "credit": Attack(
        {"warmup-factor": "class Two(float):\n    def __repr__(self): return '2.0'\nsum = lambda values: Two()\n"
         "Two.__rmul__ = lambda self, other: self\n" + WRONGS["warmup-factor"][0][0], "rest": "wrong"},
        _ZERO,
        {"warmup-factor": 2.0},
    ),
    "nan": Attack(
        {"warmup-factor": "sum = lambda values: float('nan')\n" + WRONGS["warmup-factor"][0][0], "rest": "wrong"},
        {**_ZERO, "warmup-factor": None},
    ),
    "warns": Attack(
        {"fit-line": RIGHTS["fit-line"][1].replace("layer.weight.item(), layer.bias.item()", "float(layer.weight), float(layer.bias)"),
         # PyTorch warns of a tensor with a gradient that becomes a number
         "clip": "import sys, warnings\n\ndef clip(parameters, limit):\n    warnings.warn('careful')\n    print('noise', file=sys.stderr)\n"
         "    import torch\n    return float(torch.nn.utils.clip_grad_norm_(parameters, limit))"},
    ),
    "gradebook": Attack(
        {"fit-line": "import sqlite3\nbase = sqlite3.connect('@COURSE@/gradebook.db', timeout=30)\n"
         "base.execute('update grade set manual_score = 100, auto_score = 100, extra_credit = 50')\nbase.commit()\n" + _LOOT
         + WRONGS["fit-line"][0][0], "rest": "wrong"},
        _ZERO, loots=True,
    ),
    "hidden-tests": Attack(
        {"fit-line": "text = open('@COURSE@/source/ps1/ps1.ipynb').read()\n" + _LOOT + WRONGS["fit-line"][0][0], "rest": "wrong"},
        _ZERO, loots=True,
    ),
    "other-submissions": Attack(
        {"fit-line": "import os\nothers = os.listdir('@COURSE@/submitted')\n" + _LOOT + WRONGS["fit-line"][0][0], "rest": "wrong"},
        _ZERO, loots=True,
    ),
    "network": Attack(
        {"fit-line": "import socket\nsocket.create_connection(('127.0.0.1', @PORT@), timeout=2).sendall(b'here')\n" + _LOOT
         + WRONGS["fit-line"][0][0], "rest": "wrong"},
        _ZERO, loots=True,
    ),
    "exit": Attack(
        {"windows": "import os\n\ndef Windows(series, size):\n    os._exit(0)"}, {"windows": 0.0, "groups": 0.0, "clip": 0.0}
    ),
    "loop": Attack({"windows": "import time\n\ndef Windows(series, size):\n    while True:\n        time.sleep(0.1)"}, {"windows": 0.0}),
    "memory": Attack(
        # 64 GiB are asked for and never written to: where nothing limits them, no memory is used up.
        {"windows": "import mmap\n\ndef Windows(series, size):\n    hoard = [mmap.mmap(-1, 1 << 32) for _ in range(16)]\n"
         "    open('@LOOT@', 'w').write('had it')"},
        {"windows": 0.0}, loots=True,
    ),
    "output": Attack(
        {"windows": "for number in range(40_000):\n    print('x' * 50)\n" + RIGHTS["windows"][0]},
    ),
    "patch": Attack(
        {"fit-line": "import nbgrader.utils, nbgrader.preprocessors\nnbgrader.utils.determine_grade = lambda *_: (2.0, 2.0)\n"
         "nbgrader.preprocessors.SaveAutoGrades.preprocess_cell = lambda self, cell, resources, at: (cell, resources)\n"
         + WRONGS["fit-line"][0][0], "rest": "wrong"},
        _ZERO,
    ),
}  # fmt: skip
"""What attacks do. Those with `forged` cannot be prevented by a sandbox, since it is the tests' own kernel that they change."""
