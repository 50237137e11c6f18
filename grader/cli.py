"""The command `grader`: reads arguments, calls the rest of the house, prints, and gives an exit code.

0 fine; 1 something fell short; 2 wrong usage or bad input; 3 our fault. What is slow to import is imported by the
command that needs it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader import __version__
from grader.errors import GraderError, InputError, did_you_mean

if TYPE_CHECKING:
    from grader.model import Bank, Finding, Item
    from grader.run.remembered import RememberingRunner, Store

bank_option = click.option("--bank", type=Path, metavar="DIR", help="A folder with quizzes/ in it.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
seed_option = click.option("--seed", type=int, help="Draw other numbers; the same seed draws the same ones.")
plain_option = click.option("--plain", is_flag=True, help="No plots: every line is words or a table.")
strict_option = click.option("--strict", is_flag=True, help="Exit with 1 unless all is right.")


class InOrder(click.Group):
    """Lists commands in the order of this file: learners first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, package_name="torch-grader", message="torch-grader %(version)s")
def app() -> None:
    """Quizzes and lessons for PyTorch in which every answer is proven by running it."""


# ---------------------------------------------------------------- learners


@app.command()
@bank_option
@json_option
def topics(bank: Path | None, as_json: bool) -> None:
    """What there is to learn."""
    from grader.ui.documents import topics_document

    document = topics_document(_good_bank(bank))
    if as_json:
        _print_json(document)
        return
    for topic in document["topics"]:
        levels = ", ".join(f"{count} {level}" for level, count in topic["levels"].items())
        modes = ", ".join(f"{mode} {count}" for mode, count in topic["modes"].items())
        print(f"{topic['topic']}: {topic['title']}")
        print(f"  {topic['items']} questions ({levels}) in {topic['variants']} variants; by mode: {modes}")
        print(f"  grader quiz {topic['topic']}")


@app.command()
@click.argument("topic")
@click.option("--mode", default="practice", show_default=True, help="Which questions to ask.")
@click.option("--count", type=click.IntRange(min=1), default=5, show_default=True, help="How many questions.")
@seed_option
@click.option("--shuffle", is_flag=True, help="Mix the options.")
@bank_option
@json_option
@plain_option
@strict_option
def quiz(
    topic: str,
    mode: str,
    count: int,
    seed: int | None,
    shuffle: bool,
    bank: Path | None,
    as_json: bool,
    plain: bool,
    strict: bool,
) -> None:
    """Ask questions. Reads one answer a line where the input is not a terminal."""
    from grader.model import Outcome, Result
    from grader.session import Question, choose
    from grader.ui.documents import quiz_document
    from grader.ui.terminal import Terminal, screen
    from grader.verify import Proving

    with _proof_runner() as (runner, store):
        questions_bank = _topic_bank(bank, topic, store)
        items = choose(questions_bank, topic, mode, count)
        if not items:
            known = sorted({name for item in questions_bank.items for name in item.modes})
            raise InputError(f"{topic} has no questions for the mode `{mode}`", f"it has {', '.join(known)}")
        mistakes = questions_bank.mistakes
        at_terminal = sys.stdin.isatty()
        out = screen(sys.stderr if at_terminal else io.StringIO()) if as_json else screen()
        terminal = Terminal(out, _reader(at_terminal, out.file is sys.stdout), plain)
        terminal.interactive = at_terminal
        mix = (0 if seed is None else seed) if shuffle else None
        asked = [Question(item, item.variant(seed), Proving(item, item.variant(seed), runner), mix) for item in items]
        results: list[Result] = []
        ended = "complete"
        try:
            for number, question in enumerate(asked, 1):
                result = terminal.ask(question, f"Question {number} of {len(asked)}", mistakes)
                if result is None:
                    ended = "stopped"
                    break
                results.append(result)
                if number < len(asked) and not terminal.pause():
                    ended = "stopped"
                    break
        except KeyboardInterrupt:
            ended = "stopped"
        terminal.summary(topic, len(asked), results, mistakes)
        if as_json:
            _print_json(quiz_document(topic, len(asked), results, ended))
        if any(result.score.outcome is Outcome.NOT_RUN for result in results):
            raise SystemExit(3)
        if strict and (ended != "complete" or any(r.score.outcome is not Outcome.CORRECT for r in results)):
            raise SystemExit(1)


