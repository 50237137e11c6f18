"""`value`: the learner types a value: a shape, a dtype, a name, an exception, a literal, what is printed."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from grader import template
from grader.judging import claim_form, claims, comparison, prompts, proofs, published_claims
from grader.judging.bodies import Claimed, Reader, some, source
from grader.judging.building import build_claimed
from grader.judging.claims import Findings, Results, plan
from grader.judging.published import Seen, Verdict
from grader.kinds import Traits
from grader.model import (
    Body,
    Expr,
    Item,
    Labeled,
    Outcome,
    Prompt,
    Proof,
    ProvenOption,
    Response,
    Score,
    TextInput,
    Unreadable,
    Value,
    Variant,
    values,
)

if TYPE_CHECKING:
    from grader.judging.fields import ItemFields
    from grader.judging.running_answers import Marker

__all__ = ["TRAITS", "answer", "build", "check", "fields", "grade", "plan", "prompt", "prove", "read", "samples"]

TRAITS = Traits()

WANTED = {
    "shape": "a shape, its sizes in parentheses with commas between them",
    "dtype": "a dtype, with or without `torch.` before its name",
    "name": "a name, without quotes",
    "exception": "the name of an exception's class, or `nothing`",
    "literal": "a value as Python writes it, such as a number, a list, a text in quotes, True or None",
    "text": "the text that is printed (several lines: with `;` between them)",
    "printed": "a value, as Python prints it",
}
"""What may be accepted, and what is asked for then: always in the same words, and with no example that could be the
answer. One that gave way to another where it is the answer would tell as much by that."""

SHAPE = (
    r"(?:(?:torch\.)?size)?\s*"
    r"(?:[\[(]*\s*\d+(?:\s*[,x*\u00d7]\s*\d+)*\s*,?\s*[\])]*|[\[(]+\s*[\])]+)"
)
"""A shape as it may be typed: `(2, 3)`, `[2, 3]`, `2, 3`, `2x3`, `torch.Size([2, 3])`, `()`."""

LONGEST = 2_000
"""Characters of an answer."""


@dataclass(frozen=True, slots=True)
class Typed(Claimed):
    """A value to type, and what sort it is."""

    accepts: str = "literal"
    stated: Expr | None = None
    """The answer as its author types it, in the form in which learners do."""
    keys: tuple[Expr, ...] = ()
    """Answers as somebody has published them: any of them counts, and each must hold."""

    def run_and_asked(self) -> dict[str, Any]:
        """See `Body`."""
        keys = [source(key) for key in self.keys]
        return Claimed.run_and_asked(self) | some(accepts=self.accepts, key=source(self.stated), keys=keys)

    @property
    def published(self) -> tuple[Expr, ...]:
        """See `Claimed`."""
        return self.keys


def fields() -> type[ItemFields]:
    """See `Kind`."""
    from typing import Literal

    from pydantic import Field

    from grader.judging.fields import (
        COMPARE,
        NO_CODE,
        NO_NAMES,
        Code,
        CompareFields,
        EvidenceFields,
        Expression,
        ItemFields,
        Names,
        Published,
        Slug,
    )

    class WrongValueFields(EvidenceFields):
        """A wrong value that is recognized: `yields` or `instead` says how the mistake comes by it."""

        mistake: Slug = Field(description="The misconception that leads here: an id under `mistakes`.")
        value: Expression | None = Field(None, description="The value, where it should be checked against `yields`.")

    class ValueFields(ItemFields):
        """The learner types a value; what the program prints, where no `answer` is given."""

        kind: Literal["value"]
        accepts: Literal["shape", "dtype", "name", "exception", "literal", "text", "printed"] = Field(
            "literal", description="What is typed: how an answer is read and compared."
        )
        answer: Expression | None = Field(None, description="What PyTorch says; by default what the program prints.")
        key: Expression | None = Field(None, description="The answer as you know it, as a learner types it.")
        keys: list[Published] = Field(
            default_factory=list,
            max_length=50,
            description="With `printed`: published answers, each of which must hold.",
        )
        exists: Names = NO_NAMES
        runs: list[Code] = NO_CODE
        compare: CompareFields = COMPARE
        tolerance: float = Field(1e-6, gt=0, lt=1, description="Relative, for numbers in a literal.")
        mistakes: list[WrongValueFields] = Field(
            default_factory=list, max_length=20, description="Wrong values to recognize."
        )

    return ValueFields


def build(reader: Reader) -> Body:
    """See `Kind`."""
    body = build_claimed(reader, "mistakes", typed=False)
    stated = reader.get("key")
    accepts = reader.get("accepts", default="literal")
    asked = body.answer or Expr("run.error_type" if accepts == "exception" else "run.stdout.strip()", reader.at("kind"))
    keys = (reader.verbatim("keys", index) for index in range(len(reader.get("keys", default=()))))
    return Typed(
        keys=tuple(key for key in keys if key), exists=body.exists, runs=body.runs,
        answer=asked, options=body.options, compare=body.compare,
        stated=None if stated is None else Expr(stated if isinstance(stated, str) else repr(stated), reader.at("key")),
        accepts="text" if body.answer is None and accepts == "literal" else accepts,
    )  # fmt: skip


def _typed(item: Item) -> Typed:
    assert isinstance(item.body, Typed)
    return item.body


def check(item: Item, findings: Findings) -> None:
    """See `Kind`."""
    claim_form.check_yields(item, findings)
    body = _typed(item)
    if body.keys and body.accepts != "printed":
        findings.add("bad-field", "`keys` go with `accepts: printed`", body.keys[0].at, "use `key`, or say `printed`")


def prove(item: Item, variant: Variant, results: Results) -> Proof:
    """See `Kind`. The answer is of the sort that is asked for."""
    proof = proofs.prove(item, variant, results)
    body = _typed(item)
    if body.accepts == "printed":
        return _prove_printed(item, variant, results, proof)
    if proof.errors or body.answer is None:
        return proof
    normal = _normal(body.accepts, proof.answer)
    if normal is None:
        findings = Findings(item, variant)
        message = f"`{body.answer.text}` is {template.show(proof.answer)}, which is not {WANTED[body.accepts]}"
        findings.add("step-fails", message, body.answer.at, "change `accepts`, or ask for a value of that sort")
        return replace(proof, findings=tuple(findings.found))
    if body.stated and not _same(body, _read(body.accepts, body.stated.text), normal):
        findings = Findings(item, variant)
        message = (
            f"the key is {template.brief(body.stated.text)}, but PyTorch says {_shown(replace(proof, answer=normal))}"
        )
        findings.add("key-fails", message, body.stated.at, "correct the key, or fix the program")
        return replace(proof, findings=tuple(findings.found))
    options = tuple(_as_typed(one, _normal(body.accepts, one.value)) for one in proof.options)
    return replace(proof, answer=normal, options=options)


def _prove_printed(item: Item, variant: Variant, results: Results, proof: Proof) -> Proof:
    """Each published answer says what the run gave. The proof has one option for each of them."""
    body, main = _typed(item), claims.main_source(item, variant)
    assert body.answer is not None
    answer = results.value(main, body.answer)
    gave = published_claims.seen(item, proof.observation, answer, results, main)
    findings = Findings(item, variant, list(proof.findings))
    options = []
    for key in body.keys:
        found = published_claims.judge(item, key.text, gave) if not item.wanted else Verdict("unclear")
        options.append(ProvenOption(key.text, key.text, found.holds, True, None, False, found.decided))
        said = f"the key is {template.brief(key.text)}"
        if proof.findings or found.holds:
            continue
        if found.decided:
            got = f"raises {gave.error}" if gave.error else f"says {_got(gave)}"
            findings.add("key-fails", f"{said}, but PyTorch {got}", key.at, "correct the key, or fix the program")
        else:
            hint = item.wanted.text if item.wanted else "give the answer as PyTorch prints it"
            findings.add("unproven", f"{said}, and no run can tell whether it is right", key.at, hint)
    return replace(proof, options=tuple(options), findings=tuple(findings.found))


def _got(gave: Seen) -> str:
    """What a run gave, in a line."""
    if gave.printed is not None:
        return template.brief(" ".join(gave.printed.split()) or "nothing", 200)
    return template.brief(template.show(gave.value), 200)


def _as_typed(option: ProvenOption, value: Value) -> ProvenOption:
    """A wrong value as it is compared; a literal is shown as it would be typed."""
    named = values.pairs(value) if isinstance(value, dict) else None
    return replace(option, value=value, shown=template.show(_as_python(named[0][1])) if named else option.shown)


def _normal(accepts: str, value: Value) -> Value:
    """A value of the sort that is asked for, as it is compared; None where it is not one."""
    match accepts:
        case "shape":
            held = values.entries(value)
            return held if held is not None and all(type(size) is int for size in held) else None
        case "dtype":
            named = value.get("$dtype") if isinstance(value, dict) else value
            return named.removeprefix("torch.") if isinstance(named, str) else None
        case "exception":
            return "nothing" if value is None else value if isinstance(value, str) else None
        case "name" | "text" | "printed":
            return value if isinstance(value, str) else None
    return {"$dict": [["value", values.simple(value)]]}  # None and False are values too


def prompt(item: Item, variant: Variant, proof: Proof | None) -> Prompt | None:
    """See `Kind`."""
    return prompts.prompt(item, variant, proof, (TextInput(wanted=WANTED[_typed(item).accepts]),))


def read(prompt: Prompt, raw: str) -> Response | Unreadable:
    """See `Kind`. How it is compared is decided when it is judged: it must only be of the right sort."""
    (one,) = prompt.inputs
    assert isinstance(one, TextInput)
    accepts = next(name for name, wanted in WANTED.items() if wanted == one.wanted)
    text = raw.strip("\n") if accepts in ("text", "printed") else raw.strip().strip("`").strip()
    if len(text) > LONGEST:
        return Unreadable(raw, f"the answer is longer than {LONGEST:,} characters")
    if _read(accepts, text) is None:
        return Unreadable(raw, f"answer with {one.wanted}")
    return Response(raw, parts=(text,))


def _read(accepts: str, text: str) -> Value:
    """What was typed, as it is compared; None where it is not of that sort."""
    match accepts:
        case "shape":
            found = re.fullmatch(SHAPE, text.lower())
            return [int(size) for size in re.findall(r"\d+", text)] if found else None
        case "dtype":
            name = text.removeprefix("dtype=").strip("'\"").removeprefix("torch.").lower()
            alias = {"float": "float32", "double": "float64", "long": "int64", "int": "int32", "half": "float16"}
            name = alias.get(name, name)
            return name if name in values.KNOWN_DTYPES else None
        case "name":
            return text.strip("'\"") if re.fullmatch(r"['\"]?[\w.]+['\"]?", text) else None
        case "exception":
            name = text.removeprefix("raises ").strip().split(":")[0].removeprefix("torch.").strip()
            name = re.sub(r"\(.*", "", name)
            if name.casefold() in ("nothing", "none", "no error", "no exception"):
                return "nothing"
            return name if re.fullmatch(r"\w+", name) else None
        case "text" | "printed":
            return text if text.strip() else None
    return _literal(text)


def _literal(text: str) -> Value:
    """A Python literal; `tensor([1, 2])`, `true` and `nan` are read as what they mean."""
    bare = re.sub(r"\b(?:torch\.)?(?:tensor|Size)\(", "(", text)
    bare = re.sub(r",\s*(?:dtype|requires_grad|grad_fn|size)=[^)]*", "", bare)
    words = {"true": "True", "false": "False", "yes": "True", "no": "False", "none": "None"}
    bare = words.get(bare.strip().lower(), bare)
    if not re.search(r"['\"]", bare):
        bare = re.sub(r"\b(?:true|false|none)\b", lambda word: word[0].capitalize(), bare)
    if re.fullmatch(r"[-+]?(?:nan|inf)", bare.strip().lower()):
        return {"$dict": [["value", float(bare)]]}
    try:
        ast.parse(bare.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = template.literal(bare.strip())
    return {"$dict": [["value", values.simple(found.value)]]} if found else None


def grade(item: Item, proof: Proof, response: Response, marker: Marker) -> Score:
    """See `Kind`."""
    body = _typed(item)
    if body.accepts == "printed":
        gave = Seen(printed=proof.observation.stdout, error=proof.observation.error)
        if not published_claims.PRINTED.fullmatch(body.answer.text if body.answer else ""):
            gave = Seen(value=proof.answer, shown=(template.show(proof.answer),), error=proof.observation.error)
        if published_claims.judge(item, response.parts[0], gave).holds:
            return Score(Outcome.CORRECT, 1.0)
        return Score(Outcome.INCORRECT, 0.0, details=(f"PyTorch says {_shown(proof)}.",))
    typed = response.parts[0]
    yours = _read(body.accepts, typed)
    if _same(body, yours, proof.answer):
        return Score(Outcome.CORRECT, 1.0)
    said = (f"PyTorch says {_shown(proof)}.",)
    for matches in (_same, partial(_rounded, typed)):
        for option in proof.options:
            if matches(body, yours, option.value):
                return Score(Outcome.INCORRECT, 0.0, option.mistake, details=said)
    return Score(Outcome.INCORRECT, 0.0, details=said)


def _rounded(typed: str, body: Typed, yours: Value, wrong: Value) -> bool:
    """Whether a literal says a wrong value as it is printed: `1.3863` is what 1.38629436 was taken for."""
    if body.accepts != "literal" or body.answer is None:
        return False
    return proofs.says(Expr(typed, body.answer.at), _plain(yours), _plain(wrong), body.compare)


def _same(body: Typed, yours: Value, right: Value) -> bool:
    if isinstance(yours, str) and isinstance(right, str):
        if body.accepts == "text":
            return _lines(right) in (_lines(yours), _lines(yours.replace(";", "\n")))
        if body.accepts == "exception":
            return yours.casefold() == right.casefold() or issubclass_by_name(right, yours)
        return yours == right
    return comparison.equal(yours, right, body.compare)


def _lines(text: str) -> list[str]:
    """The lines of a printed text; how many spaces stand between words, and those around signs, do not count."""
    return [re.sub(r" ?([,:=()\[\]{}]) ?", r"\1", " ".join(line.split())) for line in text.strip().splitlines()]


def issubclass_by_name(kind: str, parent: str) -> bool:
    """Whether a built-in exception is a child of another one, such as `IndexError` of `LookupError`."""
    one, other = getattr(builtins, kind, None), getattr(builtins, parent, None)
    plain = other is not None and other not in (Exception, BaseException, object)
    return plain and isinstance(one, type) and isinstance(other, type) and issubclass(one, other)


def _shown(proof: Proof) -> str:
    """The answer as it is shown, in backticks."""
    answer = proof.answer
    if isinstance(answer, dict) and (named := values.pairs(answer)):
        answer = named[0][1]
        return f"`{template.show(_as_python(answer))}`"
    if isinstance(answer, list):
        return f"`{template.show({'$tuple': answer})}`"
    text = str(answer)
    return f"\n\n```text\n{text}\n```\n\n" if "\n" in text else f"`{text}`"


def _as_python(value: Value) -> Value:
    """A literal whose texts, truth values and None, at any depth, are shown as Python writes them."""
    match value:
        case bool() | str() | None:
            return repr(value)
        case list():
            return [_as_python(entry) for entry in value]
        case dict():
            return {mark: _as_python(held) if isinstance(held, list) else held for mark, held in value.items()}
        case _:
            return value


def answer(item: Item, proof: Proof) -> tuple[Labeled, ...]:
    """See `Kind`."""
    return (Labeled("", _shown(proof).strip().removesuffix(".")),)


def samples(item: Item, proof: Proof) -> dict[str, str]:
    """See `Kind`."""
    body = _typed(item)
    wrong = {"shape": "(7, 7, 7)", "dtype": "int8", "name": "no_such_name", "exception": "SyntaxError", "text": "?"}
    unreadable = {"text": " ", "printed": " ", "name": "a b", "literal": "(1,"}.get(body.accepts, "?!")
    bare = _shown(proof).strip("`").strip()
    right = bare.removeprefix("``text\n").removesuffix("```").strip("\n`")
    literal = repr(_plain(proof.answer)) if body.accepts == "literal" else right
    return {"right": literal, "wrong": wrong.get(body.accepts, "'something else'"), "unreadable": unreadable}


def _plain(answer: Value) -> Value:
    named = values.pairs(answer)
    return named[0][1] if named else answer
