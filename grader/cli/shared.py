"""What the commands share: options, banks, runners, reading and printing."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import secrets
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.errors import GraderError, InputError, did_you_mean
from grader.template import CONTROL, in_a_line

if TYPE_CHECKING:
    from grader.cluster import Cluster
    from grader.marking import Marker
    from grader.model import Bank, Finding, Item, Lesson, Sitting
    from grader.recording import Recorder
    from grader.records import Records
    from grader.run.remembered import RememberingRunner, Store

bank_option = click.option("--bank", type=Path, metavar="DIR", help="A folder with quizzes/ in it.  [env: GRADER_BANK]")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
seed_option = click.option("--seed", type=int, help="Draw other numbers; the same seed draws the same ones.")
plain_option = click.option("--plain", is_flag=True, help="No plots: every line is words or a table.")
db_option = click.option("--db", metavar="URL", help="The records: a file or a database.  [env: GRADER_DB]")
learner_option = click.option(
    "--learner", default="me", show_default=True, envvar="GRADER_LEARNER", help="Whose records, in a shared database."
)
no_records_option = click.option("--no-records", is_flag=True, help="Put nothing on record.")
on_option = click.option("--on", metavar="URL", help="Run on a Dask cluster: dask://SCHEDULER:8786.")
strict_option = click.option("--strict", is_flag=True, help="Exit with 1 unless all is right.")


def cluster_at(url: str | None) -> Cluster | None:
    """A connection to the cluster that `--on` names, None where it names none. Raises InputError."""
    if url is None:
        return None
    from grader.cluster import Cluster

    return Cluster(url)


def asking_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that asks questions."""
    for option in (
        strict_option, plain_option, json_option, learner_option, db_option, bank_option, seed_option,
    ):  # fmt: skip
        command = option(command)
    return command


@contextlib.contextmanager
def proof_runner() -> Iterator[tuple[RememberingRunner, Store]]:
    """A runner for what the bank claims, and the store behind it. Starts a worker only for what is not known."""
    from grader.run.remembered import RememberingRunner, Store

    def make() -> Any:
        from grader.run.local import LocalRunner

        return LocalRunner()

    store = Store()
    runner = RememberingRunner(store, make)
    try:
        yield runner, store
    finally:
        runner.close()
        store.close()


def open_records(db: str | None, *, write: bool = True) -> Records:
    """The records of the learners. Raises RecordsError."""
    from grader.records import Records

    store = Records(db, write=write)
    if store.newer:
        print("grader: notice: a newer torch-grader wrote these records; they are only read", file=sys.stderr)
    return store


def new_recorder(
    store: Records, bank: Bank, topic: str, mode: str, learner: str, sitting: Sitting | None = None
) -> Recorder:
    """What puts the answers of a sitting on record: of a given one, which is on record already, or of a new one."""
    from grader import records
    from grader.model import Sitting
    from grader.recording import Recorder, now
    from grader.run.remembered import installed_torch

    new = sitting or Sitting(records.new_id(), learner, topic, mode, now())
    recorder = Recorder(store, new, bank, installed_torch())
    if sitting:
        recorder.begun()
    return recorder


def make_marker(runner: RememberingRunner, *, soon: bool) -> Marker:
    """Where answers are run: behind the memory, with inputs that nobody can foresee. `soon` starts a worker now."""
    from grader.marking import Marker

    if soon:
        from grader.run.local import LocalRunner

        if isinstance(inner := runner.inner(), LocalRunner):
            inner.start()

    return Marker(runner.inner, secrets.randbits(64))


def must_be_contained(runner: RememberingRunner, whose: str, allowed: bool) -> None:
    """Say so where code will run without a sandbox; raise InputError where it must not."""
    from grader.run.local import LocalRunner

    inner = runner.inner()
    assert isinstance(inner, LocalRunner)
    if inner.wait_for_walls().contained:
        return
    if not allowed:
        raise InputError(
            "there is no sandbox here, and the code in a file may be anybody's",
            "`grader doctor` says what is missing; --allow-unsandboxed runs it with limits only",
        )
    print(f"grader: notice: {whose} code runs without a sandbox; `grader doctor` says why", file=sys.stderr)


def good_bank(folder: Path | None, store: Store | None = None) -> Bank:
    """The whole bank. Raises InputError where it has findings."""
    from grader import bank as banks

    return _good(banks.read(banks.files([banks.home(folder)]), store))


def topic_bank(folder: Path | None, topic: str, store: Store) -> Bank:
    """The bank's file of one topic where there is one by that name, else the whole bank."""
    from grader import bank as banks

    one = banks.home(folder) / "quizzes" / f"{topic}.yaml"
    if one.is_file() and not (found := banks.read([one], store)).findings:
        return found
    whole = good_bank(folder, store)
    names = [entry.name for entry in whole.topics]
    if topic not in names:
        raise InputError(f"there is no topic `{topic}`", _in_another_bank(folder, topic) or _meant(topic, names))
    return whole


def _in_another_bank(folder: Path | None, topic: str) -> str:
    """What to say where the bank here lacks a topic that the package's own has; else the empty string."""
    from grader import bank as banks

    home, *others = banks.homes(folder)
    for other in others:
        if (other / "quizzes" / f"{topic}.yaml").is_file():
            return f"{home / 'quizzes'} has none; the package's bank has: --bank {shlex.quote(str(other))}"
    return ""


def _good(bank: Bank) -> Bank:
    if bank.findings:
        print_findings(bank.findings, to=sys.stderr)
        raise InputError(f"the bank has {len(bank.findings)} problems", "mend them; `grader verify` shows them again")
    return bank


def find_item(bank: Bank, name: str) -> Item:
    for item in bank.items:
        if item.id == name:
            return item
    raise InputError(f"there is no item `{name}`", _meant(name, [item.id for item in bank.items]))


def _meant(given: str, known: list[str]) -> str:
    return did_you_mean(given, known) or f"there are {', '.join(known)}"


def good_lessons(paths: Iterable[Path]) -> list[Lesson]:
    """Lessons that can be read. Raises InputError where one cannot."""
    from grader import lesson as lessons

    read, found = lessons.read(paths)
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


def write_files(texts: Mapping[Path, str]) -> None:
    """Write files through temporary ones beside them: each is whole at every moment. Raises InputError.

    The first is put in its place when all are written, so that a full disk leaves things as they were.
    """
    beside = {path: path.with_name(f".{path.name}.new") for path in texts}
    path = Path()
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside[path].write_text(text, encoding="utf-8", newline="\n")
        for path, new in beside.items():
            new.replace(path)
    except OSError as error:
        for new in beside.values():
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
        raise InputError(f"{path}: it cannot be written: {error.strerror}", "it is as it was") from None


def answer_reader(at_terminal: bool, prompt_is_shown: bool) -> Any:
    """Reads one answer; None at the end of the input."""
    if at_terminal and prompt_is_shown:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (line editing at the prompt)
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]  # it is a TextIOWrapper

    def read() -> str | None:
        line = sys.stdin.readline(100_000)
        if not at_terminal:
            typed = line.rstrip("\n")
            if prompt_is_shown:
                print(typed)
        return line.rstrip("\r\n") if line else None

    return read


def print_json(document: Any) -> None:
    text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    print(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _finite(data: Any) -> Any:
    """JSON has no word for infinities and NaN: they become text."""
    match data:
        case float() if not math.isfinite(data):
            return str(data)
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
    from grader.model import Variant
    from grader.run.local import NOT_STARTED
    from grader.ui.documents import show_variant

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
