"""Observers: what each says of a run, that watching changes nothing, and that a child may say what it likes."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from typing import Any

import pytest

from grader.model import Observation, Program, Status
from grader.runner import cached
from grader.runner.batches import submit_all
from grader.runner.inside import codec, observers
from grader.runner.local import LocalRunner
from tests.support.running import run_all

ALL = observers.SEAM.built_in()


def see(runner: LocalRunner, source: str, *asks: str, watch: tuple[str, ...] = ALL) -> Observation:
    return runner.submit(Program(source, asks, 0, watch=watch)).result()


def answers(runner: LocalRunner, source: str, *asks: str, watch: tuple[str, ...] = ALL) -> list[Any]:
    """The values of expressions, as plain Python: tuples as lists."""
    found = see(runner, source, *(f"json.loads(json.dumps({ask}))" for ask in asks), watch=watch)
    assert found.status is Status.OK, found.error
    assert not [asked.error for asked in found.asked if asked.error]
    return [asked.value for asked in found.asked]


TRAIN = """\
import json
import torch
from torch import nn
torch.manual_seed(1)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(5, 3), torch.randn(5, 2)
norms, losses = [], []
for step in range(3):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1e9)))
    optimizer.step()
    losses.append(loss.item())
"""


# ---------------------------------------------------------------- what each one sees


def test_steps_have_rates_the_norm_of_gradients_and_what_has_none(runner: LocalRunner) -> None:
    assert answers(runner, TRAIN, "[s.rates for s in run.steps]", "approx([s.norm for s in run.steps], norms)") == [
        [[0.1]] * 3, True,
    ]  # fmt: skip
    frozen = TRAIN.replace("optimizer = ", "model[0].weight.requires_grad_(False)\noptimizer = ")
    assert answers(runner, frozen, "[s.missing for s in run.steps]") == [[["0.weight"]] * 3]
    named = """\
