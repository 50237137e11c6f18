"""What PyTorch's and Python's errors usually mean in a learner's program. Each was seen in a run of torch 2.13."""

from __future__ import annotations

import re

MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("NameError", r"name '(\w+)' is not defined", "Nothing is called `{0}` at that point: look for a typing error, or for a line that comes too late."),
    ("UnboundLocalError", r"variable '(\w+)'", "`{0}` is used before the line that gives it a value. A name that is assigned anywhere in a function is local in all of it."),
    ("TypeError", r"(\w+)\(\) takes (\d+) positional arguments? but (\d+) w", "`{0}` was called with {2} arguments and is written for {1}. A scheduler calls a factor function with the epoch alone."),
    ("TypeError", r"missing 1 required positional argument: 'metrics'", "`ReduceLROnPlateau.step` needs the number that it watches, such as the validation loss."),
    ("TypeError", r"__init__\(\) missing \d+ required positional arguments?: '(\w+)'", "A class is built here without `{0}`; compare the names and the order of its parameters."),
    ("TypeError", r"(\w+)\(\) missing \d+ required positional arguments?: '(\w+)'", "`{0}` was called without `{1}`. A scheduler calls a factor function with the epoch alone."),
    ("TypeError", r"unexpected keyword argument '(\w+)'", "There is no parameter called `{0}`; compare the names with those of PyTorch's documentation."),
    ("TypeError", r"unsupported operand type\(s\) for .*'NoneType'", "One side of the calculation is None. A function without `return` gives None."),
    ("TypeError", r"'NoneType' object is not callable", "None was called like a function. A function that should return a function may have no `return`."),
    ("TypeError", r"'(\w+)' object is not callable", "A `{0}` was called like a function: pass the function itself, without calling it first."),
    ("TypeError", r"can't multiply sequence by non-int|unsupported operand type\(s\) for \*: '\w+' and 'function'", "A rate was multiplied by something that is no number; a scheduler needs one number from each call."),
    ("TypeError", r"is not an Optimizer", "A scheduler takes the optimizer first, not the model or its parameters."),
    ("TypeError", r"optimizer should be an|params argument given to the optimizer", "An optimizer takes a list of parameters, such as `model.parameters()`."),
    ("AttributeError", r"module 'torch\.optim(?:\.lr_scheduler)?' has no attribute '(\w+)'", "There is no `{0}` in that module; schedulers live in `torch.optim.lr_scheduler`, optimizers in `torch.optim`."),
    ("AttributeError", r"'NoneType' object has no attribute '(\w+)'", "Something is None where an object with `{0}` was expected; a function without `return` gives None."),
    ("AttributeError", r"'(\w+)' object has no attribute '(\w+)'", "A `{0}` has no `{1}`: look for a typing error, or for another object in its place."),
    ("ZeroDivisionError", r".*", "Something was divided by zero; a warmup over 0 epochs, or a count that starts at 0, is the usual way there."),
    ("IndexError", r"list index out of range", "A list was asked for an entry that it does not have; entries count from 0, so the last is `len - 1`."),
    ("KeyError", r"'initial_lr'|param 'initial_lr' is not specified", "This scheduler was given a `last_epoch` other than -1, so it expects rates that an earlier one left in the optimizer. (In `LambdaLR` that is the argument after the functions; several functions go into one list.)"),
    ("RuntimeError", r"element 0 of tensors does not require grad", "Nothing in the loss depends on a parameter that requires a gradient, so there is nothing to go back through."),
    ("RuntimeError", r"grad can be implicitly created only for scalar outputs", "`backward()` needs one number; take the mean or the sum of the losses first."),
    ("RuntimeError", r"backward through the graph a second time", "The same graph was used by `backward()` twice; calculate the loss anew in each step."),
    ("RuntimeError", r"mat1 and mat2 shapes cannot be multiplied", "The input has not as many features as the layer expects."),
    ("ValueError", r"optimizer got an empty parameter list", "The model had no parameters, or the generator of its parameters was used up before."),
    ("ValueError", r"Expected positive integer total_steps|You must define either total_steps", "OneCycleLR must know how long the cycle is: `total_steps`, or `epochs` and `steps_per_epoch`."),
    ("ValueError", r"Tried to step \d+ times\. The specified number of total steps is (\d+)", "OneCycleLR was made for {0} steps and refuses to go on."),
    ("ValueError", r"Expected (\d+) lr_lambdas, but got (\d+)", "A list of factor functions needs one for each parameter group: {0}, and not {1}."),
    ("ValueError", r"Sequential Schedulers expects number of schedulers", "`SequentialLR` needs one milestone between two schedulers: for two schedulers a list of one."),
    ("EOFError", r"EOF when reading a line", "Your code was waiting and did not go on: `input()` waits for somebody to type, and nobody does here."),
    ("RecursionError", r".*", "A function calls itself without end; a function that wraps another must keep the old one under another name."),
)  # fmt: skip
"""Type, a pattern in the message, and the meaning with the pattern's groups put in."""


def meaning(kind: str, message: str) -> str:
    """What an error usually means; empty where nothing is known of it."""
    for known, pattern, text in MEANINGS:
        if kind == known and (found := re.search(pattern, message[:500])):
            return text.format(*found.groups())
    return ""
