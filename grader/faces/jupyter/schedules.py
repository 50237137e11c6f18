"""The rates that a scheduler will give, without moving it."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from grader.errors import InputError


def rates(scheduler: object, steps: int) -> list[float]:
    """The rate of the first parameter group at each of the next steps. Neither scheduler nor optimizer is changed.

    Raises InputError where it is no scheduler, or one that has to be told a loss.
    """
    optimizer: Any = getattr(scheduler, "optimizer", None)
    if optimizer is None or not hasattr(scheduler, "step"):
        raise InputError(f"a {type(scheduler).__name__} is not a scheduler", "give one of torch.optim.lr_scheduler")
    if type(steps) is not int or not 1 <= steps <= 10_000:
        raise InputError(f"{steps!r} is not a number of steps", "give one from 1 to 10,000")
    ahead: Any = copy.deepcopy(scheduler)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the optimizer does not step here, and PyTorch would say so
        for _ in range(steps):
            found.append(float(ahead.optimizer.param_groups[0]["lr"]))
            try:
                ahead.step()
            except TypeError:
                hint = "train with it, and compare the rates that it gave, as a list"
                raise InputError(f"{type(scheduler).__name__} has to be told a loss at each step", hint) from None
            except ValueError as error:  # OneCycleLR is over
                raise InputError(f"after {len(found)} steps: {error}", "give fewer `steps`") from None
    return found
