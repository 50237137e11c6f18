"""What the page costs: the server's CPU time for each sort of request, as multiples of a bare starlette hello in the same run.

    python -m tests.bench.web [--answers N] [--without-browser]

Prints one JSON document. The page is `grader serve` in a process of its own, the hello is another one, served the same way. The
client asks for one thing at a time, of the two in turns, and reads how much CPU time all threads of the server took for it. Programs
of learners run in processes of their own, and are not counted. The first paint is what a browser with empty caches says of a
question and of the same bytes as plain files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from grader.faces.web import server
from grader.faces.web.site import Site
from grader.learning.records import CLOCK_GRAIN

ROOT = Path(__file__).parents[2]
PROMISED = {"topic": 4, "home": 4, "question": 4, "answer": 24, "code": 80}
"""At most so many times the CPU time of a hello."""

PROMISED_MEMORY, PROMISED_PAINT = 120, 1.5
"""MiB; and of the same bytes as plain files."""

ITEM, CODE = "third-epoch-rate", "write-the-factor"
WRONG = "def factor(epoch):\n    return epoch / (warmup_epochs + {})\n"
PAINT = """() => new Promise(done => {
    const found = () => performance.getEntriesByName('first-contentful-paint')[0];
    const look = () => found() ? done(found().startTime) : requestAnimationFrame(look);
    look();
})"""


# ---------------------------------------------------------------- servers


def hello(files: dict[str, tuple[bytes, str]] | None = None) -> Any:
    """A bare application: one route that says hello, or files by their paths."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    def greet(request: Any) -> Response:
        return PlainTextResponse("hello")

    def file(request: Any) -> Response:
        content, kind = (files or {})[request.url.path]
        return Response(content, media_type=kind)

    return Starlette(routes=[Route("/{path:path}", file)] if files else [Route("/", greet)])