import json, torch
w = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.SGD([{"params": [w]}, {"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.5}], lr=0.1)
optimizer.step()
w.grad = torch.tensor([3.0, 4.0])
optimizer.step()
"""
    assert answers(runner, named, "[[s.rates, s.norm, s.missing] for s in run.steps]") == [
        [[[0.1, 0.5], None, ["w", "parameter 1"]], [[0.1, 0.5], 5.0, ["parameter 1"]]]
    ]


def test_calls_have_paths_shapes_and_modes(runner: LocalRunner) -> None:
    one = TRAIN.partition("norms")[0] + "model(x)\nmodel.eval()\nwith torch.no_grad():\n    model[2](model[0](x))\n"
    assert answers(runner, one, "[[c.path, c.kind, c.inputs, c.outputs, c.training, c.grad] for c in run.calls]") == [
        [
            ["Sequential", "Sequential", [[5, 3]], [[5, 2]], True, True],
            ["0", "Linear", [[5, 3]], [[5, 4]], True, True],
            ["1", "ReLU", [[5, 4]], [[5, 4]], True, True],
            ["2", "Linear", [[5, 4]], [[5, 2]], True, True],
            ["Linear", "Linear", [[5, 3]], [[5, 4]], False, False],
            ["Linear", "Linear", [[5, 4]], [[5, 2]], False, False],
        ]
    ]


def test_calls_name_what_is_not_registered_by_its_class_and_see_where_it_fails(runner: LocalRunner) -> None:
    source = """\
import json, torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [torch.nn.Linear(2, 3)]
        self.lstm = torch.nn.LSTM(3, 4)
        self.out = torch.nn.Linear(5, 1)
    def forward(self, x, scale=None):
        y, state = self.lstm(self.layers[0](x))
        return self.out(y)
try:
    Net()(torch.ones(1, 1, 2), scale=torch.ones(7))
except RuntimeError:
    pass
torch.nn.ReLU()(torch.ones(1))
"""
    assert answers(runner, source, "[[c.path, c.inputs, c.outputs] for c in run.calls]") == [
        [
            ["Net", [[1, 1, 2], [7]], None],
            ["Linear", [[1, 1, 2]], [[1, 1, 3]]],
            ["lstm", [[1, 1, 3]], [[1, 1, 4], [1, 1, 4], [1, 1, 4]]],
            ["out", [[1, 1, 4]], None],
            ["ReLU", [[1]], [[1]]],
        ]
    ]


def test_saved_counts_what_the_graph_keeps(runner: LocalRunner) -> None:
    source = """\
import json, torch
a = torch.ones(10, requires_grad=True)
b = a.exp()
c = (b * b).sum()
c.backward()
kept = [torch.ones(3, requires_grad=True).exp()]
"""
    ask = "[[s.when, s.count, s.bytes, s.leaf_bytes, s.shapes] for s in run.saved]"
    assert answers(runner, source, ask) == [
        [["backward", 1, 40, 0, [[10]]], ["end", 1, 12, 0, [[3]]]]
    ]  # b once, though two nodes keep it; `c` keeps nothing any more
    training, nothing = TRAIN.replace("range(3)", "range(1)"), "import json, torch\nx = torch.ones(2)\n"
    (saved,) = answers(runner, training, "[run.saved[0].leaf_bytes, run.saved[-1].count]")
    assert saved == [4 * 4 * 2, 0]  # the second weight: the first input needs no gradient
    assert answers(runner, nothing, ask) == [[["end", 0, 0, 0, []]]]


def test_saved_leaves_checkpoints_alone(runner: LocalRunner) -> None:
    source = """\
import json, torch
from torch.utils.checkpoint import checkpoint
a = torch.ones(10, requires_grad=True)
runs = []
def block(x):
    runs.append(1)
    return x.exp().sin().cos()
{call}.sum().backward()
"""
    ask = "[run.saved[0].count, len(runs)]"
    assert answers(runner, source.replace("{call}", "block(a)"), ask) == [[2, 1]]
    assert answers(runner, source.replace("{call}", "checkpoint(block, a, use_reentrant=False)"), ask) == [[0, 2]]


def test_batches_have_the_order_of_samples(runner: LocalRunner) -> None:
    source = """\
import json, torch
data = torch.utils.data.TensorDataset(torch.arange(5))
loader = torch.utils.data.DataLoader(data, batch_size=2, shuffle=True)
order = [[batch.tolist() for (batch,) in loader] for epoch in range(2)]
"""
    asks = "order == [[list(b.indices) for b in run.batches if b.turn == t] for t in (0, 1)]", "len(run.batches)"
    assert answers(runner, source, *asks) == [True, 6]


def test_ops_are_counted_with_their_memory_and_draws(runner: LocalRunner) -> None:
    source = """\
import json, torch
x = torch.rand(3, 2, requires_grad=True)
y = x.t().mm(x)
y.add_(1)
y.sum().backward()
torch.nn.functional.dropout(torch.ones(4)).tolist()
"""
    (found,) = answers(runner, source, "[[o.name, [o.calls, o.new_bytes, o.draws]] for o in run.ops]")
    ops = dict(found)
    assert ops["rand"] == [1, 24, 1]
    assert ops["t"][1:] == [0, 0]
    assert ops["mm"] == [3, 16 + 24 + 24, 0]  # forward, and one for each place of x in it
    assert ops["add_"] == [1, 0, 0]
    assert sum(draws for _, _, draws in ops.values()) == 2
    own = "torch.ones(2).add(1)\nwith torch.no_grad():\n    pass\n"
    assert answers(runner, f"import json, torch\n{own}", "[o.name for o in run.ops]") == [["ones", "add"]]


def test_an_operator_s_warning_and_error_have_the_line_of_the_program(runner: LocalRunner) -> None:
    source = "import torch\nfor _ in range(2):\n    torch.ones(2, 3, 4).T\ntorch.std(torch.ones(1))\ntorch.ones(2) @ torch.ones(3)\n"
    plain, seen = (see(runner, source, watch=watch) for watch in ((), ("ops",)))
    assert [warning.line for warning in plain.warnings] == [3, 4]
    assert plain.error
    assert plain.error.line == 5
    assert dataclasses.replace(seen, watched=()).essence == plain.essence


def test_what_is_not_watched_is_not_there_and_says_how(runner: LocalRunner) -> None:
    found = see(runner, "pass", "run.steps", "run.nothing", watch=("calls",))
    assert [asked.error for asked in found.asked] == [
        "AttributeError: there is no `run.steps`; with `watch: [steps]` there is one",
        "AttributeError: there is no `run.nothing`",
    ]
    assert found.watched == (("calls", ()),)


def test_a_replayed_run_has_what_was_watched(runner: LocalRunner) -> None:
    found = see(runner, TRAIN)
    asks = tuple(f"[len(run.{name}), str(run.{name}[:2])]" for name in ALL)
    there = see(runner, TRAIN, *asks).asked
    again = runner.submit(Program("", asks, 0, replay=found)).result().asked
    assert again == there
    assert not [asked.error for asked in again if asked.error]


def test_records_can_be_observed_as_values(runner: LocalRunner) -> None:
    found = see(runner, TRAIN, "run.calls[1]").asked[0].value
    assert found == {"$dict": [
        ["path", "0"], ["kind", "Linear"], ["inputs", {"$tuple": [{"$tuple": [5, 3]}]}],
        ["outputs", {"$tuple": [{"$tuple": [5, 4]}]}], ["training", True], ["grad", True],
    ]}  # fmt: skip


def test_programs_that_share_a_process_are_watched_each_by_itself(runner: LocalRunner) -> None:
    sources = [TRAIN, "pass", TRAIN.replace("range(3)", "range(2)"), TRAIN]
    watch = [ALL, ALL, ("steps",), ()]
    programs = [
        Program(source, ("1",), seed, watch=on) for source, on in zip(sources, watch, strict=True) for seed in (1, 2)
    ]
    found = [future.result() for future in submit_all(runner.submit, programs)]
    counts = [{name: len(records) for name, records in one.watched} for one in found[::2]]
    assert [count.get("steps") for count in counts] == [3, 0, 2, None]
    assert counts[0].pop("ops") > 10
    assert counts[0] == {"batches": 0, "calls": 12, "saved": 4, "steps": 3}
    assert found[::2] == [dataclasses.replace(one, seconds=two.seconds, peak_bytes=two.peak_bytes)
                          for one, two in zip(found[1::2], found[::2], strict=True)]  # fmt: skip


def test_the_first_records_are_kept(runner: LocalRunner) -> None:
    source = "import torch\nlayer = torch.nn.Identity()\nfor _ in range(5000):\n    layer(1)\n"
    assert see(runner, source, "len(run.calls)").asked[0].value == observers.MOST


# ---------------------------------------------------------------- watching changes nothing

LAYERS = (
    "nn.Linear({n}, {n})", "nn.ReLU()", "nn.Dropout(0.5)", "nn.Tanh()", "nn.BatchNorm1d({n})", "nn.LayerNorm({n})",
    "nn.Softmax()", "nn.Identity()", "nn.GELU()", "nn.Sequential(nn.Linear({n}, {n}), nn.Sigmoid())",
)  # fmt: skip
OPTIMIZERS = ("SGD(p, lr=0.1)", "SGD(p, lr=0.1, momentum=0.9)", "Adam(p)", "AdamW(p, lr=0.01)", "RMSprop(p)")


def drawn(seed: int) -> str:
    """A training program: layers, an optimizer, a loader and what goes on around them, by chance."""
    chance = random.Random(seed)
    width = chance.randint(2, 5)
    layers = ", ".join(chance.choice(LAYERS).format(n=width) for _ in range(chance.randint(1, 5)))
    clip = "nn.utils.clip_grad_norm_(model.parameters(), 0.5)" if chance.random() < 0.5 else "pass"
    mode = chance.choice(("model.eval()", "model.train()", "print(torch.rand(1))"))
    wrong = chance.choice(("pass", "pass", "model(torch.ones(2, 9))", "loss.backward()", "model[0](None)"))
    return f"""\
import torch, random, warnings
from torch import nn
model = nn.Sequential(nn.Linear({width}, {width}), {layers})
p = model.parameters()
optimizer = torch.optim.{chance.choice(OPTIMIZERS)}
data = torch.utils.data.TensorDataset(torch.randn(9, {width}), torch.randn(9, {width}))
losses = []
for epoch in range({chance.randint(1, 3)}):
    for x, y in torch.utils.data.DataLoader(data, batch_size=3, shuffle={chance.random() < 0.5}):
        {"optimizer.zero_grad()" if chance.random() < 0.8 else "pass"}
        loss = (model(x) - y).pow(2).mean()
        loss.backward()
        {clip}
        optimizer.step()
        losses.append(loss.item())
    {mode}
    print(epoch, losses[-1], random.random())
{wrong}
"""


SPECIAL = {
    "a changed saved tensor": "import torch\na = torch.ones(3, requires_grad=True)\nb = a.exp()\nb.add_(1)\nb.sum().backward()",
    "a counting mode": """\
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.overrides import TorchFunctionMode
count = [0, 0]
class Ops(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        count[0] += 1
        return func(*args, **(kwargs or {}))
class Functions(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        count[1] += 1
        return func(*args, **(kwargs or {}))
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with Functions(), Ops():
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    list(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(3)), shuffle=True))
print(count)
""",
    "a profiler": """\
import torch
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with torch.autograd.profiler.profile() as profile:
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
print(sorted(event.key + str(event.count) for event in profile.key_averages() if "aten" in event.key))
""",
    "warnings that count frames": """\
import torch, warnings
class Old(torch.nn.Module):
    def forward(self, x):
        for level in range(1, 7):
            warnings.warn(f"level {level}", stacklevel=level)
        return x
class Outer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.old = Old()
    def forward(self, x):
        return self.old(x)
for _ in range(2):
    Outer()(torch.ones(1))
torch.nn.Softmax()(torch.ones(2, 2))
torch.nn.functional.mse_loss(torch.ones(2, 1), torch.ones(2))
""",
    "hooks of its own": """\
import torch
model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
model[0].register_forward_hook(lambda m, i, o: o * 2)
model[0].register_full_backward_hook(lambda m, i, o: print("backward", o))
model.register_forward_pre_hook(lambda m, i: (i[0] + 1,))
x = torch.ones(1, 2, requires_grad=True)
model(x).sum().backward()
print(x.grad, model[0].weight.grad)
""",
    "a step with a closure": """\
import torch
w = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.LBFGS([w], lr=0.5, max_iter=4)
def closure():
    optimizer.zero_grad()
    loss = (w - 3).pow(2).sum()
    loss.backward()
    return loss
print(optimizer.step(closure), w)
""",
    "second derivatives, functions of its own": """\
import torch
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x ** 2 * g
x = torch.tensor(2.0, requires_grad=True)
(g,) = torch.autograd.grad(Cube.apply(x), x, create_graph=True)
g.backward()
print(x.grad, torch.func.grad(lambda v: v.sin().sum())(torch.ones(2)), torch.func.vmap(torch.sin)(torch.ones(2)))
""",
    "hooks for saved tensors": """\
import torch
packed = []
def pack(t):
    packed.append(tuple(t.shape))
    return t.clone()
with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: (print("unpack"), t)[1]):
    a = torch.ones(2, requires_grad=True)
    y = (a.exp() * 3).sum()
y.backward()
print(packed, a.grad)
""",
    "meta, sparse, complex": """\
import torch
for w in (torch.nn.Parameter(torch.ones(2, device="meta")), torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))):
    optimizer = torch.optim.SGD([w], lr=0.1)
    w.abs().sum().backward()
    optimizer.step()
