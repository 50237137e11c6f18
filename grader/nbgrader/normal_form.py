"""A program without what cannot matter: names of its own are numbered, comments, docstrings and layout are gone.

Sources with equal normal forms behave alike, so one of them needs to be run. A program that may look at its own names
or text (`eval`, `locals`, `__name__`, ...) is its own normal form. Where in doubt a name stays.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REFLECTIVE = frozenset({
    "locals", "globals", "vars", "dir", "eval", "exec", "compile", "help", "breakpoint", "getattr_static",
    "get_type_hints", "sys", "inspect", "builtins", "gc", "importlib", "traceback", "linecache", "ast", "dis",
    "pickle", "marshal", "types", "typing_extensions", "symtable", "tokenize", "jit", "fx", "export", "dill",
    "cloudpickle", "warnings", "logging", "f_locals", "f_globals", "f_back", "f_code", "tb_frame", "tb_lineno",
    "get_ipython", "In", "Out", "multiprocessing", "runpy", "code", "codeop", "pdb", "doctest", "unittest",
})  # fmt: skip
"""Names whose use may let a program see its own names, lines or text."""

BY_PLACE = frozenset({"LambdaLR", "MultiplicativeLR", "map", "filter"})
"""What calls a function that it is given with arguments by place, never by name."""

NUMBERED = re.compile(r"n\d+")
"""How names look that were numbered."""

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python's own readers raise for what is no Python."""

_WORD = re.compile(r"[^\W\d]\w*")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def normalized(source: str, around: str | None = None) -> str:
    """A program that behaves as the source does, the same for sources that differ in own names and layout only.

    `around` is the text of what stands around the source where it is judged, with the names of all inputs: names that
    occur there stay. Without it, all names stay that could be seen from outside: those of the module, and parameters.
    What is no Python stays as it is.
    """
    try:
        tree = ast.parse(source)
        nodes = list(ast.walk(tree))
        if _is_reflective(nodes):
            return source
        names = _renamable(tree, nodes, source, around)
        tree = ast.fix_missing_locations(_Normal(names).visit(tree))
        text = ast.unparse(tree)
        return text if ast.dump(ast.parse(text)) == ast.dump(tree) else source
    except UNREADABLE:
        return source


