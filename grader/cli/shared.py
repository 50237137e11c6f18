"""What the commands share: options, banks, runners, reading and printing."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import json
import math
import secrets
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.errors import GraderError, InputError, did_you_mean
from grader.learning import mixing
from grader.template import CONTROL, in_a_line

if TYPE_CHECKING:
    from grader.judging.running_answers import Marker
    from grader.learning.records import Records
    from grader.model import Bank, Finding, Item, LeftOut, Lesson, Variant
    from grader.runner.cached import RememberingRunner, Store
    from grader.runner.dask import Cluster

Banks = tuple[Path, ...]
"""The banks that were given: folders, or names of installed ones."""

bank_option = click.option(
    "--bank", type=Path, multiple=True, metavar="DIR", help="A folder or name; may repeat.  [env: GRADER_BANK]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
seed_option = click.option("--seed", type=int, help="Draw other numbers, the same for the same seed.")
plain_option = click.option("--plain", is_flag=True, help="No plots: every line is words or a table.")
db_option = click.option("--db", metavar="URL", help="The records: a file or a database.  [env: GRADER_DB]")
learner_option = click.option(
    "--learner", default="me", show_default=True, envvar="GRADER_LEARNER", help="Whose records, in a shared database."
)
no_records_option = click.option("--no-records", is_flag=True, help="Put nothing on record.")
on_option = click.option("--on", metavar="URL", help="Run elsewhere, as dask://SCHEDULER:8786.")
strict_option = click.option("--strict", is_flag=True, help="Exit with 1 unless all is right.")
mix_option = click.option(
    "--mix",
    type=click.IntRange(0, (1 << 63) - 1),
    metavar="SEED",
    help="Mix the options, the same way for the same seed.",
)
in_order_option = click.option("--in-order", is_flag=True, help="Keep the written order of options at a terminal too.")
shuffle_option = click.option("--shuffle", is_flag=True, hidden=True, help="As --mix, with the --seed.")


def cluster_at(url: str | None) -> Cluster | None:
    """A connection to the cluster that `--on` names, None where it names none. Raises InputError."""
    if url is None:
        return None
    from grader.runner.dask import Cluster

    return Cluster(url)


def gathered(kind: type, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hand the options that are fields of a dataclass over as one of it; stands below the options themselves."""
    names = [field.name for field in dataclasses.fields(kind)]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def call(**given: Any) -> None:
            command(**{name: kind(**{one: given.pop(one) for one in names})}, **given)

        return call

    return decorate


