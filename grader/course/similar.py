"""Which programs of a class are the same but for names and layout, and which are so alike that a person should look.

`normalized` is a program that does what its source does: names of its own are numbered, comments, docstrings and layout
are gone. Sources with equal normal forms behave alike, so one of them needs to be run. A program that may look at its
own names or text (`eval`, `locals`, `__name__`, ...) is its own normal form. Where in doubt a name stays.

`clusters` compares the answers of a class. What it finds is a hint and not a verdict: students may have worked together
as they were asked to, or have read the same page.
"""

from __future__ import annotations

import ast
import builtins
import io
import itertools
import math
import re
import symtable
import tokenize
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GRAM = 5
"""Tokens that are compared at a time, as in winnowing (Schleimer, Wilkerson, Aiken 2003): a moved or inserted
statement changes only the grams at its ends."""

LONG_ENOUGH = 30
"""Tokens that an answer must have beyond the starter; below that, two people who think alike write the same."""

NEAR = 0.9
"""The share of common grams from which on answers count as near. In the class of training loops of 170 tokens that
tests/test_similar.py makes, copies with other names, comments and one statement more are at 0.91 and above; of those
that were put together apart, less than one pair in 1,000 is, and differs in a detail (median 0.37, 99 % below 0.73)."""

COMMON = 0.1
"""The share of a class from which on an answer, a gram or a word is what anyone would write."""

FEW = 3
"""So many students may share a thing in any class without its being common."""

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

_NUMBERED = re.compile(r"n\d+")
_WORD = re.compile(r"[^\W\d]\w*")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


# ---------------------------------------------------------------- normal forms


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
    except _UNREADABLE:
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
    if any(_NUMBERED.fullmatch(name) for name in (*seen, *outside)):
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


# ---------------------------------------------------------------- who wrote alike


@dataclass(frozen=True, slots=True)
class Alike:
    """What a cluster has in common in one item."""

    item: str
    least: float
    """The lowest similarity of two answers that were joined: the share of grams that both have, 1.0 for equal ones."""
    most: float
    equal: bool
    """Whether all are equal but for names, layout and comments."""
    rare: tuple[str, ...] = ()
    """Words of names, comments and texts that all of them have, and few others."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Students whose answers are alike, in items whose answers are long enough to differ."""

    students: tuple[str, ...]
    items: tuple[Alike, ...]
    weight: float
    """How unlikely that is, by length and rarity: for the order of a list, and comparable within one class only."""


@dataclass(frozen=True, slots=True)
class _Answer:
    form: str
    grams: frozenset[tuple[str, ...]]
    length: int
    words: frozenset[str]


def clusters(
    answers: Mapping[str, Mapping[str, str]],
    starters: Mapping[str, str] | None = None,
    expected: Mapping[str, Collection[str]] | None = None,
    around: Mapping[str, str] | None = None,
) -> list[Cluster]:
    """Groups of students whose programs are equal or near, the most notable first.

    `answers` has the source of each item of each student. `starters` is what was released; `expected` what many are
    expected to write: the reference and known mistakes; `around` see `normalized`. Neither these nor short answers nor
    what a tenth of the class wrote makes a cluster.
    """
    found: dict[tuple[str, ...], list[tuple[Alike, float]]] = defaultdict(list)
    for item in sorted({item for given in answers.values() for item in given}):
        sources = {student: given[item] for student, given in answers.items() if item in given}
        starter, known = (starters or {}).get(item, ""), (expected or {}).get(item, ())
        for students, alike, weight in _alike(item, sources, starter, known, (around or {}).get(item)):
            found[students].append((alike, weight))
    made = [
        Cluster(students, tuple(alike for alike, _ in of), round(sum(weight for _, weight in of), 1))
        for students, of in found.items()
    ]
    return sorted(made, key=lambda one: (-one.weight, one.students))


