"""What others do, and how busy the machine is, changes no verdict."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from grader import kinds
from grader.content.verify import PendingProof
from grader.judging.running_answers import Marker
from grader.model import Item, Limits, Observation, Outcome, Program, Proof, Response, Score, Status
from grader.runner import processes
from grader.runner.local import LocalRunner
from grader.runner.processes import WAITED
from grader.runner.progress import Activity
from tests.judging.test_exercises import RIGHT, items
from tests.support.common import ROOT

ANSWERS = int(os.environ.get("GRADER_ANSWERS", "25"))
"""How many answers are graded on a quiet machine and on a busy one."""

WAITING = {
    "sleeps": "import time\ntime.sleep(1000)\n",
    "wakes up a hundred times a second": "import time\nwhile True:\n    time.sleep(0.01)\n",
    "waits for its own lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n",
    "waits for a queue": "import queue\nqueue.Queue().get()\n",
    "waits for bytes": "import os\nread, write = os.pipe()\nos.read(read, 1)\n",
    "waits for a thread": "import threading\nstuck = threading.Thread(target=threading.Event().wait)\nstuck.start()\nstuck.join()\n",
}
"""Six ways to wait for what does not come."""

WRONG = {
    "late": "def factor(epoch):\n    return epoch / ramp if epoch < ramp else 1\n",
    "no cap": "factor = lambda epoch: (epoch + 1) / ramp\n",
    "shown numbers": "def factor(epoch):\n    return min((epoch + 1) / 5, 1)\n",
    "nothing": "def factor(epoch):\n    pass\n",
    "another name": "def faktor(epoch):\n    return 1\n",
    "no Python": "def factor(epoch)\n    return 1\n",
    "raises": "raise SystemExit(0)\n",
    "asks": "def factor(epoch):\n    return float(input())\n",
    "a loop": "while True: pass\n",
    "prints": "while True: print('x' * 1000)\n",
    "ends itself": "import os\nos._exit(0)\n",
}

MORE = {f"{number}/7 of it": f"factor = lambda epoch: {number} / 7 * min((epoch + 1) / ramp, 1)\n" for number in range(1, 60)}  # fmt: skip


@pytest.fixture(scope="module")
def factor() -> Item:
    return items()["factor"]


@contextmanager
def proven(item: Item) -> Iterator[tuple[LocalRunner, Proof]]:
    with LocalRunner() as runner:
        proof = PendingProof.begin(item, item.variants[0], runner).proof()
        assert not proof.findings
        yield runner, proof


def grade(item: Item, proof: Proof, runner: LocalRunner, by: str, code: str) -> Score:
    return kinds.of(item).grade(item, proof, Response("", parts=(code,)), Marker(lambda: runner, 3, by))


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


# ---------------------------------------------------------------- a busy machine


@pytest.mark.slow
def test_verdicts_are_the_same_on_a_busy_machine(factor: Item) -> None:
    """Right answers, known mistakes, endless loops, and six that wait, graded beside eight processes that only compute."""
    answers = dict([*RIGHT.items(), *WAITING.items(), *WRONG.items(), *MORE.items()][:ANSWERS])

    def graded(runner: LocalRunner, proof: Proof) -> dict[str, tuple[object, ...]]:
        def one(name: str) -> tuple[object, ...]:
            score = grade(factor, proof, runner, f"learner {name}", answers[name])
            return score.outcome, score.points, score.mistake, score.feedback, score.details

        with ThreadPoolExecutor(8) as pool:
            return dict(zip(answers, pool.map(one, answers), strict=True))

    with proven(factor) as (runner, proof):
        quiet = graded(runner, proof)
        with busy_processes(8):
            busy = graded(runner, proof)
    assert busy == quiet
    for name in WAITING:
        assert quiet[name][:2] == (Outcome.INCORRECT, 0.0)
        assert quiet[name][3] == f"Your code {WAITED.removeprefix('it ')}."
    for name in RIGHT:
        assert quiet[name][0] is Outcome.CORRECT, quiet[name]
    if "asks" in quiet:
        assert "was waiting and did not go on" in str(quiet["asks"])


def test_what_gets_no_core_is_not_run_and_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing gets a core cannot be made here; what the kernel would say of it is made up."""
    monkeypatch.setattr(Activity, "starved", lambda _: True)
    with LocalRunner() as runner:
        limits = Limits(cpu_seconds=60, wall_seconds=1.0)
        seen = runner.submit(Program("open('again', 'x')\nwhile True: pass", limits=limits)).result()
        assert (seen.status, seen.note) == (Status.NOT_RUN, "it got no core to run on, twice")
        assert runner.submit(Program("x = 1", ("x",))).result().asked[0].value == 1


# ---------------------------------------------------------------- others


def ended(futures: list[Future[Observation]]) -> int:
    return sum(future.done() for future in futures)


def test_one_learner_s_loops_do_not_hold_up_another(factor: Item) -> None:
    """However many are queued: another's program starts before the next of theirs, and not after all of them."""
    with LocalRunner() as runner:
        runner.wait_for_walls()
        loops = [runner.submit(Program(f"while True: pass #{n}", limits=Limits(cpu_seconds=1)), "eve") for n in range(50)]  # fmt: skip
        for number in range(6):
            before = ended(loops)
            assert runner.submit(Program(f"x = {number}", ("x",)), "ann").result().asked[0].value == number
            assert ended(loops) - before <= 2, "two were running"
        assert ended(loops) < len(loops)


