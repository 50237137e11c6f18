"""What runs say of somebody's questions: each has one state, what PyTorch gives beside its key, and what is missing.

Nothing is judged here: programs are planned and proofs are made by the kinds, as for a bank of ours. Mutants and other
things that only an author of ours needs are not run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from grader import kinds, template
from grader.content.verify import PendingProof
from grader.exchange import item_drafts
from grader.exchange.imported_files import Imported, built
from grader.exchange.published_questions import PublishedQuestion
from grader.judging import advice
from grader.judging.bodies import Written, claimed
from grader.judging.published_claims import OF_THE_MACHINE
from grader.model import Finding, Item, Observation, Proof, Status
from grader.runner import Runner

State = Literal[
    "contradicted", "does not run as printed", "names something that is not there", "ambiguous", "warns", "proven",
    "not decided",
]  # fmt: skip
STATES: tuple[State, ...] = get_args(State)

FALSE: tuple[State, ...] = ("contradicted", "does not run as printed", "names something that is not there")
"""Those that say of an answer that it is not so."""

TOGETHER = 60
"""Items that are queued together."""


@dataclass(frozen=True, slots=True)
class JudgedOption:
    """An option or a typed key, and whether it holds; None where no run can tell."""

    text: str
    key: bool
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of one question."""

    id: str
    path: str
    line: int
    format: str
    state: State
    stem: str
    options: tuple[JudgedOption, ...] = ()
    program: str = ""
    expression: str = ""
    """What decided."""
    gives: str = ""
    """What PyTorch gives, as it is shown."""
    said: str = ""
    """What is wrong, in a sentence."""
    wanted: str = ""
    """The line to add."""
    remarks: tuple[str, ...] = ()
    run: Observation | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(option.text for option in self.options if option.key)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of all questions of some files."""

    questions: tuple[Judged, ...]
    runs: int = 0
    not_run: str = ""
    """Why programs could not be run at all; empty where they were."""

    @property
    def counts(self) -> Mapping[State, int]:
        found = Counter(one.state for one in self.questions)
        return {state: found[state] for state in STATES}

    @property
    def missing(self) -> int:
        """Lines that somebody would have to add."""
        return sum(bool(one.wanted) for one in self.questions)


def prove(quizzes: Sequence[Imported], runner: Runner) -> Report:
    """Judge all questions of some files."""
    judged: list[Judged] = []
    not_run, runs = "", 0
    for quiz in quizzes:
        made, findings = built(quiz)
        proofs = dict(_proofs([item for item in made if item], runner))
        for item, data, question in zip(made, quiz.items, quiz.quiz.questions, strict=True):
            proof, count = proofs.get(data["id"], (None, 0))
            runs += count
            own = [one for one in findings if one.item == data["id"]]
            one = judge(quiz, item, proof, own, question, data)
            not_run = not_run or _not_run(proof)
            judged.append(one)
    return Report(tuple(judged), runs, not_run)


def _not_run(proof: Proof | None) -> str:
    found = next((one for one in proof.findings if one.code == "not-run"), None) if proof else None
    return found.message if found else ""


def _proofs(items: Sequence[Item], runner: Runner) -> Iterator[tuple[str, tuple[Proof, int]]]:
    """The proof of each item, and how many programs were run for it."""
    for start in range(0, len(items), TOGETHER):
        part = items[start : start + TOGETHER]
        planned = [(item, kinds.of(item).plan(item, item.variants[0]).programs) for item in part if _has_code(item)]
        futures = iter(runner.submit_all([program for _, programs in planned for program in programs]))
        begun = [
            PendingProof(item, item.variants[0], programs, [next(futures) for _ in programs])
            for item, programs in planned
        ]
        for (item, programs), pending in zip(planned, begun, strict=True):
            yield item.id, (pending.proof(), len(programs))


def _has_code(item: Item) -> bool:
    """Whether anything of it can be run."""
    body = claimed(item)
    return bool(item.program.strip() or body.exists or body.runs) or isinstance(item.body, Written) or not item.wanted


# ---------------------------------------------------------------- one question

NOT_DECIDED = {
    "not-deterministic": "a seed: its runs differ",
    "over-limit": "a smaller program: it did not end within its limits",
    "not-run": "another try: it could not be run here",
}


def judge(
    quiz: Imported, item: Item | None, proof: Proof | None, findings: Sequence[Finding], question: PublishedQuestion,
    data: Mapping[str, object],
) -> Judged:  # fmt: skip
    """The state of a question, from its proof or from why it could not be built."""
    common: dict[str, Any] = {
        "id": str(data["id"]), "path": quiz.path, "line": question.line, "format": quiz.format,
        "stem": item_drafts.printable(question.stem).strip() or str(data.get("program") or "").strip(),
    }  # fmt: skip
    common["stem"] = common["stem"] or _first(question)
    written = tuple(
        JudgedOption(item_drafts.printable(one.text).strip(), bool(one.right), None) for one in question.options
    ) or tuple(JudgedOption(item_drafts.printable(key.text).strip(), True, None) for key in question.keys)
    both = item_drafts.right_and_wrong(question)
    if item is None or proof is None:
        wanted = str(data.get("wanted", "")) or "; ".join(dict.fromkeys(one.message for one in findings[:2]))
        state: State = "ambiguous" if both else "not decided"
        said = f"`{both}` is right and wrong at once in the file" if both else ""
        return Judged(**common, state=state, options=written, said=said, wanted="" if both else wanted)
    state, said, wanted = _state(item, proof, both)
    return Judged(
        **common,
        state=state,
        options=_options(item, proof, written),
        program=item.program,
        expression=_expression(item),
        gives=_gives(item, proof) if state != "not decided" or not wanted or _expression(item) else "",
        said=said,
        wanted=wanted,
        remarks=tuple(_remarks(proof, state)),
        run=proof.observation,
    )


def _first(question: PublishedQuestion) -> str:
    """What a question that could not be read is known by: the first text of its record."""
    found = (text.strip() for text in item_drafts.texts(question.raw))
    return template.in_a_line(next((text for text in found if len(text) > 2), ""))


def _options(item: Item, proof: Proof, written: tuple[JudgedOption, ...]) -> tuple[JudgedOption, ...]:
    if isinstance(item.body, Written) or len(proof.options) != len(written):
        return written
    sure = not {"unproven"} & {one.code for one in proof.findings} or bool(claimed(item).answer)
    return tuple(
        JudgedOption(one.text, one.key, proven.holds if proven.decided and sure and _ran(proof) else None)
        for one, proven in zip(written, proof.options, strict=True)
    )


def _ran(proof: Proof) -> bool:
    codes = {one.code for one in proof.findings}
    return not codes & {"not-deterministic", "over-limit", "not-run", "program-raises"}


def _state(item: Item, proof: Proof, both: str) -> tuple[State, str, str]:
    """The state, what is wrong, and what is wanted."""
    found: dict[str, Finding] = {}
    for one in proof.findings:
        found.setdefault(one.code, one)
    wanted = item.wanted.text if item.wanted else ""
    if "name-missing" in found:
        return "names something that is not there", found["name-missing"].message, ""
    for code, said in NOT_DECIDED.items():
        if code in found:
            return "not decided", "", f"{said} ({template.brief(found[code].message, 120)})"
    error = proof.observation.error
    if "program-raises" in found and error:
        if error.type == "NameError":
            name = error.message.partition("'")[2].partition("'")[0]
            return "not decided", "", f"program: nothing in it says what `{name}` is; add the lines that make it"
        if refused := advice.refusal(error):
            return "not decided", "", f"program: another one, {refused[0]}"
        if error.type in OF_THE_MACHINE:
            return "not decided", "", f"program: what it needs around it ({template.brief(str(error), 100)})"
        return "does not run as printed", found["program-raises"].message, ""
    if "does-not-run" in found:
        return "does not run as printed", found["does-not-run"].message, ""
    if isinstance(item.body, Written):
        return _of_exercise(found, wanted)
    if both:
        return "ambiguous", f"`{both}` is right and wrong at once in the file", ""
    return _of_claims(item, proof, found, wanted)


def _of_exercise(found: Mapping[str, Finding], wanted: str) -> tuple[State, str, str]:
    """Of code that is to be written only whether its own answer passes its own tests."""
    failed = found.get("reference-fails")
    if failed is None:
        return ("not decided", "", wanted) if wanted else ("proven", "", "")
    if "holds" in failed.message:
        return "contradicted", "its answer does not print what its tests expect", ""
    return "does not run as printed", failed.message, ""


def _of_claims(item: Item, proof: Proof, found: Mapping[str, Finding], wanted: str) -> tuple[State, str, str]:
    """Of options and typed keys."""
    keys = [one for one in proof.options if one.key]
    if wanted or not keys or "step-fails" in found:
        said = wanted or (found["step-fails"].message if "step-fails" in found else "the key")
        return "not decided", "", said
    false = [one for one in keys if one.decided and not one.holds]
    right = [one for one in keys if one.holds]
    others = [one for one in proof.options if one.holds and not one.key]
    if not false and not right:
        beside = f"; the option `{template.brief(others[0].shown)}` says that" if others else ""
        return "not decided", "", f"the key as PyTorch prints it, which is {_quoted(_gives(item, proof))}{beside}"
    if false and not others and not right and len(proof.options) > len(keys) and all(o.decided for o in proof.options):
        return "ambiguous", "no option says what PyTorch gives", ""
    if false:
        what = f"the key is `{template.brief(false[0].shown)}`"
        beside = f", which is the option `{template.brief(others[0].shown)}`" if others else ""
        return "contradicted", f"{what}, PyTorch gives {_quoted(_gives(item, proof))}{beside}", ""
    if others:
        return "ambiguous", f"`{template.brief(others[0].shown)}` holds as well", ""
    if "program-warns" in found:
        return "warns", found["program-warns"].message, ""
    return "proven", "", ""


def _quoted(text: str) -> str:
    return f"`{template.brief(' '.join(text.split()), 80)}`" if text.strip() else "nothing"


def _expression(item: Item) -> str:
    asked = claimed(item).answer
    return asked.text if asked and not item.wanted else ""


def _gives(item: Item, proof: Proof) -> str:
    """What PyTorch gives for what was asked."""
    run, asked = proof.observation, claimed(item).answer
    if run.error:
        return f"{run.error.type}: {template.brief(run.error.message, 300)}"
    if asked is None or asked.text.startswith("run.stdout"):
        return run.stdout.strip("\n")
    return template.show(proof.answer)


def _remarks(proof: Proof, state: State) -> Iterable[str]:
    """What else is worth knowing."""
    if state != "warns":
        for warning in proof.observation.warnings[:1]:
            yield f"it warns: {warning.category}: {template.brief(warning.message, 200)}"
    seen: dict[str, None] = {}
    for option in proof.options:
        look = " ".join(option.shown.split()).casefold()
        if look in seen:
            yield f"two options are the same: {template.brief(option.shown)}"
        seen[look] = None
    if proof.observation.status is Status.ERROR and state == "proven" and proof.observation.error:
        yield f"it raises, as the key says: {template.brief(str(proof.observation.error), 200)}"
