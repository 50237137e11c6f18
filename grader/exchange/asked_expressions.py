"""What a stem asks of its program, as an expression.

Only where that is certain: a wrong expression would contradict a right key.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from grader import template
from grader.exchange import code_in_text
from grader.exchange.code_in_text import Code

OUTPUT = re.compile(
    r"\b(?:print(?:s|ed)?|output|display(?:s|ed)?|shown?|result(?:s|ing)?|return(?:s|ed)?|evaluates?|happens?|see"
    r"|yields?|produces?|gives?|contents?|predict|value|trace)\b|^\W*what (?:is|does|will)\b",
    re.IGNORECASE,
)
"""Words with which a stem asks for what a program prints or gives."""

BLANK = re.compile(r"\b(returns?|prints?|gives?|outputs?|evaluates? to|yields?)\s*:?\s*_{3,}", re.IGNORECASE)
"""A gap where what is printed would stand."""

ELSEWHERE = re.compile(
    r"\b(?:why|how many times|which line|what is wrong|fault|bug|fix|correct(?:ed|ion| the| way| code| version)?"
    r"|instead|missing|replace|should be (?:added|changed|used)|purposes?|best|better|prevent|avoid|explain"
    r"|difference between|suppose|assum\w+|imagine"
    r"|if (?:we|you|the|it) (?:change|had|were|replace|remove|use|add)\w*|were changed"
    r"|not"
    r"|(?:at|after|in|of|during) (?:the )?(?:epoch|step|iteration)|(?:epoch|step|iteration) \d+"
    r"|\d+ (?:epoch|step|iter)\w*|after (?:one|two|three|four|five|ten) \w+"
    r"|never|except|false|incorrect|wrong|cannot|can't|fail|first|second|third|last|final|approximately|roughly|about"
    r"|complete|blank|fill|which (?:of|statement|option|function|method|code|snippet)|describes?|reason|cause"
    r"|error message|memory|faster|complexity|cell (?:below|above)|above cell|previous|following figure|gpu|cuda"
    r"|true|typical|role|advantage|warning)\b|____",
    re.IGNORECASE,
)
"""Words with which a stem asks for something else, or only for a part: what is printed then decides nothing."""

MACHINE = re.compile(
    r"\bcuda\b|\bmps\b|is_available|device_count|__version__|num_threads|cpu_count|perf_counter|\btime\.|%timeit|\bos\."
)
"""What is different on every machine."""

QUANTITY = re.compile(
    r"\b(?:shape|size|dimensions?|dtype|data type|type|how many|number of|length|rank|device|keys?)\b", re.IGNORECASE
)
"""What a stem may ask for instead of the value that a program prints or ends with."""

SHOWS_ONE = re.compile(
    r"\.shape|\.size\b|dtype|\blen\(|numel|\btype\(|\.n?dim\b|device|\bsum\(|\.count|\.item\(|isinstance|\.keys\("
)
"""Code that looks at such a quantity itself."""

ENDED = re.compile(
    r"\bafter (?:running |executing |execution of )?(?:this |the |these )?(?:code|program|script|snippet|lines?|cell)\b"
    r"|\bfinal\b",
    re.IGNORECASE,
)
"""Words that mean the end of the program, where values are looked at anyway."""

OF = r"`?(?P<name>[A-Za-z_][\w.]*(?:\[[^\]`]*\]|\([^()`]*\))*)`?"
A = r"(?:the\s+)?(?:(?:tensor|output|result|variable|expression)\s+)?"
AFTER = r"(?:\s+(?:equal|contain|hold|be|now|afterward\w*|at the end))?\s*\?*\s*$"
ATTRIBUTES: tuple[tuple[str, str], ...] = (
    (rf"\b(?:shape|size|dimensions)\s+(?:of|does|will|for)\s+{A}{OF}", "tuple({}.shape)"),
    (rf"\bshape\s+(?:does|will|would)\s+{OF}\s+have", "tuple({}.shape)"),
    (rf"\b(?:dtype|data type)\s+(?:of|does|will)\s+{A}{OF}", "{}.dtype"),
    (rf"\bhow many (?:elements|entries|values|numbers)\s+(?:does|are in|has|in)\s+{A}{OF}", "{}.numel()"),
    (rf"\b(?:values?|contents?)\s+(?:of|does|will|in|are in|is in)\s+{A}{OF}", "{}"),
    (rf"\bwhat\s+(?:is|are|will be|does)\s+{OF}{AFTER}", "{}"),
    (rf"\bwhat\s+(?:does|will)\s+{OF}\s+(?:return|contain|hold|equal|evaluate to|be|print|output|give|yield)", "{}"),
)
"""What a stem asks of a name, and the expression that gives it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The program that is run, the expression that a key is compared with, or why there is none."""

    program: str
    answer: str = ""
    wanted: str = ""


def of(code: Code, stem: str) -> Asked:
    """What a question asks of its code; `stem` is its text without blocks."""
    plain = re.sub(r"\s+", " ", stem).strip()
    program = code.program
    if not program:
        return _of_inline(code, plain)
    full = with_imports(program)
    asked = _of_program(code, plain, full)
    if missing := code_in_text.unbound(full):
        listed = ", ".join(f"`{name}`" for name in missing[:5])
        return Asked(full, asked.answer, f"program: nothing in it says what {listed} is; add the lines that make it")
    return asked


def _of_program(code: Code, plain: str, full: str) -> Asked:
    program = code.program
    other = ELSEWHERE.search(_words(plain))
    if MACHINE.search(program):
        return Asked(full, wanted="program: one whose output does not depend on the machine that runs it")
    if code_in_text.leaves_out(program):
        return Asked(full, wanted="program: the lines that `...` stands for")
    if code_in_text.tree(program) is None:
        return Asked(program, "" if other else "run.stdout", _elsewhere(other[0]) if other else "")
    if named := _named(plain, program):
        return Asked(full, named)
    if other:
        return Asked(full, wanted=_elsewhere(other[0]))
    of_what = QUANTITY.search(_words(plain))
    if code_in_text.prints(program):
        if of_what and not SHOWS_ONE.search(program):
            return Asked(full, wanted=f"answer: EXPR, for the stem asks for `{of_what[0]}`")
        return Asked(full, "run.stdout")
    last = code_in_text.last_expression(program)
    if last and of_what and not SHOWS_ONE.search(last):
        asked = _of_last(full, last)
        made = {"shape": "tuple({}.shape)", "dtype": "{}.dtype", "data type": "{}.dtype"}.get(of_what[0].lower())
        if made is None:
            return Asked(full, wanted=f"answer: EXPR, for the stem asks for `{of_what[0]}`")
        whole = asked.answer if re.fullmatch(r"[\w.]+(?:\(.*\))?", asked.answer) else f"({asked.answer})"
        return Asked(asked.program, made.format(whole))
    if last and (OUTPUT.search(plain) or not plain or code.where == "bare"):
        return _of_last(full, last)
    return Asked(full, wanted="answer: EXPR, the expression that the stem asks for, such as `x.shape`")


def _elsewhere(word: str) -> str:
    return f"answer: EXPR, what exactly is asked: the stem says `{word}`, which is more than the whole output"


def _words(plain: str) -> str:
    """A stem without its code, and without `which of these` where it only asks for the output."""
    words = code_in_text.INLINE.sub(" ", plain)
    words = BLANK.sub(r" \1 ", words)
    return re.sub(
        r"\bwhich of (?:the following|these)(?=.*\b(?:output|printed|result|prints?)\b)",
        " ",
        words,
        flags=re.IGNORECASE,
    )


def with_imports(program: str) -> str:
    """A program with the usual imports before it that it leaves out."""
    lines = code_in_text.imports(program)
    return "\n".join([*lines, program]) if lines else program


def _of_last(program: str, last: str) -> Asked:
    """The expression that a program ends with. Where evaluating it twice would not do, its value gets a name."""
    used = template.names_in(last) or set()
    once = re.search(r"_\(|rand|\bnext\(|\.pop\(|\.step\(|append\(|\binput\(|=|\bnormal\(|dropout|shuffle", last)
    if not once and used & code_in_text.bound(program):
        return Asked(program, last)
    parsed = code_in_text.tree(program)
    if parsed is None:
        return Asked(program)
    lines = program.split("\n")
    node = parsed.body[-1]
    assert isinstance(node, ast.Expr)
    kept = lines[: node.lineno - 1]
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    kept += [before] if before.strip() else []
    return Asked("\n".join([*kept, f"result = ({last})" if "\n" in last else f"result = {last}"]), "result")


def _of_inline(code: Code, plain: str) -> Asked:
    """A stem without a program: `What does {code} return?`, with one piece of code that computes something."""
    computed = [text for text in code.inline if code_in_text.is_expression(text)]
    if len(computed) != 1:
        return Asked("", wanted="program: the code that the question is about, and answer: EXPR" if code.inline else "")
    (text,) = computed
    if MACHINE.search(text):
        return Asked("", wanted="program: one whose output does not depend on the machine that runs it")
    full = with_imports(text)
    if missing := code_in_text.unbound(full):
        listed = ", ".join(f"`{name}`" for name in missing[:5])
        return Asked("", wanted=f"program: nothing says what {listed} is; add the lines that make it")
    words = _words(plain)
    for pattern, made in (
        (r"\b(?:shape|size|dimensions)\b", "tuple(result.shape)"), (r"\b(?:dtype|data type)\b", "result.dtype"),
        (r"\bhow many (?:elements|entries|values)\b", "result.numel()"),
    ):  # fmt: skip
        if (
            re.search(pattern, words, re.IGNORECASE)
            and ".shape" not in text
            and ".size" not in text
            and ".dtype" not in text
        ):
            return Asked(full.removesuffix(text) + f"result = {text}", made)
    if ELSEWHERE.search(words) or not OUTPUT.search(words):
        return Asked(
            full.removesuffix(text) + f"result = {text}", wanted="answer: EXPR, what the stem asks of `result`"
        )
    return Asked(full.removesuffix(text) + f"result = {text}", "result")


def _named(plain: str, program: str) -> str:
    """The expression for what a stem asks of a name of the program, or of code in the stem that is not in it."""
    bound = code_in_text.bound(program)
    for pattern, made in ATTRIBUTES:
        found = re.search(pattern, plain, re.IGNORECASE)
        if not found or not _is_about(found["name"], bound):
            continue
        name = found["name"].rstrip(".")
        whole = re.search(r"\.(?:shape|size\(\)|dtype|numel\(\))$", name)
        around = plain[: found.start()] + " " + plain[found.end() :]
        if ELSEWHERE.search(ENDED.sub(" ", _words(around))):
            return ""
        return name if whole else made.format(name)
    return ""


def _is_about(name: str, bound: set[str]) -> bool:
    """Whether this names something that the program makes, and is one expression."""
    return re.split(r"[.\[(]", name)[0] in bound and template.is_expression(name.rstrip("."))
