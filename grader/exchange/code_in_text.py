"""Where the code of a question stands: in a field, in a fence, inline, or bare in the sentence. It is only parsed."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 8_000
MOST_TRIES = 400
"""Pieces of a sentence that are tried as Python."""

FENCED = re.compile(r"^(`{3,}|~{3,})[ \t]*\{?\.?([\w+-]*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)[ ]?(.+?)[ ]?(?<!`)\1(?!`)", re.DOTALL)
OTHERS = ("output", "text", "console", "bash", "sh", "shell", "json", "yaml", "html", "rust", "java", "c", "cpp", "js")
"""Languages of blocks that are no program."""

USUAL = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "optim": "from torch import optim",
    "np": "import numpy as np",
    "math": "import math",
    "DataLoader": "from torch.utils.data import DataLoader",
    "TensorDataset": "from torch.utils.data import TensorDataset",
    "Dataset": "from torch.utils.data import Dataset",
    "lr_scheduler": "from torch.optim import lr_scheduler",
}
"""Names that everybody imports in the same way, and whose import published snippets leave out."""


@dataclass(frozen=True, slots=True)
class Code:
    """The program of a question, and its stem without the blocks that were taken out."""

    program: str
    stem: str
    inline: tuple[str, ...] = ()
    """Other code in the stem, as it is marked."""
    where: str = ""
    """`field`, `fence`, `inline`, `bare`; empty where there is no program."""


def find(stem: str, field: str = "") -> Code:
    """The code of a question whose stem is Markdown; `field` is code that has a place of its own in the file."""
    blocks = [found for found in FENCED.finditer(stem) if _is_python(found[2].lower(), found[3])]
    outside = FENCED.sub("", stem)
    inline = tuple(found[2].strip() for found in INLINE.finditer(outside))
    if field.strip():
        return Code(_dedented(field), stem.strip(), inline, "field")
    sources = [_dedented(found[3]) for found in blocks]
    program = "\n".join(source for source in sources if source.strip())
    if program:
        for found in reversed(blocks):
            stem = stem[: found.start()] + stem[found.end() :]
        return Code(program, re.sub(r"\n{3,}", "\n\n", stem).strip(), inline, "fence")
    if indented := _indented(stem):
        return Code(*indented, inline, "fence")
    statements = [text for text in inline if is_program(text)]
    if statements:
        return Code("\n".join(statements), stem.strip(), inline, "inline")
    bare = _bare(outside) if not any(map(is_expression, inline)) else ""
    return Code(bare, stem.strip(), inline, "bare" if bare else "")


def _is_python(language: str, source: str) -> bool:
    """Whether a block is a program: it says so, or says nothing and is Python."""
    if language:
        return language not in OTHERS
    return tree(_dedented(source)) is not None


def leaves_out(source: str) -> bool:
    """Whether lines of a program are left out: `...` stands there."""
    parsed = tree(source)
    dots = (node for node in parsed.body if isinstance(node, ast.Expr)) if parsed else ()
    return any(isinstance(node.value, ast.Constant) and node.value.value is ... for node in dots)


def _dedented(source: str) -> str:
    """Code without what all lines are indented by, and without the prompts and outputs of a console."""
    import textwrap

    source = textwrap.dedent(source.replace("\t", "    ")).strip("\n")
    lines = source.split("\n")
    if any(line.startswith((">>> ", ">>>")) for line in lines):
        lines = [line[4:] for line in lines if line.startswith((">>> ", "... ")) or line in (">>>", "...")]
    elif any(re.match(r"In \[\d*\]: ", line) for line in lines):
        lines = [re.sub(r"^(?:In \[\d*\]|\s+\.\.\.): ?", "", line) for line in lines if not line.startswith("Out[")]
    lines = [line for line in lines if not re.match(r"[%!]\w", line)]  # of a notebook, and no Python
    return "\n".join(lines).strip("\n")


def _indented(stem: str) -> tuple[str, str] | None:
    """A block that is indented by four spaces after an empty line, as Markdown has it, and the rest."""
    lines = stem.split("\n")
    start = next(
        (n for n, line in enumerate(lines) if n and line.startswith("    ") and not lines[n - 1].strip()), None
    )
    if start is None:
        return None
    end = start
    while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
        end += 1
    source = _dedented("\n".join(lines[start:end]))
    parsed = tree(source)
    if parsed is None or not any(_is_code(node) for node in parsed.body):
        return None
    return source, "\n".join([*lines[:start], *lines[end:]]).strip()


def _bare(text: str) -> str:
    """The longest piece of a sentence, or its last lines, that is code for certain."""
    text = INLINE.sub(" ", text)[:LONGEST]
    lines = text.split("\n")
    for start in range(len(lines)):
        source = _dedented("\n".join(lines[start:]))
        if source.strip() and _is_certain(source):
            return source
    tries = 0
    for line in lines:
        for first in re.finditer(r"(?<![\w.\"'])(?=[A-Za-z_(\[])", line):
            ends = [m.end() for m in re.finditer(r"[\])\"'}]|\w(?=\W|$)", line) if m.end() > first.start() + 3]
            for end in reversed(ends):
                piece = line[first.start() : end]
                tries += 1
                if tries > MOST_TRIES:
                    return ""
                if _is_certain(piece):
                    return piece.replace("; ", "\n") if ";" in piece else piece
    return ""


def _is_certain(source: str) -> bool:
    """Whether a text is code, and nothing that a sentence could be: it calls, assigns, indexes or prints something."""
    if not re.search(r"[(\[=]", source):
        return False
    parsed = tree(source)
    return (
        parsed is not None
        and bool(parsed.body)
        and any(map(_is_code, parsed.body))
        and all(map(_may_be_code, parsed.body))
    )


def _is_code(node: ast.stmt) -> bool:
    calls = any(isinstance(one, ast.Call) for one in ast.walk(node))
    return calls or isinstance(
        node, ast.Assign | ast.AugAssign | ast.Import | ast.ImportFrom | ast.For | ast.FunctionDef
    )


def _may_be_code(node: ast.stmt) -> bool:
    """Not a word of a sentence, such as `result` or `x, y`; a call names a function and not an English word."""
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Name | ast.Constant | ast.Tuple):
            return False
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            name = node.value.func.id
            return name in vars(builtins) or name in USUAL or len(node.value.args) != 1 or "_" in name
    return True


def tree(source: str) -> ast.Module | None:
    """The syntax tree of a text; None where it is no Python or too long to look at."""
    if len(source) > LONGEST or source.count("(") + source.count("[") > 1_000:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_program(text: str) -> bool:
    """Whether inline code is statements: it prints, or assigns something."""
    parsed = tree(text)
    return parsed is not None and any(
        isinstance(node, ast.Assign | ast.AugAssign | ast.Import | ast.ImportFrom | ast.For)
        or (isinstance(node, ast.Expr) and _prints(node.value))
        for node in parsed.body
    )


def is_expression(text: str) -> bool:
    """Whether inline code is an expression that computes something: a call, arithmetic, an index."""
    parsed = tree(text.strip())
    if parsed is None or len(parsed.body) != 1 or not isinstance(parsed.body[0], ast.Expr):
        return False
    value = parsed.body[0].value
    return any(isinstance(one, ast.Call | ast.BinOp | ast.Subscript | ast.Compare) for one in ast.walk(value))


def _prints(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("print", "display")


def prints(source: str) -> bool:
    """Whether a program prints, as far as can be seen."""
    parsed = tree(source)
    if parsed is None:
        return bool(re.search(r"\bprint\s*\(", source))
    return any(isinstance(node, ast.expr) and _prints(node) for node in ast.walk(parsed))


def last_expression(source: str) -> str | None:
    """The expression that a program ends with, where it is no call of `print`."""
    parsed = tree(source)
    if parsed is None or not parsed.body or not isinstance(parsed.body[-1], ast.Expr):
        return None
    value = parsed.body[-1].value
    if _prints(value) or (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return None
    return ast.get_source_segment(source, value)


def names(source: str) -> set[str]:
    """The names that a program uses, bound in it or not."""
    parsed = tree(source)
    return {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)} if parsed else set()


def bound(source: str) -> set[str]:
    """The names that a program assigns, imports or defines."""
    parsed = tree(source)
    found: set[str] = set()
    for node in ast.walk(parsed) if parsed else ():
        match node:
            case (
                ast.Name(id=name, ctx=ast.Store())
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.arg(arg=name)
            ):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found |= {(one.asname or one.name).partition(".")[0] for one in aliases}
    return found


def unbound(source: str) -> list[str]:
    """The names that a program uses and nothing in it, in Python or in PyTorch's usual imports gives, in order."""
    known = bound(source) | set(vars(builtins)) | set(USUAL) | {"__name__"}
    return sorted(names(source) - known)


def imports(source: str) -> list[str]:
    """The usual imports that a program leaves out."""
    missing = names(source) - bound(source)
    return [line for name, line in USUAL.items() if name in missing]


def dotted(text: str) -> Iterator[str]:
    """Dotted names of PyTorch in a text, in full: `nn.Linear` is `torch.nn.Linear`."""
    full = {
        "nn": "torch.nn",
        "F": "torch.nn.functional",
        "optim": "torch.optim",
        "lr_scheduler": "torch.optim.lr_scheduler",
    }
    for found in re.finditer(r"(?<![\w.])(torch|nn|F|optim|lr_scheduler)((?:\.[A-Za-z_]\w*)+)", text):
        if not text[found.end() :].startswith((".com", ".org")):
            yield re.sub(r"^torch\.tensor\.", "torch.Tensor.", full.get(found[1], "torch") + found[2])