@dataclass(frozen=True, slots=True)
class Asking:
    """What every command that asks questions is told."""

    seed: int | None
    bank: Banks
    db: str | None
    learner: str
    as_json: bool
    plain: bool
    strict: bool
    mix: int | None
    shuffle: bool
    in_order: bool

    def __post_init__(self) -> None:
        """Raise InputError where options are to be mixed and not to be."""
        if (self.mix is not None or self.shuffle) and self.in_order:
            raise InputError("--mix and --in-order contradict each other", "give one of them")

    def mixed_by(self, drawn_by: int | None, *, interactive: bool) -> int | None:
        """The seed that a new sitting mixes options by; a pipe keeps the written order unless it is told to mix.

        `drawn_by` is what its questions are drawn by.
        """
        mix = abs(drawn_by or 0) if self.mix is None and self.shuffle else self.mix
        return mixing.seed_of(mix, drawn_by, mixes=interactive, in_order=self.in_order)


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that asks questions, handed over as `asking`."""
    command = gathered(Asking, "asking")(command)
    for option in (
        strict_option, plain_option, json_option, learner_option, db_option, bank_option, in_order_option,
        shuffle_option, mix_option, seed_option,
    ):  # fmt: skip
        command = option(command)
    return command


@contextlib.contextmanager
def proof_runner() -> Iterator[tuple[RememberingRunner, Store]]:
    """A runner for what the bank claims, and the store behind it. Starts a worker only for what is not known."""
    from grader.runner import runners
    from grader.runner.cached import RememberingRunner, Store

    store = Store()
    runner = RememberingRunner(store, runners.make)
    try:
        yield runner, store
    finally:
        runner.close()
        store.close()


def open_records(db: str | None, *, write: bool = True) -> Records:
    """The records of the learners. Raises RecordsError."""
    from grader.learning.records import Records

    store = Records(db, write=write)
    if store.newer:
        print("grader: notice: a newer torch-grader wrote these records; they are only read", file=sys.stderr)
    return store


def make_marker(runner: RememberingRunner, *, soon: bool) -> Marker:
    """Where answers are run: behind the memory, with inputs that nobody can foresee. `soon` starts a worker now."""
    from grader.judging.running_answers import Marker

    if soon:
        runner.start()
    return Marker(runner.inner, secrets.randbits(64))


def must_be_contained(runner: RememberingRunner, whose: str, allowed: bool) -> None:
    """Say so where code will run without a sandbox; raise InputError where it must not."""
    if runner.contained():
        return
    if not allowed:
        raise InputError(
            "there is no sandbox here, and the code in a file may be anybody's",
            "`grader doctor` says what is missing; --allow-unsandboxed runs it with limits only",
        )
    print(f"grader: notice: {whose} code runs without a sandbox; `grader doctor` says why", file=sys.stderr)


def good_bank(banks: Banks, store: Store | None = None, *, outline: bool = False) -> Bank:
    """What of the whole bank can be asked; what is left out is told. Raises InputError where nothing can be.

    An `outline` is enough for what asks and proves nothing.
    """
    bank = _bank(banks, store, outline=outline)
    _tell([*(one for topic in bank.topics for one in topic.left_out), *bank.unread])
    return bank


def whole_bank(banks: Banks) -> Bank | None:
    """What of the whole bank can be asked, without a word on what cannot; None where that is nothing."""
    from grader.content import bank_files, bank_homes
    from grader.runner.cached import Store

    with contextlib.closing(Store()) as memory:
        bank = bank_files.read(bank_files.files(bank_homes.every(banks)), memory)
    return bank if bank.items else None


def _bank(banks: Banks, store: Store | None, *, outline: bool = False) -> Bank:
    from grader.content import bank_files, bank_homes, bank_outline

    paths = bank_files.files(bank_homes.every(banks))
    bank = bank_outline.read(paths, store) if outline else bank_files.read(paths, store)
    if bank.findings and not bank.items:
        print_findings(bank.findings, to=sys.stderr)
        raise InputError(f"the bank has {len(bank.findings)} problems", "fix them; `grader verify` shows them again")
    return bank


def _tell(left: Sequence[LeftOut]) -> None:
    """One line on what is not asked, since something is wrong with it."""
    if left:
        from grader.faces.words import left_out

        print(f"grader: notice: {in_a_line(left_out(left))}", file=sys.stderr)


def topic_bank(banks: Banks, topic: str, store: Store, *, blocks: bool = False) -> tuple[Bank, str]:
    """The bank's files of one topic where there are some by that name, else all banks; and the topic's full name.

    With `blocks`, the name may be that of a block. Raises InputError where there is nothing to ask.
    """
    from grader.content import bank_files

    home, prefix = bank_files.find_topic(banks, topic, store)
    topic = prefix + topic.removeprefix(prefix)
    own = bank_files.of_topic(home, topic.removeprefix(prefix))
    if own and not (found := bank_files.read(own, store)).findings and found.members(topic):
        return found, topic
    whole = _bank(banks, store)
    known = [*(entry.name for entry in whole.topics), *(block.name for block in whole.about.blocks if blocks)]
    if topic not in known:
        if path := next((entry.path for entry in whole.unread if Path(entry.path) in own), ""):
            message = f"{path}: something is wrong with this file, so nothing of it can be asked"
            raise InputError(message, f"`grader verify {shlex.quote(path)}` says what")
        raise InputError(f"there is no topic `{topic}`", _in_another_bank(banks, topic) or _meant(topic, known))
    topics = [entry for entry in whole.topics if entry.name in whole.members(topic)]
    _tell([one for entry in topics for one in entry.left_out])
    if not any(entry.items for entry in topics):
        raise InputError(f"no question of `{topic}` is left to ask", "`grader topics` shows what there is")
    return whole, topic


def _in_another_bank(banks: Banks, topic: str) -> str:
    """What to say where the bank here lacks a topic that the package's own has; else the empty string."""
    from grader.content import bank_files, bank_homes

    home, *others = bank_homes.homes(banks)
    for other in others:
        if bank_files.of_topic(other, topic):
            return f"{home / 'quizzes'} has none; the package's bank has: --bank {shlex.quote(str(other))}"
    return ""


