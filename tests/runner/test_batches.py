"""Programs that share a process: each comes out as if it had been run alone, whatever the others leave behind."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from grader.model import Limits, Observation, Program, Status
from grader.runner.batches import submit_all
from grader.runner.local import LocalRunner

LIMITS = Limits(cpu_seconds=4)
RATES = """import torch
weight = torch.nn.Parameter(torch.zeros(2))
optimizer = torch.optim.SGD([weight], lr={rate})
optimizer.step()
print("rate", {rate})
"""
SEVENTH = "import torch\nprint(torch.tensor(1.0) / 7, (1.0).hex(), min(3, 4))\n"

LEFT_BEHIND = {
    "a default type": "import torch\ntorch.set_default_dtype(torch.float64)",
    "a patched optimizer": "import torch\ntorch.optim.SGD.step = lambda self: print('patched')",
    "a patched builtin": "import builtins\nbuiltins.min = max",
    "print options": "import torch\ntorch.set_printoptions(precision=2)",
    "no gradients": "import torch\ntorch.set_grad_enabled(False)",
    "a file in its folder": "open('here', 'w').write('x')\nprint(__import__('os').listdir())",
    "an endless loop": "while True:\n    pass",
    "its own end": "import os\nos._exit(0)",
    "an exception": "raise ValueError('no')",
    "words on standard error": "import sys\nprint('oops', file=sys.stderr)",
    "words below Python": "import os\nos.write(1, b'below')",
    "a warning": "import warnings\nwarnings.warn('careful')",
    "chance": "import torch\nprint(torch.rand(1).item())",
    "a name": "leaked = 1",
}


def facts(run: Observation) -> tuple[object, ...]:
    return run.essence, run.stdout, run.stderr, run.status, bool(run.note)


@pytest.mark.parametrize(
    "what",
    [pytest.param(what, marks=pytest.mark.slow) if what == "an endless loop" else what for what in LEFT_BEHIND],
)
def test_each_comes_out_as_alone(what: str, runner: LocalRunner) -> None:
    """The program that leaves something behind stands first, in the middle and last."""
    bad, ask = LEFT_BEHIND[what], ("run.lr_used", "'leaked' in globals()", "torch.zeros(1).dtype.itemsize")
    sources = [
        bad,
        *(f"{bad}\n# {number}" for number in range(6)),
        RATES.format(rate=0.1),
        SEVENTH,
        bad + "\n#",
        RATES.format(rate=0.2),
        SEVENTH + "#",
        bad + "\n##",
    ]
    programs = [Program(source, ask, seed, LIMITS) for source in sources for seed in (1, 2)]
    if what == "an endless loop":
        programs = [programs[0], *programs[14:18]]
    together = [future.result() for future in runner.submit_all(programs)]
    alone = [future.result() for future in [runner.submit(program) for program in programs]]
    assert [facts(run) for run in together] == [facts(run) for run in alone]


def test_they_share_processes(runner: LocalRunner) -> None:
    """Where nothing is left behind, a batch is two children, however many programs there are."""
    children: list[Program] = []

    def submit(program: Program) -> Future[Observation]:
        children.append(program)
        return runner.submit(program)

    programs = [Program(RATES.format(rate=number / 8), ("run.lr_used",), 1) for number in range(20)]
    seen = [future.result() for future in submit_all(submit, programs)]
    assert [run.asked[0].value for run in seen] == [[number / 8] for number in range(20)]
    assert len(children) == 2
    dtype = Program(LEFT_BEHIND["a default type"], (), 1)
    assert submit_all(submit, [*programs, dtype])[0].result().essence == seen[0].essence
    assert len(children) == 2 + 2 + 21


def test_cases_of_parts_come_back_in_order(runner: LocalRunner) -> None:
    programs = [
        Program("print(x)", ("x",), 1, cases=tuple(f"x = {number} + {extra}\n" for extra in range(3)))
        for number in (10, 20)
    ]
    seen = [future.result() for future in runner.submit_all(programs)]
    assert [[case.asked[0].value for case in run.cases] for run in seen] == [[10, 11, 12], [20, 21, 22]]


def test_nothing_hangs_when_the_runner_is_closed() -> None:
    runner = LocalRunner()
    futures = runner.submit_all([Program("import time\ntime.sleep(9)", (), seed) for seed in (1, 2)])
    runner.close()
    assert {future.result(5).status for future in futures} == {Status.NOT_RUN}
