"""What an author does next where a program raised, a name is missing, or two runs differ."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Sequence

from grader.errors import did_you_mean
from grader.judging.bodies import Written
from grader.model import Item, Observation, Raised
from grader.template import brief, show

NETWORK = ("programs have no network", "write the data into the program or its setup; `uses: [digits]` has images")
PROCESSES = (
    "a program cannot start processes",
    "do the work in the program itself; a DataLoader takes `num_workers=0`",
)
WRITING = (
    "a program cannot write there",
    "write into the folder that it starts in, by a plain name such as `model.pt`",
)
CUDA = ("there is no CUDA here", "let the program use the CPU, which every learner has")
COMPILER = ("programs have no compiler", 'ask about something else; `torch.compile(..., backend="eager")` needs none')
FILES = ("a program sees no files but its own", "make the file in the program or its setup, by a plain name")
INPUT = ("nobody types while a program runs", "give the value as a parameter")
ELSE = ("the sandbox does not let a program do this", "it has no network, no processes, and only a folder of its own")

REFUSALS = (
    (r"not compiled with CUDA|No CUDA GPUs|NVIDIA driver", "", CUDA),
    (r"^(InductorError|BackendCompilerFailed|InvalidCxxCompiler)|Ninja is required|C\+\+ compiler", "", COMPILER),
    (r"^(URLError|HTTPError|gaierror|DistNetworkError|Connection\w*Error)|name resolution|server socket", "", NETWORK),
    (r"shared memory object|^OSError: \[Errno 30\] Read-only file system$", "", PROCESSES),
    (r"\[Errno 1\]", r"socket|connect|urlopen|request|http|download", NETWORK),
    (r"\[Errno 1\]", r"fork|exec|subprocess|run\(|Popen|Process|Pool|start\(|spawn|DataLoader", PROCESSES),
    (r"\[Errno 1\]|\[Errno 38\]", "", ELSE),
    (r"\[Errno 13\]|\[Errno 30\]|^RuntimeError: Parent directory /|open file failed with", "", WRITING),
    (r"^FileNotFoundError: .*'/", r"[\"'][wax]b?\+?[\"']", WRITING),
    (r"^FileNotFoundError: .*'/", "", FILES),
    (r"^EOFError: EOF when reading a line", "", INPUT),
)
"""What is raised where the sandbox refuses something, in which line, and what that means."""


def refusal(error: Raised) -> tuple[str, str] | None:
    """What the sandbox refused, and what to do instead; None for an error of the program's own."""
    if error.type == "ModuleNotFoundError" and (missing := re.search(r"No module named '([\w.]+)'", error.message)):
        if missing[1] == "helpers":
            return "this topic has no module `helpers`", "put it beside the quiz: `quizzes/TOPIC/helpers.py`"
        here = "torch, numpy and scikit-learn are there"
        return f"there is no package `{missing[1]}` here", f"do without it, or install it beside torch-grader; {here}"
    for raised, line, said in REFUSALS:
        if re.search(raised, str(error)) and re.search(line, error.code):
            return said
    return None


def of_raised(error: Raised) -> tuple[str, str]:
    """What is said of a program that raises, and the next step: never to expect what only the sandbox brings about."""
    where = f" in `{error.code}`" if error.code else ""
    if refused := refusal(error):
        return f"{refused[0]}: {brief(str(error), 200)}{where}", refused[1]
    return f"the program raises {error}{where}", f"fix the program, or say `raises: {error.type}`"


def of_raised_instead(error: Raised) -> str:
    """The next step where a program raises something else than its `raises` says."""
    refused = refusal(error)
    return f"{refused[0]}; {refused[1]}" if refused else f"write `raises: {error.type}`"


def of_names(item: Item, error: str, otherwise: str) -> str:
    """The next step where an expression has a name that is not there: the parameters, and the nearest name."""
    missing = re.search(r"NameError: name '(\w+)' is not defined", error)
    if missing is None:
        return otherwise
    parameters = [name for name, _ in item.variants[0].values]
    near = did_you_mean(missing[1], [*parameters, *_assigned(item.program), "run"])
    listed = f"the parameters are {', '.join(f'`{name}`' for name in parameters)}" if parameters else otherwise
    return "; ".join(filter(None, [listed, near]))


def _assigned(program: str) -> list[str]:
    """The names that a program assigns or imports, as far as it can be read."""
    return re.findall(r"^\s*(?:def |class |for |import )?(\w+)(?=\s*=[^=]|\(| in |$)", program, re.MULTILINE)


def forgotten_place(item: Item, place: str) -> str | None:
    """A name that the answer defines, and that the program uses before it, as it has no place for the answer."""
    body = item.body
    if not isinstance(body, Written) or place in item.program or "...1..." in item.program:
        return None
    try:
        answer, program = ast.parse("\n".join(body.reference)), ast.parse(item.program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    defined = {node.name for node in answer.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = [node.id for node in ast.walk(program) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return next((name for name in names if name in defined), None)


def difference(asks: Sequence[str], one: Observation, other: Observation) -> str:
    """What differs between two runs of a program, both sides."""
    for text, mine, its in zip(asks, one.asked, other.asked, strict=False):
        if repr(mine) != repr(its):
            sides = [brief(asked.error or show(asked.value)) for asked in (mine, its)]
            named = "what is observed" if text.startswith("[") and "run.se" in text else f"`{brief(text)}`"
            return _sides(f"{named} is", *(sides if sides[0] != sides[1] else (repr(mine.value), repr(its.value))))
    if str(one.error) != str(other.error):
        return _sides("what it raised is", str(one.error or "nothing"), str(other.error or "nothing"))
    lines = itertools.zip_longest(one.stdout.splitlines(), other.stdout.splitlines(), fillvalue="nothing")
    for mine_line, its_line in lines:
        if mine_line != its_line:
            return _sides("it printed", f"`{brief(mine_line)}`", f"`{brief(its_line)}`")
    for name, mine_rows, its_rows in (
        ("the rates used are", one.lr_used, other.lr_used), ("the losses are", one.losses, other.losses),
    ):  # fmt: skip
        if repr(mine_rows) != repr(its_rows):
            return _sides(name, brief(show(list(mine_rows))), brief(show(list(its_rows))))
    warned = [run.warnings[0].message if run.warnings else "nothing" for run in (one, other)]
    return _sides("what it warned of is", *(brief(text) for text in warned))


def _sides(what: str, one: str, other: str) -> str:
    return f"{what} {one} in one and {other} in the other"