@contextlib.contextmanager
def in_a_thread(app: Any) -> Iterator[str]:
    """The address of an application that is served as the page is, by a thread of this process."""
    import uvicorn

    at = server.listen("127.0.0.1", 0)
    run = uvicorn.Server(server.config(app))
    run.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    thread = threading.Thread(target=run.run, kwargs={"sockets": [at.socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{at.port}"
    finally:
        run.should_exit = True
        thread.join()


@contextlib.contextmanager
def _process(*command: str, **environment: str) -> Iterator[tuple[int, str]]:
    """A server in a process of its own: its id, and the address that it prints."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **environment}
    ) as process:
        assert process.stdout
        try:
            yield process.pid, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)


# ---------------------------------------------------------------- what is measured


def cpu(pid: int, leave_out: int = 0) -> float:
    """Seconds of CPU time that the threads of a process took so far, but for one."""
    took = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(leave_out):
            with contextlib.suppress(OSError):
                took += int((task / "schedstat").read_text().split()[0])
    return took / 1e9


class Asking:
    """A client of one page, which knows what its forms hold; and sittings of its owner that ask one question each."""

    def __init__(self, client: httpx.Client, site: Site) -> None:
        self._client, self._site, self._count = client, site, 0
        self._key = re.search(r'name="key" value="([^"]+)"', client.get("/").text)[1]  # type: ignore[index]

    def get(self, path: str) -> Callable[[], Any]:
        return lambda: self._client.get(path)

    def question(self, item: str = ITEM, mode: str = "practice") -> str:
        """The address of a new sitting that asks an item; it was looked at once."""
        found = self._site.item(item)
        path = f"/s/{self._site.sittings.begin(self._site.learner, found.topic, mode, [(found, 0)], mix=5)}/1"
        self._client.get(path)
        return path

    def answer(self, path: str, raw: str, tries: int = 0) -> httpx.Response:
        self._count += 1
        form = {"key": self._key, "do": "check", "a.0": raw, "tries": str(tries), "token": f"t{self._count}"}
        answer = self._client.post(path, data=form)
        assert answer.status_code == 200, answer.text[:500]
        assert 'id="told"' in answer.text
        return answer

    def again(self, path: str) -> Callable[[], Any]:
        """A page that was looked at since anything was written."""
        time.sleep(2 * CLOCK_GRAIN / 1e9)
        self._client.get(path)
        return self.get(path)

    def answer_anew(self) -> Callable[[], Any]:
        """A choice in a new sitting: the answer is recorded, and the page with its reasons is drawn."""
        path = self.question()
        return lambda: self.answer(path, "B")

    def code_anew(self) -> Callable[[], Any]:
        path = self.question(CODE)
        self._count += 1
        return lambda: self.answer(path, WRONG.format(self._count))


def ratios(asking: Asking, greet: Callable[[], Any], took: Callable[[], float], took_hello: Callable[[], float],
           times: int, leave_out: Sequence[str] = ()) -> dict[str, dict[str, float]]:  # fmt: skip
    """Of each sort of request: the median of its CPU time, in ms, and as a multiple of a hello's that were asked in between."""
    sorts: dict[str, Callable[[], Callable[[], Any]]] = {
        "topic": lambda: asking.again("/t/warmup"), "home": lambda: asking.again("/"),
        "question": lambda: asking.get(asking.question()), "topic after": lambda: asking.get("/t/warmup"),
        "answer": asking.answer_anew, "code": asking.code_anew,
    }  # fmt: skip

    sorts = {name: make for name, make in sorts.items() if name not in leave_out}

    def measured(done: Callable[[], Any], clock: Callable[[], float]) -> float:
        before = clock()
        done()
        return (clock() - before) * 1000

    for make in sorts.values():
        make()()  # not counted: caches fill
    greet()
    taken: dict[str, list[float]] = {name: [] for name in ("hello", *sorts)}
    for _ in range(times):
        for name, make in sorts.items():
            taken["hello"].append(measured(greet, took_hello))
            done = make()
            taken[name].append(measured(done, took))
    bare = statistics.median(taken["hello"])
    return {
        name: {"ms": statistics.median(those), "ratio": statistics.median(those) / bare}
        for name, those in taken.items()
    }


def paints(chromium: Any, page: str, plain: str, times: int) -> dict[str, list[float]]:
    """Milliseconds to the first contentful paint of two pages, each time in a browser that has nothing of them, in turns."""
    found: dict[str, list[float]] = {"page": [], "plain": []}
    for _ in range(times):
        for name, address in (("page", page), ("plain", plain)):
            context = chromium.new_context(viewport={"width": 1200, "height": 900})
            tab = context.new_page()
            tab.goto(address)
            found[name].append(tab.evaluate(PAINT))
            context.close()
    return found


def same_bytes(client: httpx.Client, path: str) -> dict[str, tuple[bytes, str]]:
    """A page and what it asks for, as plain files by their paths."""
    page = client.get(path)
    files = {"/": (page.content, "text/html; charset=utf-8")}
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        part = client.get(address)
        files[address.partition("?")[0]] = (part.content, part.headers["content-type"])
    return files


# ---------------------------------------------------------------- the command


def measure(times: int, answers: int, *, with_browser: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        db = str(Path(place) / "records.sqlite")
        enter = stack.enter_context
        pid, url = enter(
            _process("-m", "grader", "serve", "--port", "0", "--no-browser", GRADER_DB=db, XDG_DATA_HOME=place)
        )
        started = sum(psutil.Process(pid).cpu_times()[:2])  # before anything else begins: it warms up from now on
        client = enter(httpx.Client(base_url=url.partition("/?")[0], follow_redirects=True, timeout=None))
        client.get(url)
        home = sum(psutil.Process(pid).cpu_times()[:2])
        other, plain = enter(_process("-m", "tests.bench.web", "--hello"))
        greeting = enter(httpx.Client(base_url=plain, timeout=None))
        site = Site(db)
        stack.callback(site.close)
        asking = Asking(client, site)
        found: dict[str, Any] = {"socket": started, "home": home}
        found["requests"] = ratios(asking, lambda: greeting.get("/"), lambda: cpu(pid), lambda: cpu(other), times)
        found["memory"] = []
        for number in range(answers):
            asking.answer_anew()()
            if number % max(1, answers // 4) == 0:
                found["memory"].append(psutil.Process(pid).memory_info().rss / 2**20)
        found["memory"].append(psutil.Process(pid).memory_info().rss / 2**20)
        found["answers"] = answers
        if with_browser:
            from tests.support.browser import browser

            files = same_bytes(client, f"/q/{ITEM}")
            address = enter(in_a_thread(hello(files)))
            found["paint"] = paints(enter(browser()), f"{client.base_url}/q/{ITEM}", f"{address}/", times)
        return found


def page(found: dict[str, Any]) -> list[str]:
    """The section of the page."""
    names = {
        "hello": "a bare starlette hello", "topic": "a topic", "home": "the first page",
        "topic after": "a topic, right after something was put on record", "question": "a question of a sitting",
        "answer": "a choice: answered, recorded, drawn with all reasons",
        "code": "code: answered, run, recorded, drawn (the server's share)",
    }  # fmt: skip
    lines = [
        "", "## The page", "", "(CPU time of the server's process, one request at a time, in turns with the hello.)", "",
        "| | median | of a hello | promised |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, label in names.items():
        one = found["requests"][name]
        promised = f"at most {PROMISED[name]}" if name in PROMISED else ""
        lines.append(f"| {label} | {one['ms']:.2f} ms | {one['ratio']:.1f} | {promised} |")
    memory = ", ".join(f"{size:.0f}" for size in found["memory"])
    lines += [
        "", f"Memory, at the beginning, between and after {found['answers']:,} recorded answers: {memory} MiB (promised: "
        f"{PROMISED_MEMORY}). CPU time until the socket answers: {found['socket']:.2f} s (promised: 0.5), until the first page "
        f"is there: {found['home']:.2f} s (1).",
    ]  # fmt: skip
    if paint := found.get("paint"):
        ours, plain = (statistics.median(paint[name]) for name in ("page", "plain"))
        lines += [
            "", f"First contentful paint of a question in a browser with empty caches: {ours:.0f} ms, of the same bytes as plain "
            f"files {plain:.0f} ms: {ours / plain:.2f} (promised: {PROMISED_PAINT}).",
        ]  # fmt: skip
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hello", action="store_true")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--without-browser", action="store_true")
    given = parser.parse_args()
    if given.hello:
        with in_a_thread(hello()) as address, contextlib.suppress(KeyboardInterrupt):
            print(address, flush=True)
            signal.pause()
        return
    print(json.dumps(measure(given.times, given.answers, with_browser=not given.without_browser)))


if __name__ == "__main__":
    main()