RETIRED = "`grader show` shows it, `grader grade` grades an answer"


def find_item(bank: Bank, name: str, topic: str | None = None) -> Item:
    """The item of this name or alias, where one is given in this topic; of one bank alone its prefix may be left out.

    Raises InputError where there is none.
    """
    from grader.model import by_name

    items = {item.id: item for item in bank.items if topic in (None, item.topic)}
    known = by_name(items.values())
    if name in known:
        return known[name]
    if (
        len(prefixes := {bank.about.prefix, *(one.prefix for one in bank.others)}) == 1
        and (full := prefixes.pop() + name) in known
    ):
        return known[full]
    if finding := bank.trouble(name):
        raise InputError(f"`{name}` cannot be asked: {finding}", finding.hint)
    raise InputError(f"there is no item `{name}`{f' in {topic}' if topic else ''}", _meant(name, list(items)))


def drawn_variant(item: Item, index: int | None, seed: int | None = None) -> Variant:
    """The variant of this number, else the one that a seed draws. Raises InputError where there are not so many."""
    if index is None:
        return item.variant(seed)
    if index >= len(item.variants):
        message = f"{item.id} has {len(item.variants)} variants, counted from 0"
        raise InputError(message, "give a smaller number")
    return item.variants[index]


def _meant(given: str, known: list[str]) -> str:
    return did_you_mean(given, known) or f"there are {', '.join(known)}"


def good_lessons(paths: Iterable[Path]) -> list[Lesson]:
    """Lessons that can be read. Raises InputError where one cannot."""
    from grader.content import lesson_files

    read, found = lesson_files.read(paths)
    if found:
        raise InputError(str(found[0]), found[0].hint)
    return read


def read_text(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror}", "check its name") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start + 1} is not UTF-8 text", "save the file as UTF-8 text") from None


def write_files(texts: Mapping[Path, str | bytes]) -> None:
    """Write files through temporary ones beside them: each is whole at every moment. Raises InputError.

    The first is put in its place when all are written, so that a full disk leaves things as they were.
    """
    beside = {path: path.with_name(f".{path.name}.new") for path in texts}
    path = Path()
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside[path].write_bytes(text.encode() if isinstance(text, str) else text)
        for path, new in beside.items():
            new.replace(path)
    except OSError as error:
        for new in beside.values():
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
        raise InputError(f"{path}: it cannot be written: {error.strerror}", "it is as it was") from None


def print_json(document: Any) -> None:
    text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    print(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _finite(data: Any) -> Any:
    """JSON has no word for infinities and NaN: they become `{"$float": "nan"}`, which no text can be taken for."""
    match data:
        case float() if not math.isfinite(data):
            return {"$float": str(data)}
        case str():
            return data.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case _:
            return data


def print_findings(findings: tuple[Finding, ...], to: Any = None) -> None:
    """Findings for people: the same finding in several variants is said once, and what is nobody's fault too."""
    from grader.cli.json_documents import show_variant
    from grader.model import Variant
    from grader.runner.local import NOT_STARTED

    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        said = "" if finding.variant else finding.message
        one = (NOT_STARTED,) if NOT_STARTED in finding.message else (finding.code, finding.item, finding.at, said)
        groups.setdefault(one, []).append(finding)
    for key, group in groups.items():
        first = group[0]
        where = f" [{first.item}]" if first.item else ""
        print(in_a_line(f"{first}{where}"), file=to)
        if key == (NOT_STARTED,) and len(group) > 1:
            print(f"  {len(group) - 1} more could not be run, for the same reason", file=to)
        elif first.variant:
            others = f" and {len(group) - 1} more" if len(group) > 1 else ""
            print(in_a_line(f"  variant: {show_variant(Variant(0, first.variant))}{others}"), file=to)
        if first.hint:
            print(in_a_line(f"  hint: {first.hint}"), file=to)


NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def no_space(error: OSError) -> InputError:
    """What is said of a full disk."""
    where = error.filename or "standard output"
    return InputError(f"{where}: no space left on the device", "make room, then run the command again")


def complain(error: GraderError, as_what: str = "") -> None:
    """Say on standard error what stopped a command, or what it goes on without."""
    print(f"grader: {as_what}{in_a_line(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {in_a_line(error.hint)}", file=sys.stderr)