@pytest.mark.slow
def test_who_waits_gives_the_place_to_others() -> None:
    """More programs sleep than there are places, and others run all the same; none of the sleepers is forgotten."""
    with LocalRunner() as runner:
        runner.wait_for_walls()
        sleepers = [
            runner.submit(Program(code, limits=Limits(waiting_seconds=20.0)), learner)
            for learner in ("eve", "mallory")
            for code in WAITING.values()
        ]
        seen = [runner.submit(Program(f"x = {n}", ("x",)), "ann").result().asked[0].value for n in range(50)]
        owners = runner.submit(Program("x = 1", ("x",))).result()
        assert seen == list(range(50))
        assert owners.asked[0].value == 1
        assert ended(sleepers) == 0
        assert {(sleeper.result().status, sleeper.result().note) for sleeper in sleepers} == {(Status.TIMEOUT, WAITED)}


@pytest.mark.parametrize(
    ("walls", "count"),
    [
        pytest.param("both walls", 200, id="two", marks=pytest.mark.slow),
        pytest.param("both walls", 40, id="two, fewer"),
        pytest.param("second wall alone", 60, id="one", marks=pytest.mark.slow),
    ],
)
def test_right_answers_beside_attacks_are_right(
    walls: str, count: int, factor: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one learner's answers attack those of others, 200 right ones are graded, and all are correct."""
    if walls == "second wall alone":
        monkeypatch.setattr(processes, "around_worker", lambda *_: None)
    attacks = [
        path.read_text()
        for path in sorted((ROOT / "tests/hostile").glob("*.py"))
        if path.stem.startswith(("leave_", "shut_", "change_", "pin_", "fill_", "signal_", "swap_", "ask_"))
    ]
    over = threading.Event()
    made: list[Observation] = []

    def attack(runner: LocalRunner) -> None:
        while not over.is_set():
            for code in attacks:
                if over.is_set():
                    return
                source = f"MARKER = '/nowhere'\n{code}"
                made.append(runner.submit(Program(source, limits=Limits(cpu_seconds=1)), "eve").result())

    with proven(factor) as (runner, proof):
        attackers = [threading.Thread(target=attack, args=(runner,)) for _ in range(2)]
        for attacker in attackers:
            attacker.start()
        try:
            codes = [RIGHT[name] for name in sorted(RIGHT)]
            with ThreadPoolExecutor(4) as pool:
                scores = list(
                    pool.map(
                        lambda n: grade(factor, proof, runner, f"ann {n % 8}", codes[n % len(codes)]), range(count)
                    )
                )
        finally:
            over.set()
            for attacker in attackers:
                attacker.join()
    assert [score for score in scores if (score.outcome, score.points) != (Outcome.CORRECT, 1.0)] == []
    assert made
    assert not [run for run in made if run.status is Status.NOT_RUN]


# ---------------------------------------------------------------- whatever fails


@pytest.mark.slow
def test_a_child_that_cannot_begin_is_not_the_program_s_fault() -> None:
    """Without a sandbox a program can take away the folders of others: they run all the same, by another worker."""
    spoil = "import os, shutil\nfor name in os.listdir('..'):\n    shutil.rmtree('../' + name, ignore_errors=True)\n"
    with LocalRunner(sandbox=False) as runner:
        runner.submit(
            Program(spoil)
        ).result()  # alone: one that has begun may well end by it, where there is no sandbox
        futures = [runner.submit(Program(f"x = {n}", ("x",))) for n in range(8)]
        seen = [future.result() for future in futures]
        assert [run.asked and run.asked[0].value for run in seen] == list(range(8)), seen


def test_where_no_child_can_begin_programs_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, with the reason, and no worker is started after that until somebody asks again."""
    starts = []
    real = processes.start_worker

    def start(**options: object) -> processes.Worker:
        starts.append(time.monotonic())
        return real(**options | {"children": 0})  # type: ignore[arg-type]

    monkeypatch.setattr("grader.runner.local.start_worker", start)
    with LocalRunner() as runner:
        seen = [runner.submit(Program("x = 1")).result() for _ in range(2)]
        count = len(starts)
        time.sleep(1)
        assert len(starts) == count
    assert {run.status for run in seen} == {Status.NOT_RUN}
    assert all(run.note for run in seen)


def test_nobody_waits_for_a_supervisor_that_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = LocalRunner()
    runner.wait_for_walls()
    futures = [runner.submit(Program("while True: pass")) for _ in range(9)]

    def fail(*_: object) -> None:
        raise RecursionError("made up")

    monkeypatch.setattr(runner, "_check_deadlines", fail)
    monkeypatch.setattr(runner, "_drop_worker", lambda real=runner._drop_worker: (real(), fail()))
    futures.append(runner.submit(Program("x = 1")))
    assert {future.result().status for future in futures} == {Status.NOT_RUN}
    assert runner.submit(Program("x = 1")).result().status is Status.NOT_RUN
    runner.close()


def test_a_forged_frame_costs_the_supervisor_little() -> None:
    """It was 2.5 s: a frame is refused by what it holds before it is parsed."""
    wide = (ROOT / "tests/hostile/forge_a_wide_result.py").read_text()
    with LocalRunner() as runner:
        runner.wait_for_walls()
        before = time.process_time()
        seen = runner.submit(Program(wide)).result()
        cost = time.process_time() - before
    assert seen.status is Status.KILLED
    assert cost < 1.0