@app.command()
@click.argument("item")
@click.option("--answer", help="A letter, a text or a value.")
@click.option("--answer-file", type=Path, metavar="F", help="Read the answer from a file.")
@seed_option
@bank_option
@json_option
@strict_option
def grade(
    item: str,
    answer: str | None,
    answer_file: Path | None,
    seed: int | None,
    bank: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Grade one answer."""
    from grader.model import Outcome
    from grader.session import Question
    from grader.ui.documents import grade_document
    from grader.verify import Proving

    if (answer is None) == (answer_file is None):
        raise InputError("give one of --answer and --answer-file", "such as `--answer 0.06`")
    raw = answer if answer_file is None else _text(answer_file)
    assert raw is not None
    with _proof_runner() as (runner, store):
        whole = _good_bank(bank, store)
        found = _item(whole, item)
        variant = found.variant(seed)
        question = Question(found, variant, Proving(found, variant, runner))
        result = question.answer(raw, whole.mistakes)
    if as_json:
        _print_json(grade_document(result))
    else:
        parts = [
            result.score.outcome.value,
            result.score.mistake and f"({result.score.mistake})",
            result.score.feedback,
        ]
        print(" ".join(part for part in parts if part))
    if result.score.outcome is Outcome.NOT_RUN:
        raise SystemExit(3)
    if strict and result.score.outcome is not Outcome.CORRECT:
        raise SystemExit(1)


# ---------------------------------------------------------------- authors


@app.command()
@click.argument("paths", nargs=-1, type=Path, metavar="[PATH]...")
@bank_option
@json_option
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use what was proven before.")
def verify(paths: tuple[Path, ...], bank: Path | None, as_json: bool, cache: bool) -> None:
    """Prove every claim of the bank in real PyTorch."""
    from grader import bank as banks
    from grader.run.local import LocalRunner
    from grader.run.remembered import RememberingRunner, Store, installed_torch
    from grader.ui.documents import verify_document
    from grader.verify import Report
    from grader.verify import verify as prove

    started = time.monotonic()
    store = Store()
    with contextlib.ExitStack() as stack:
        runner: LocalRunner | RememberingRunner
        if cache:
            runner = RememberingRunner(store, LocalRunner)
        else:
            runner = LocalRunner()
            runner.start()  # torch loads while the files are read
        stack.callback(runner.close)
        read = banks.read(banks.files(paths or [banks.home(bank)]), store if cache else None)
        report = Report(len(read.items), 0, 0, 0, read.findings) if read.malformed else prove(read, runner)
        store.forget_old()
    seconds = time.monotonic() - started
    torch = installed_torch().partition("+")[0]
    if as_json:
        _print_json(verify_document(report, torch, seconds))
    else:
        _print_findings(report.findings)
        if read.malformed:
            print(f"{len(read.findings)} problems in the files; nothing was run.")
        else:
            found = f", {report.errors} findings" if report.errors else ""
            print(f"{report.items} items, {report.variants} variants, {report.claims} claims in torch {torch}:")
            print(f"{report.proven} items proven, {report.items - report.proven} not{found}, in {seconds:.1f} s.")
    if read.malformed:
        raise SystemExit(2)
    if any(finding.code == "not-run" for finding in report.findings):
        raise SystemExit(3)
    if report.errors:
        raise SystemExit(1)


@app.command()
@click.argument("file", type=Path)
@json_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Time limit.")
@click.option("--memory", type=click.IntRange(min=16), default=1024, show_default=True, help="Limit in MiB.")
@plain_option
def run(file: Path, as_json: bool, seconds: float, memory: int, plain: bool) -> None:
    """Run a program in the sandbox and show what was observed. - reads it from standard input."""
    from grader.model import Limits, Program, Status
    from grader.run.local import LocalRunner
    from grader.ui.documents import run_document

    source = _text(file)
    limits = Limits(wall_seconds=seconds, cpu_seconds=max(1, round(seconds)), memory_bytes=memory << 20)
    with LocalRunner(1) as runner:
        seen = runner.submit(Program(source, limits=limits)).result()
        walls = runner.walls
    if seen.status is not Status.NOT_RUN and not walls.contained:
        print("grader: notice: no sandbox here; `grader doctor` says why", file=sys.stderr)
    if as_json:
        _print_json(run_document(seen))
    else:
        from grader.ui.terminal import screen, show_run

        show_run(screen(), seen, plain)
    if seen.status is Status.NOT_RUN:
        raise SystemExit(3)
    if seen.status is not Status.OK:
        raise SystemExit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a quiz file, for editors."""
    from grader.shape import schema as quiz_schema

    _print_json(quiz_schema())


@app.command()
@json_option
def doctor(as_json: bool) -> None:
    """What works on this machine, and what does not."""
    from grader.doctor import examine

    checks = examine()
    if as_json:
        _print_json({"format": 1, "checks": [check.document() for check in checks]})
    else:
        for check in checks:
            print(f"{check.word:4}  {check.name}: {check.found}")
            if check.hint:
                print(f"      {check.hint}")
    if any(check.word == "fail" for check in checks):
        raise SystemExit(1)


# ---------------------------------------------------------------- shared


@contextlib.contextmanager
def _proof_runner() -> Iterator[tuple[RememberingRunner, Store]]:
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


def _good_bank(folder: Path | None, store: Store | None = None) -> Bank:
    """The whole bank. Raises InputError where it has findings."""
    from grader import bank as banks

    return _good(banks.read(banks.files([banks.home(folder)]), store))


def _topic_bank(folder: Path | None, topic: str, store: Store) -> Bank:
    """The bank's file of one topic where there is one by that name, else the whole bank."""
    from grader import bank as banks

    one = banks.home(folder) / "quizzes" / f"{topic}.yaml"
    if one.is_file() and not (found := banks.read([one], store)).findings:
        return found
    whole = _good_bank(folder, store)
    names = [entry.name for entry in whole.topics]
    if topic not in names:
        raise InputError(f"there is no topic `{topic}`", _meant(topic, names))
    return whole


def _good(bank: Bank) -> Bank:
    if bank.findings:
        _print_findings(bank.findings, to=sys.stderr)
        raise InputError(f"the bank has {len(bank.findings)} problems", "mend them; `grader verify` shows them again")
    return bank


def _item(bank: Bank, name: str) -> Item:
    for item in bank.items:
        if item.id == name:
            return item
    raise InputError(f"there is no item `{name}`", _meant(name, [item.id for item in bank.items]))


def _meant(given: str, known: list[str]) -> str:
    return did_you_mean(given, known) or f"there are {', '.join(known)}"


def _text(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror}", "check its name") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start + 1} is not UTF-8 text", "save the file as UTF-8 text") from None


def _reader(at_terminal: bool, prompt_is_shown: bool) -> Any:
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


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _print_findings(findings: tuple[Finding, ...], to: Any = None) -> None:
    """Findings for people: the same finding in several variants is said once."""
    from grader.model import Variant
    from grader.ui.documents import show_variant

    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.item, finding.at), []).append(finding)
    for group in groups.values():
        first = group[0]
        where = f" [{first.item}]" if first.item else ""
        print(f"{first}{where}", file=to)
        if first.variant:
            others = f" and {len(group) - 1} more" if len(group) > 1 else ""
            print(f"  variant: {show_variant(Variant(0, first.variant))}{others}", file=to)
        if first.hint:
            print(f"  hint: {first.hint}", file=to)


def main() -> None:
    """The entry point: turns our exceptions into one message and an exit code. No traceback reaches a user."""
    try:
        app()
    except GraderError as error:
        print(f"grader: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("GRADER_DEBUG"):
            raise
        print(f"grader: an error of ours: {type(error).__name__}: {error}", file=sys.stderr)
        print("  hint: please report it, with what GRADER_DEBUG=1 shows", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
