"""The knobs of a training run: settings, the program that they stand for, and what that program measures.

The program is text that a learner can read and copy. What is shown is what this text does: `losses` runs it as it is,
`rates` runs its lines on optimizer and scheduler without the training. Nothing here imports torch before it must.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from grader import charts
from grader.errors import GraderError, InputError, did_you_mean
from grader.model import Chart, Curve, Program, Status
from grader.run import Runner
from grader.template import plural, show

WIDTH = 76
"""No line of a program is longer."""

LIBRARIES = ("sklearn.datasets",)
"""What a runner should load ahead, so that a run is quick."""

BASE_LR, EPOCHS = (0.0001, 10.0), (5, 60)
"""The lowest and the highest value of two knobs."""


@dataclass(frozen=True, slots=True)
class Knob:
    """The main argument of a scheduler: its name, its range, the step of its slider, and what it counts.

    `start` says where it stands by default, given how many epochs follow the warmup.
    """

    name: str
    low: float
    high: float
    step: float
    start: Callable[[int], float]
    unit: str = ""

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.step == 1


@dataclass(frozen=True, slots=True)
class Scheduler:
    """One scheduler that can be chosen: its class, how it is built, its own knob, and one line on what it does."""

    label: str
    call: str
    """Fields in braces are filled in: `value` (of its own knob) and those of `_schedule`."""
    does: str
    knob: Knob | None = None

    @property
    def class_(self) -> str:
        return self.call.partition("(")[0]


def _third(span: int) -> int:
    return max(1, span // 3)


SCHEDULERS = {
    "constant": Scheduler(
        "constant", "ConstantLR(optimizer, factor=1.0)", "Keeps the base rate."
    ),
    "step": Scheduler(
        "StepLR", "StepLR(optimizer, step_size={value}, gamma=0.1)", "Multiplies the rate by 0.1 at equal distances.",
        Knob("step_size", 1, 60, 1, _third, "epoch"),
    ),
    "multistep": Scheduler(
        "MultiStepLR", "MultiStepLR(\noptimizer, milestones={milestones}, gamma={value}\n)",
        "Multiplies the rate by gamma at half and at three quarters of what follows the warmup.",
        Knob("gamma", 0.05, 1, 0.05, lambda _: 0.1),
    ),
    "exponential": Scheduler(
        "ExponentialLR", "ExponentialLR(optimizer, gamma={value})", "Multiplies the rate by gamma after each epoch.",
        Knob("gamma", 0.5, 1, 0.01, lambda _: 0.9),
    ),
    "cosine": Scheduler(
        "CosineAnnealingLR", "CosineAnnealingLR(optimizer, T_max={value})",
        "Falls to 0 within T_max epochs, along a cosine, and rises again after them.",
        Knob("T_max", 1, 60, 1, lambda span: span, "epoch"),
    ),
    "linear": Scheduler(
        "LinearLR", "LinearLR(\noptimizer, start_factor=1.0, end_factor={value},\ntotal_iters={span}\n)",
        "Goes in a straight line from the base rate to end_factor times that.",
        Knob("end_factor", 0, 1, 0.05, lambda _: 0.0),
    ),
    "onecycle": Scheduler(
        "OneCycleLR",
        "OneCycleLR(\noptimizer, max_lr={base_lr}, total_steps={epochs},\npct_start={rise}, div_factor={value},\n"
        "cycle_momentum=False\n)",
        "Has a warmup of its own: rises from the base rate divided by div_factor, then falls to almost 0.",
        Knob("div_factor", 1, 100, 1, lambda _: 25),
    ),
    "restarts": Scheduler(
        "CosineAnnealingWarmRestarts", "CosineAnnealingWarmRestarts(optimizer, T_0={value})",
        "Falls along a cosine for T_0 epochs, then starts again at the base rate.",
        Knob("T_0", 1, 60, 1, _third, "epoch"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the knobs stand: rates without a unit, lengths in epochs.

    `warmup` is the number of epochs below the base rate, at most half of all. `own` is the value of the scheduler's own
    knob; None lets it follow the other ones (`value` says what it is then). Raises InputError for what is outside.
    """

    scheduler: str = "cosine"
    base_lr: float = 0.1
    warmup: int = 5
    epochs: int = 30
    own: float | None = None

    def __post_init__(self) -> None:
        if self.scheduler not in SCHEDULERS:
            known = ", ".join(SCHEDULERS)
            raise InputError(
                f"there is no scheduler `{self.scheduler}`; there are {known}",
                did_you_mean(str(self.scheduler), SCHEDULERS),
            )
        _check("base_lr", self.base_lr, *BASE_LR)
        _check("epochs", self.epochs, *EPOCHS, whole=True)
        _check("warmup", self.warmup, 0, self.epochs // 2, whole=True, why=f" (half of the {self.epochs} epochs)")
        object.__setattr__(self, "base_lr", float(self.base_lr))
        if self.own is None:
            return
        if (knob := self.knob) is None:
            raise InputError(f"the scheduler `{self.scheduler}` has no knob of its own, but own={self.own!r} was given")
        _check(f"own ({knob.name})", self.own, knob.low, knob.high, whole=knob.whole)
        object.__setattr__(self, "own", int(self.own) if knob.whole else float(self.own))

    @property
    def knob(self) -> Knob | None:
        """The scheduler's own knob."""
        return SCHEDULERS[self.scheduler].knob

    @property
    def span(self) -> int:
        """The epochs that follow the warmup."""
        return self.epochs - self.warmup

    @property
    def value(self) -> float | None:
        """Where the scheduler's own knob stands; None where it has none."""
        if self.knob is None or self.own is not None:
            return self.own
        return self.knob.start(self.span)

    @property
    def data(self) -> dict[str, Any]:
        """The settings as plain data; `read` takes it back."""
        return asdict(self)

    def __str__(self) -> str:
        own = f", {self.knob.name} {show(self.value)}" if self.knob else ""
        warmup = f"warmup {self.warmup} {_counted('epoch', self.warmup)}" if self.warmup else "no warmup"
        label = SCHEDULERS[self.scheduler].label
        return f"{label}, base rate {show(self.base_lr)}, {warmup}, {self.epochs} epochs{own}"


def read(data: Mapping[str, Any]) -> Settings:
    """Settings from plain data. Raises InputError, also where a name is not known."""
    known = Settings.__slots__
    for name in data:
        if name not in known:
            raise InputError(f"there is no setting `{name}`", did_you_mean(str(name), known))
    return Settings(**data)


def _check(name: str, value: object, low: float, high: float, *, whole: bool = False, why: str = "") -> None:
    kind = "a whole number" if whole else "a number"
    right = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not right or not low <= float(str(value)) <= high:
        raise InputError(f"{name} is {kind} from {show(low)} to {show(high)}{why}, not {value!r}")


def _counted(noun: str, number: float) -> str:
    return noun if number == 1 else plural(noun)


# ------------------------------------------------------------ the program

_DATA = """\
import torch
from sklearn.datasets import load_digits
from torch import nn
{imports}

torch.manual_seed(0)
torch.set_num_threads(1)  # more threads would round otherwise
images, labels = map(torch.tensor, load_digits(return_X_y=True))
images = images.float() / 16
model = nn.Sequential(
    nn.Linear(64, 32), nn.LeakyReLU(),
    nn.Linear(32, 32), nn.LeakyReLU(),
    nn.Linear(32, 10),
)
"""

_LOOP = """
rates, losses = [], []
for epoch in range({epochs}):
    rates.append(scheduler.get_last_lr()[0])
    total = 0.0
    for batch in torch.randperm(len(images)).split(128):
        optimizer.zero_grad()
        guess = model(images[batch])
        loss = nn.functional.cross_entropy(guess, labels[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    scheduler.step()
    losses.append(total / len(images))
    print(f"epoch {{epoch + 1:2}}  rate {{rates[-1]:<8.3g}}  "
          f"loss {{losses[-1]:.3g}}")
"""

_WITHOUT_TRAINING = """\
import torch
from torch import nn
{imports}

model = nn.ParameterList([nn.Parameter(torch.zeros(1))])
"""

_STEPS_ALONE = """
rates = []
for epoch in range({epochs}):
    rates.append(scheduler.get_last_lr()[0])
    optimizer.step()
    scheduler.step()
"""

BATCHES = 15
"""Optimizer steps in an epoch of the program: 1797 images in batches of 128."""


def code(settings: Settings) -> str:
    """A complete program that trains with these settings; its lists `rates` and `losses` have an entry an epoch."""
    imports, schedule = _schedule(settings)
    return _DATA.format(imports=imports) + schedule + _LOOP.format(epochs=settings.epochs)


def _schedule(settings: Settings) -> tuple[str, str]:
    """The imports and the lines on optimizer and scheduler, which both programs share."""
    chosen = SCHEDULERS[settings.scheduler]
    warmup, span = settings.warmup, settings.span
    call = chosen.call.format(
        value=settings.value,
        base_lr=settings.base_lr,
        epochs=settings.epochs,
        span=span,
        milestones=[span // 2, span * 3 // 4],
        rise=f"{warmup + 1} / {settings.epochs}" if warmup else "0.0",
    )
    rise = f"LinearLR(optimizer, start_factor=1 / {warmup + 1}, total_iters={warmup})"
    lines = [_wrap(f"optimizer = torch.optim.SGD(\nmodel.parameters(), lr={settings.base_lr!r}, momentum=0.9\n)")]
    names = {chosen.class_}
    if not warmup or settings.scheduler == "onecycle":
        lines.append(_wrap(f"scheduler = {call}"))
    elif settings.scheduler == "constant":
        names = {"LinearLR"}
        lines.append(f"scheduler = {rise}")
    else:
        names |= {"LinearLR", "SequentialLR"}
        lines += [f"warmup = {rise}", _wrap(f"decay = {call}")]
        lines.append(f"scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[{warmup}])")
    return _imports(sorted(names)), "\n" + "\n".join(lines) + "\n"


def _wrap(call: str) -> str:
    """A call on one line where it fits, else over several, those between the brackets indented."""
    first, *rest, last = call.split("\n") if "\n" in call else (call, "")
    if len(line := f"{first}{' '.join(rest)}{last}") <= WIDTH:
        return line
    return "\n".join([first, *(f"    {line}" for line in rest), last])


def _imports(names: Sequence[str]) -> str:
    start = "from torch.optim.lr_scheduler import "
    if len(line := start + ", ".join(names)) <= WIDTH:
        return line
    return start + "(\n" + "".join(f"    {name},\n" for name in names) + ")"


# ------------------------------------------------------------ what it does


def rates(settings: Settings) -> tuple[float, ...]:
    """The rate of each epoch, as PyTorch gives it to an optimizer that trains nothing; takes milliseconds.

    Runs in this process, and leaves torch's settings and random numbers as they are.
    """
    imports, schedule = _schedule(settings)
    text = _WITHOUT_TRAINING.format(imports=imports) + schedule + _STEPS_ALONE.format(epochs=settings.epochs)
    names: dict[str, Any] = {}
    exec(compile(text, "<rates>", "exec"), names)  # noqa: S102  # our own text, filled with checked numbers
    return tuple(map(float, names["rates"]))


def program(settings: Settings) -> Program:
    """What `losses` runs: the text of `code`, and the lists that it fills."""
    return Program(code(settings), asks=("rates",))


def losses(settings: Settings, runner: Runner) -> tuple[float, ...]:
    """The mean loss of each epoch, from a run of `code`. Infinities and NaN are told as they are.

    Raises GraderError where the program could not be run to its end.
    """
    run = runner.submit(program(settings)).result()
    if run.status is not Status.OK or len(run.losses) != settings.epochs:
        why = run.note or (str(run.error) if run.error else str(run.status))
        raise GraderError(f"the training could not be run: {why}", "`grader doctor` says what works here")
    return run.losses


# ------------------------------------------------------------ to look at


def rate_chart(runs: Sequence[tuple[str, Sequence[float]]]) -> Chart:
    """The rates of runs, each with its name."""
    return Chart("The rate of each epoch", "epoch", "rate", _curves("rate", runs))


def loss_chart(runs: Sequence[tuple[str, Sequence[float]]]) -> Chart:
    """The losses of runs, each with its name; on a logarithmic axis, since they differ by powers of ten."""
    return Chart("The loss of each epoch", "epoch", "loss", _curves("loss", runs), log=True)


def _curves(only: str, runs: Sequence[tuple[str, Sequence[float]]]) -> tuple[Curve, ...]:
    return tuple(Curve(name if len(runs) > 1 else only, tuple(values)) for name, values in runs)


def describe(chart: Chart) -> str:
    """A chart in words, and which of its runs have diverged."""
    broken = [curve.name for curve in chart.curves if not math.isfinite(curve.values[-1])]
    if not broken:
        return charts.describe(chart)
    return (
        f"{charts.describe(chart)} Diverged: {', '.join(broken)}."
        if len(chart.curves) > 1
        else (f"{charts.describe(chart)} The run has diverged.")
    )