def _alike(
    item: str, sources: Mapping[str, str], starter: str, known: Collection[str], around: str | None
) -> Iterator[tuple[tuple[str, ...], Alike, float]]:
    """The groups of one item, with their weights."""
    given = _answer(starter, around)
    usual = [_answer(source, around) for source in (starter, *known)]
    all_of = {student: _answer(source, around) for student, source in sources.items()}
    crowd = max(FEW, COMMON * len(all_of))
    forms = Counter(answer.form for answer in all_of.values())
    grams = Counter(gram for answer in all_of.values() for gram in answer.grams)
    words = Counter(word for answer in all_of.values() for word in answer.words)
    usual_words = frozenset[str]().union(*(one.words for one in usual))
    telling = {
        student: answer
        for student, answer in all_of.items()
        if answer.length - given.length >= LONG_ENOUGH
        and forms[answer.form] <= crowd
        and "\n" in answer.form
        and not any(_similarity(answer, one) >= NEAR for one in usual)
    }
    pairs = dict(_pairs(telling, grams, crowd))
    neighbors = Counter(student for pair in pairs for student in pair)
    pairs = {pair: similarity for pair, similarity in pairs.items() if max(neighbors[one] for one in pair) <= crowd}
    for group in _connected(pairs):
        kept = [similarity for pair, similarity in pairs.items() if pair[0] in group]
        shared = frozenset.intersection(*(all_of[student].words for student in group)) - usual_words
        few = [word for word in shared if words[word] <= max(len(group), FEW)]
        rare = sorted(few, key=lambda word: (" " not in word, words[word], word))  # comments and texts say most
        own = frozenset.intersection(*(all_of[student].grams for student in group))
        weight = sum(math.log(len(all_of) / grams[gram]) for gram in own) + 2 * len(rare)
        equal = len({all_of[student].form for student in group}) == 1
        alike = Alike(item, round(min(kept), 2), round(max(kept), 2), equal, tuple(rare[:5]))
        yield tuple(sorted(group)), alike, weight


def _pairs(
    telling: Mapping[str, _Answer], grams: Mapping[tuple[str, ...], int], crowd: float
) -> Iterator[tuple[tuple[str, str], float]]:
    """Pairs of students that are near, with how near, if they share a gram that is not common.

    Two sets of which so large a share is common must both have the rarest gram that they share among the rarest few of
    their own (prefix filtering, Bayardo, Ma, Srikant 2007), so only those pairs are compared that do.
    """
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for student, answer in telling.items():
        rarest = sorted(answer.grams, key=lambda gram: (grams[gram], gram))
        for gram in rarest[: len(rarest) - math.ceil(NEAR * len(rarest)) + 1]:
            if grams[gram] <= crowd:
                holders[gram].append(student)
    meeting = {pair for several in holders.values() for pair in itertools.combinations(sorted(several), 2)}
    for one, other in sorted(meeting):
        similarity = _similarity(telling[one], telling[other])
        if similarity >= NEAR:
            yield (one, other), similarity


def _similarity(one: _Answer, other: _Answer) -> float:
    """The share of their grams that both have (Jaccard's)."""
    return 1.0 if one.form == other.form else len(one.grams & other.grams) / len(one.grams | other.grams)


def _connected(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(pair).union(*touched))
    return groups


def _answer(source: str, around: str | None) -> _Answer:
    form = normalized(source, around)
    tokens = [_NUMBERED.sub("n", token) for token in _tokens(form)]
    grams = frozenset(tuple(tokens[at : at + GRAM]) for at in range(max(len(tokens) - GRAM + 1, 1)))
    return _Answer(form, grams, len(tokens), frozenset(_words(source)))


def _tokens(source: str) -> list[str]:
    """The tokens of a program without layout and comments; of what is no Python, its words."""
    skipped = (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    try:
        return [
            token.string
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in skipped
        ]
    except (tokenize.TokenError, *_UNREADABLE):
        return re.findall(r"\w+|[^\w\s]", source)


def _words(source: str) -> Iterator[str]:
    """The names of a program, its comments, and its texts: what people carry over without a thought."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and len(token.string) > 2:
                yield token.string
            elif token.type in (tokenize.COMMENT, tokenize.STRING):
                text = " ".join(token.string.strip("#\"'fr ").split())
                if len(text) > 2:
                    yield text[:80]
    except (tokenize.TokenError, *_UNREADABLE):
        return


# ---------------------------------------------------------------- what is said of it


def report(found: Sequence[Cluster]) -> str:
    """The clusters for an instructor, as text."""
    if not found:
        return "No answers stand out as alike.\n"
    lines = ["Answers that are alike; a reason to look, and not a verdict:"]
    for cluster in found:
        lines.append(f"  {', '.join(cluster.students)}")
        for alike in cluster.items:
            lines.append(f"    {alike.item}: {_said(alike)}")
            if alike.rare:
                lines.append(f"      few others have: {'; '.join(alike.rare)}")
    return "\n".join(lines) + "\n"


def _said(alike: Alike) -> str:
    if alike.equal:
        return "equal but for names, layout and comments"
    least, most = f"{100 * alike.least:.0f}", f"{100 * alike.most:.0f}"
    return f"{least if least == most else f'{least} to {most}'} % in common"


def data(found: Sequence[Cluster]) -> list[dict[str, Any]]:
    """The clusters as JSON data."""
    return [
        {
            "students": list(cluster.students),
            "weight": cluster.weight,
            "items": [
                {
                    "item": alike.item,
                    "equal": alike.equal,
                    "similarity": [alike.least, alike.most],
                    "rare": list(alike.rare),
                }
                for alike in cluster.items
            ],
        }
        for cluster in found
    ]