table = torch.nn.Embedding(4, 2, sparse=True)
table(torch.tensor([1, 1])).sum().backward()
torch.optim.SparseAdam(table.parameters()).step()
print(table.weight.sum())
""",
    "a module that is no usual one": """\
import torch
class Odd(torch.nn.Module):
    def named_modules(self, *args, **kwargs):
        raise ValueError("not mine")
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(1, 1)
    def forward(self, x):
        return self.inner(x)
print(Odd()(torch.zeros(1)).shape)
torch.nn.Module()(1)
""",
}  # fmt: skip
PROGRAMS = {**{f"drawn {seed}": drawn(seed) for seed in range(16)}, **SPECIAL}
STATE = ("torch.get_rng_state()", "__import__('random').getstate()[1][:3]", "torch.is_grad_enabled()", "losses")


@pytest.fixture(scope="module")
def watched_and_not(runner: LocalRunner) -> dict[tuple[str, tuple[str, ...]], Observation]:
    ways = [(), *((name,) for name in ALL), ALL]
    pairs = [(name, watch) for name in PROGRAMS for watch in ways]
    programs = [Program(PROGRAMS[name], STATE, 3, watch=watch) for name, watch in pairs]
    return dict(zip(pairs, run_all(runner, programs), strict=True))


@pytest.mark.parametrize("name", PROGRAMS)
def test_watching_changes_nothing(name: str, watched_and_not: dict[tuple[str, tuple[str, ...]], Observation]) -> None:
    """Not what is printed, warned and raised, the losses to the last bit, nor the state of the generators."""
    plain = watched_and_not[name, ()]
    assert plain.status in (Status.OK, Status.ERROR)
    for watch in [*((name,) for name in ALL), ALL]:
        seen = watched_and_not[name, watch]
        assert tuple(on for on, _ in seen.watched) == watch
        assert dataclasses.replace(seen, watched=()).essence == plain.essence, watch
        assert re.sub(r"\d+", "", seen.stderr) == re.sub(r"\d+", "", plain.stderr)  # a profiler names its process


def test_the_programs_above_are_what_they_should_be(
    watched_and_not: dict[tuple[str, tuple[str, ...]], Observation],
) -> None:
    plain = {name: watched_and_not[name, ()] for name in PROGRAMS}
    assert "modified by an inplace operation" in str(plain["a changed saved tensor"].error)
    assert sum(run.status is Status.ERROR for run in plain.values()) > 3
    assert sum(bool(run.warnings) for run in plain.values()) > 2
    assert all(dict(watched_and_not[name, ALL].watched)["steps"] for name in PROGRAMS if "drawn" in name)


def test_torch_is_as_it_was_when_the_program_has_ended(runner: LocalRunner) -> None:
    for source in ("pass", "raise ValueError", "raise SystemExit(1)"):
        asks = (
            "torch.nn.Module._call_impl.__code__.co_filename",
            "torch.autograd._engine_run_backward.__code__.co_filename",
            "torch.utils.data.dataloader._BaseDataLoaderIter._next_index.__code__.co_filename",
            "len(__import__('sys').modules['torch.optim.optimizer']._global_optimizer_pre_hooks)",
        )
        *files, hooks = (asked.value for asked in see(runner, f"import torch\n{source}", *asks).asked)
        assert all(str(file).endswith(".py") for file in files)
        assert hooks == 1  # the rates


# ---------------------------------------------------------------- the registry, and what a child says


def test_each_observer_is_documented_and_the_shipped_ones_can_all_be_on() -> None:
    assert set(observers.SEAM.built_in()) == {"steps", "calls", "saved", "batches", "ops"}
    assert not observers.clash(observers.SEAM.built_in())
    with pytest.raises(ValueError, match="no observer `os`"):
        observers.named("os")


def test_two_that_patch_the_same_thing_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, named = observers.named("calls"), observers.named
    same = dataclasses.replace(observers.named("steps"), patches=calls.shares)
    sharing = dataclasses.replace(same, patches=(), shares=calls.shares)
    monkeypatch.setattr(observers, "named", lambda name: sharing if name == "steps" else named(name))
    assert observers.clash(ALL) == ""
    monkeypatch.setattr(observers, "named", lambda name: same if name == "steps" else named(name))
    assert observers.clash(ALL) == "`calls` and `steps` both patch `torch.nn.Module._call_impl`"
    with pytest.raises(ValueError, match="both patch"):
        observers.Watching(ALL)


STEP = {"rates": [0.1], "norm": 1.0, "missing": ["w"]}
SAID = {
    "no list": {"steps": [STEP]},
    "an unknown observer": [["os", []]],
    "no pair": [["steps"]],
    "an observer twice": [["steps", []], ["steps", []]],
    "too many records": [["steps", [STEP] * (observers.MOST + 1)]],
    "a field too many": [["steps", [STEP | {"more": 1}]]],
    "a field too few": [["steps", [{"rates": [0.1], "norm": 1.0}]]],
    "a text for a number": [["steps", [STEP | {"norm": "1"}]]],
    "a truth value for a number": [["steps", [STEP | {"norm": True}]]],
    "a number for a text": [["steps", [STEP | {"missing": [1]}]]],
    "a list too long": [["steps", [STEP | {"rates": [0.1] * (observers.MOST_PARTS + 1)}]]],
    "a dict for a list": [["steps", [STEP | {"rates": {}}]]],
    "a huge number": [["batches", [{"turn": 1 << 70, "indices": []}]]],
    "a list as a name": [[["steps"], []]],
}


@pytest.mark.parametrize("what", SAID)
def test_what_a_child_says_of_what_was_watched_is_read_strictly(what: str) -> None:
    seen = codec.encode(Observation(Status.OK))
    good = json.loads(json.dumps(seen | {"watched": [["steps", [STEP]]]}))
    program = Program("", watch=("steps", "batches"))
    assert dict(codec.decode_for(program, good).watched)["steps"][0] == observers.named("steps").record(
        rates=(0.1,), norm=1.0, missing=("w",)
    )
    with pytest.raises(ValueError):
        codec.decode_for(program, good | {"watched": SAID[what]})
    with pytest.raises(ValueError, match="not watched"):
        codec.decode_for(Program(""), good)


def test_a_text_of_a_record_is_cut_and_printable() -> None:
    said = [["steps", [STEP | {"missing": ["x" * 9999, "\ud800"]}]]]
    (_, (record,)) = observers.read(said)[0]
    assert [len(name) for name in record.missing] == [observers.LONGEST_TEXT, 1]  # type: ignore[attr-defined]
    record.missing[1].encode()  # type: ignore[attr-defined]


def test_what_is_watched_is_part_of_what_is_remembered() -> None:
    keys = {cached._key(Program("pass", (), 1, watch=watch)) for watch in ((), ("steps",), ALL)}
    assert len(keys) == 3
    seen = Observation(Status.OK, watched=observers.read([["steps", [STEP]]]))
    assert codec.decode(json.loads(json.dumps(codec.encode(seen)))) == seen