def _is_reflective(nodes: Sequence[ast.AST]) -> bool:
    """Whether a program may see its own names or text."""
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                if name in REFLECTIVE or (_dunder(name) and name != "__init__"):
                    return True
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                modules = [*(alias.name for alias in aliases), getattr(node, "module", None) or ""]
                if any(part in REFLECTIVE or part == "*" for name in modules for part in name.split(".")):
                    return True
            case ast.Constant(value=str(text)) if any(_dunder(word) for word in _WORD.findall(text)):
                return True
            case ast.Call(func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"), args=[_, name, *_]):
                if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
                    return True
                if name.value in REFLECTIVE:
                    return True
            case _:
                pass
    return False


def _dunder(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _renamable(tree: ast.Module, nodes: Sequence[ast.AST], source: str, around: str | None) -> dict[str, str]:
    """New names for those that only the program itself can know, numbered as they come.

    A name is one spelling, whatever its scope: it is changed everywhere or nowhere.
    """
    seen = list(dict.fromkeys(_spelled(tree)))
    outside = set(_WORD.findall(around or ""))
    if any(NUMBERED.fullmatch(name) for name in (*seen, *outside)):
        return {}
    bound = _Bound(symtable.symtable(source, "<source>", "exec"))
    stuck = bound.stuck | set(dir(builtins)) | _stuck(nodes, around, bound.module)
    stuck |= bound.module if around is None else bound.module & outside
    free = [name for name in seen if name in bound.all and name not in stuck and not name.startswith("__")]
    return {name: f"n{number}" for number, name in enumerate(free, 1)}


def _spelled(node: ast.AST) -> Iterator[str]:
    """The names of a program in the order in which they stand in its tree."""
    yield from _own(node)
    for child in ast.iter_child_nodes(node):
        yield from _spelled(child)


def _own(node: ast.AST) -> Iterator[str]:
    """The name that a node has itself."""
    match node:
        case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.ClassDef(name=name) | ast.alias(asname=str(name)):
            yield name
        case _:
            pass


class _Bound:
    """Where names are bound: `module` those that others might see, `stuck` those that cannot be followed."""

    def __init__(self, table: symtable.SymbolTable) -> None:
        self.module: set[str] = set()
        self.all: set[str] = set()
        self.stuck: set[str] = set()
        self._outer: set[str] = set()
        self._look(table)
        self.stuck |= self._outer - self.module

    def _look(self, table: symtable.SymbolTable) -> None:
        kind = str(table.get_type())
        for symbol in table.get_symbols():
            name = symbol.get_name()
            binds = symbol.is_assigned() or symbol.is_imported() or symbol.is_parameter() or symbol.is_namespace()
            if kind == "class" and binds:
                self.stuck.add(name)  # it is an attribute as well
            if kind == "module" or symbol.is_global():
                (self.module if binds else self._outer).add(name)
            if binds:
                self.all.add(name)
        for child in table.get_children():
            self._look(child)


def _stuck(nodes: Sequence[ast.AST], around: str | None, module: Collection[str]) -> set[str]:
    """Names that something else than a name of the program speaks of, and parameters that a call may name."""
    found: set[str] = set()
    keywords = set(re.findall(r"(\w+)\s*=(?!=)", around or ""))
    every = False
    unseen = set(module) if around is None else set()  # what calls these is not known
    for node in nodes:
        match node:
            case ast.ExceptHandler(name=str()):
                return {name for one in nodes for name in _own(one)}  # messages of errors have names in them
            case ast.ClassDef(name=name):
                found.add(name)
                methods = [one for one in node.body if isinstance(one, _FUNCTIONS)]
                found |= {arg for method in methods for arg in _parameters(method.args)}
            case ast.alias(name=name, asname=None):
                found.add(name.partition(".")[0])
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
            case ast.keyword(arg=name):
                keywords |= {name} if name else set()
                every = every or name is None  # **values
            case _:
                pass
    called = _uses(nodes)
    for node in nodes:
        if isinstance(node, _FUNCTIONS):
            if node.name in called.others or node.decorator_list:
                found.add(node.name)  # it may be shown, with its name
            loose = not node.decorator_list and node.name not in called.others | unseen
        elif isinstance(node, ast.Lambda):
            loose = node in called.lambdas and called.lambdas[node] not in unseen
        else:
            continue
        own = set(_parameters(node.args))
        found |= own & keywords if loose and not every else own
    return found


def _parameters(arguments: ast.arguments) -> list[str]:
    several = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    return [one.arg for one in several if one]


@dataclass(slots=True)
class _Called:
    others: set[str]
    """Names of functions that are used otherwise than to be called, by the program or by what calls by place."""
    lambdas: dict[ast.Lambda, str]
    """Lambdas that are called by place, with the name that they have, or none."""


def _uses(nodes: Sequence[ast.AST]) -> _Called:
    """How functions are used."""
    by_place: set[ast.AST] = set()
    callees: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Call):
            callees.add(node.func)
            if _last(node.func) in BY_PLACE:
                by_place |= {*node.args, *(keyword.value for keyword in node.keywords)}
    loads = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    others = {node.id for node in loads if node not in callees and node not in by_place}
    lambdas = {one: "" for one in by_place | callees if isinstance(one, ast.Lambda)}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as value) if name not in others:
                lambdas[value] = name
            case _:
                pass
    return _Called(others, lambdas)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


class _Normal(ast.NodeTransformer):
    """Puts new names in, and leaves docstrings out."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def _new(self, name: str) -> str:
        return self._names.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self._new(node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        self.generic_visit(node)
        node.arg = self._new(node.arg)
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        node.asname = node.asname and self._new(node.asname)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        return self._block(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._block(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self._block(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self._block(node)

    def _block(self, node: Any) -> ast.AST:
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            empty: list[ast.stmt] = [] if isinstance(node, ast.Module) else [ast.Pass()]
            node.body = node.body[1:] or empty
        self.generic_visit(node)
        return node  # type: ignore[no-any-return]  # of three classes
