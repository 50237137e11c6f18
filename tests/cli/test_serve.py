"""`grader serve` as a user starts it: an address on one line, a page at once, killed and started again under the same tab."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from grader.learning.records import Records
from tests.support.browser import browser as chromium
from tests.support.common import ROOT
from tests.support.page import Tab
from tests.support.patience import milliseconds, slowness, until

if TYPE_CHECKING:
    from tests.support.common import Command

pytestmark = pytest.mark.waits

RIGHT = "def factor(epoch):\n    return min((epoch + 1) / warmup_epochs, 1)"
"""An answer to `write-the-factor`."""


@contextmanager
def serving(
    environment: dict[str, str], home: Path, port: int = 0, *more: str, db: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it printed; it is ended as by Ctrl+C."""
    env = environment | {"GRADER_DB": db or str(home / "records.sqlite"), "XDG_DATA_HOME": str(home / "data")}
    command = [sys.executable, "-m", "grader", "serve", "--port", str(port), "--no-browser", *more]
    with (
        (home / "errors").open("a") as errors,
        subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


def browser(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=None)


def test_a_killed_server_is_started_again_and_the_same_tab_goes_on(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path) as (process, url):
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{32}", url)
        assert found
        port = int(found[1])
        assert not {path for path in Path(f"/proc/{process.pid}/maps").read_text().split() if "libtorch" in path}
        client = browser(port)
        tab = Tab(client).open(url.partition(str(port))[2])
        assert "Begin with" in tab.text
        tab.begin("/t/warmup/practice").send("solution")
        address, before = tab.path, tab.text
        sitting = tab.path.split("/")[2]
        tab.open(f"/s/{sitting}/2")
        process.kill()
    with serving(environment, tmp_path, port) as (process, again):
        assert again != url, "a new token each time"
        tab.send("solution")
        assert "Skipped" in tab.text
        assert tab.open(address).text.count("Skipped") == before.count("Skipped")
        with browser(port) as other:
            assert other.get(f"/?{url.partition('?')[2]}").status_code == 403, "the token of before"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert (tmp_path / "errors").read_text() == ""
    client.close()


@pytest.mark.slow
def test_a_tab_of_a_browser_outlives_its_server(environment: dict[str, str], tmp_path: Path) -> None:
    """It says that the connection is lost, keeps what was typed, and goes on with the server that is started again."""
    with chromium() as found, found.new_context() as context:
        tab = context.new_page()
        tab.set_default_timeout(milliseconds())
        with serving(environment, tmp_path) as (process, url):
            port = int(re.search(r":(\d+)/", url)[1])  # type: ignore[index]
            tab.goto(url)
            tab.goto(f"http://127.0.0.1:{port}/q/write-the-factor?v=0")
            tab.locator("textarea.code").fill(RIGHT)
            process.kill()
            process.wait()
            tab.locator('button.first[value="check"]').click()
            tab.get_by_text("The connection is lost").wait_for()
            assert tab.locator("textarea.code").input_value() == RIGHT
        with serving(environment, tmp_path, port):
            tab.locator('button.first[value="check"]').click()
            tab.locator("#told").wait_for()
            assert tab.locator("#told h2").inner_text().endswith("Right")


@pytest.mark.slow
def test_one_visitor_s_endless_loops_do_not_hold_up_another(environment: dict[str, str], tmp_path: Path) -> None:
    """Of fifty answers at once four are run, the others are refused in words; beside them another is answered soon."""
    with serving(environment, tmp_path) as (_, url), ThreadPoolExecutor(50) as pool:
        port = int(re.search(r":(\d+)/", url)[1])  # type: ignore[index]
        where, address = url.partition(str(port))[2], "/q/write-the-factor?v=0"
        first, other = (Tab(browser(port)).open(where).open(address) for _ in range(2))
        other.send("check", {"a.0": RIGHT})
        action, hidden = first.form()
        loop = {**hidden, "do": "check", "a.0": "def factor(epoch):\n    while True:\n        pass"}
        sent = [pool.submit(first.client.post, action, data={**loop, "token": f"t{one}"}) for one in range(50)]
        until(lambda: sum(one.done() for one in sent) >= 40, "nobody is refused")
        taken = []
        for number in range(10):
            began = time.monotonic()
            other.open(address).send("check", {"a.0": f"def factor(epoch):\n    return epoch / {number + 2}"})
            taken.append(time.monotonic() - began)
            assert "Not right yet" in other.text
        assert sorted(taken)[-2] <= 1.5 * slowness()
        codes = Counter(one.result().status_code for one in sent)
        assert codes[429] >= 40
        assert codes.keys() <= {200, 429}
        for one in (first, other):
            one.client.close()


@pytest.mark.slow
def test_it_ends_quietly_while_an_answer_is_being_run(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path) as (process, url), ThreadPoolExecutor(1) as pool:
        port = int(re.search(r":(\d+)/", url)[1])  # type: ignore[index]
        tab = Tab(browser(port)).open(url.partition(str(port))[2]).open("/q/write-the-factor?v=0")
        action, hidden = tab.form()
        loop = {**hidden, "do": "check", "a.0": "def factor(epoch):\n    while True:\n        pass"}
        sent = pool.submit(tab.client.post, action, data=loop)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert isinstance(sent.exception(), httpx.TransportError | None)
        tab.client.close()
    assert (tmp_path / "errors").read_text() == ""


class Student:
    """Somebody who answers question after question, and sends the same form again when the connection is lost."""

    def __init__(self, url: str, port: int, over: threading.Event, seed: int) -> None:
        self.tab, self.over, self.chance = Tab(browser(port)), over, random.Random(seed)
        self.told: dict[str, str] = {}
        """The verdict that was shown, by the address of the question."""
        self.again = 0
        self._patiently(lambda: self.tab.open(url))

    def _patiently(self, ask: Callable[[], object]) -> None:
        while not self.over.is_set():
            try:
                ask()
            except httpx.TransportError:
                self.again += 1
                time.sleep(0.02)
            else:
                return

    def learn(self) -> None:
        while not self.over.is_set():
            self._patiently(lambda: self.tab.begin("/t/warmup/practice"))
            sitting = self.tab.path.removesuffix("/1")
            for number in range(1, 6):
                self._patiently(partial(self.tab.open, f"{sitting}/{number}"))
                if self.over.is_set() or '<form class="answer"' not in self.tab.text:
                    break
                action, hidden = self.tab.form()
                groups = set(re.findall(r'<input type="radio" name="(a\.\d+)"', self.tab.text))
                picked = {name: self.chance.choice("AB") for name in sorted(groups)}
                form = hidden | ({"do": "check", **picked} if groups else {"do": "solution"})
                self._patiently(partial(self.tab.post, action, form))
                if not self.over.is_set() and (found := re.search(r'id="word">(.*?)</h2>', self.tab.text)):
                    self.told[action] = found[1]


@pytest.mark.long
def test_what_was_said_before_any_of_many_kills_is_on_record_once(environment: dict[str, str], tmp_path: Path) -> None:
    """Students answer under load, the server is killed at random moments, and their tabs go on where they were."""
    kills, chance, over = int(os.environ.get("GRADER_KILLS", "12")), random.Random(7), threading.Event()
    students: list[Student] = []

    def said() -> int:
        return sum(len(student.told) for student in students)

    with ThreadPoolExecutor(4) as pool:
        try:
            port, busy = 0, []
            for _ in range(kills):
                with serving(environment, tmp_path, port) as (process, url):
                    if not port:
                        port = int(re.search(r":(\d+)/", url)[1])  # type: ignore[index]
                        students += [Student(url.partition(str(port))[2], port, over, seed) for seed in range(4)]
                        busy += [pool.submit(student.learn) for student in students]
                    before = said()
                    until(partial(lambda before: said() > before, before), "nobody is told anything")
                    time.sleep(chance.random() * 0.3)
                    process.kill()
        finally:
            over.set()
            errors = (tmp_path / "errors").read_text()
        assert not errors
        for one in busy:
            one.result()
    with (
        serving(environment, tmp_path, port) as (process, _),
        Records(f"sqlite:///{tmp_path / 'records.sqlite'}") as store,
    ):
        on_record = Counter((attempt.sitting, attempt.place, attempt.tries) for attempt in store.attempts())
        assert set(on_record.values()) == {1}
        for student in students:
            assert student.again
            for path, word in student.told.items():
                _, _, sitting, number = path.split("/")
                assert (sitting, int(number) - 1, 0) in on_record
                assert f'id="word">{word}</h2>' in student.tab.open(path).text
            student.tab.client.close()
    assert said() >= kills
    assert (tmp_path / "errors").read_text() == ""


def test_it_answers_soon_without_torch(environment: dict[str, str], tmp_path: Path) -> None:
    """In CPU time, which no other process's load makes more of: twice what is wanted of a quiet machine."""
    with serving(environment, tmp_path) as (process, url):
        seconds = sum(psutil.Process(process.pid).cpu_times()[:2])
        assert httpx.get(url, follow_redirects=True, timeout=None).status_code in (200, 403)
        first = sum(psutil.Process(process.pid).cpu_times()[:2])
        assert seconds < 1.5
        assert first < 3


def test_without_its_packages_it_says_what_to_install(grader: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("grader.faces.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = grader("serve", "--no-browser")
    assert done.returncode == 2
    assert "pip install 'torch-grader[serve]'" in done.stderr
