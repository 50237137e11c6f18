"""The page for tests: served on a free port of this process, or by the command in one of its own, and asked through HTTP."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never
from unittest.mock import patch

import httpx
import uvicorn

from grader.faces.web import safety, server
from grader.faces.web.app import app
from grader.faces.web.site import Site
from grader.model import ChooseMany, ChooseOne, CodeInput, NumberInput, OrderInput, Prompt, Response, TextInput
from grader.runner.local import LocalRunner

SECRET = "a secret of the tests, which is long enough"


@dataclass
class Tab:
    """A browser without JavaScript: it keeps cookies, follows what a form answers, and sends forms as they stand on a page."""

    client: httpx.Client
    text: str = ""
    status: int = 0
    path: str = "/"
    seen: dict[str, str] = field(default_factory=dict, repr=False)
    """The pages that were shown, by what elements and classes they have: one of each sort."""

    def open(self, path: str) -> Tab:
        return self._took(self.client.get(path))

    def _took(self, answer: httpx.Response) -> Tab:
        assert answer.status_code != 500, answer.text[-2000:]
        self.text, self.status = answer.text, answer.status_code
        ids = re.findall(r' id="([^"]+)"', answer.text)
        assert len(ids) == len(set(ids)), "two elements of one id"
        self.path = str(answer.url.raw_path, "ascii")
        if answer.headers.get("content-type", "").startswith("text/html"):
            sort = " ".join(sorted(set(re.findall(r"<(\w+(?: class=\"[^\"]*\")?)", answer.text))))
            self.seen.setdefault(sort, answer.text)
        return self

    @property
    def key(self) -> str:
        found = re.search(r'name="key" value="([^"]+)"', self.text)
        assert found, self.text[:500]
        return found[1]

    def form(self, kind: str = "answer") -> tuple[str, dict[str, Any]]:
        """The form of a class on this page: where it goes, and its hidden fields."""
        found = re.search(rf'<form class="{kind}[^>]*action="([^"]*)"[^>]*>(.*?)</form>', self.text, re.DOTALL)
        assert found, f"no form `{kind}` on {self.path}"
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[2])
        return found[1].replace("&amp;", "&"), dict(hidden)

    def send(
        self, do: str = "check", fields: dict[str, Any] | None = None, *, kind: str = "answer", **changed: str
    ) -> Tab:
        """Send the form with these fields, by the button that does this."""
        action, hidden = self.form(kind)
        return self.post(action, {**hidden, **changed, "do": do, **(fields or {})})

    def post(self, path: str, fields: dict[str, Any]) -> Tab:
        return self._took(self.client.post(path, data=fields))

    def begin(self, path: str) -> Tab:
        """Press the button on a page that begins a sitting."""
        self.open("/")
        return self.post(path, {"key": self.key})


def filled(prompt: Prompt, response: Response) -> dict[str, Any]:
    """The fields of a form that hold an answer that was read, as somebody would fill them in."""
    found: dict[str, Any] = {}
    picked, numbers, parts = list(response.picked), list(response.numbers), list(response.parts)
    if response.number is not None:
        numbers.append(response.number)
    for place, one in enumerate(prompt.inputs):
        name = f"a.{place}"
        match one:
            case ChooseOne() if prompt.reveals:
                found[name] = one.options[int(response.number or 1) - 1]
            case ChooseOne():
                found[name] = one.letters[picked.pop(0)]
            case ChooseMany():
                found[name] = [one.letters[at] for at in picked]
            case NumberInput():
                found[name] = repr(numbers.pop(0))
            case TextInput() | CodeInput():
                found[name] = parts.pop(0)
            case OrderInput(lines=lines):
                places = _places(lines, parts)
                found |= {f"{name}.{number}": str(places[number - 1]) for number in range(1, len(lines) + 1)}
            case _:
                assert_never(one)
    return found


def _places(lines: tuple[str, ...], order: list[str]) -> list[int]:
    """At which place each line stands in this order; lines may be equal."""
    left = list(enumerate(order, 1))
    places = []
    for line in lines:
        at = next(one for one in left if one[1] == line)
        left.remove(at)
        places.append(at[0])
    return places


@dataclass
class Served:
    """A page that is served, and how it is opened."""

    site: Site
    url: str
    token: str
    keys: safety.Keys
    clients: list[httpx.Client] = field(default_factory=list, repr=False)
    seen: dict[str, str] = field(default_factory=dict, repr=False)
    """See `Tab`."""

    def client(self, **options: Any) -> httpx.Client:
        """It is closed with the page."""
        made = httpx.Client(base_url=self.url, follow_redirects=True, timeout=None, **options)
        self.clients.append(made)
        return made

    def tab(self, *, owner: bool = True) -> Tab:
        tab = Tab(self.client(), seen=self.seen)
        return tab.open(f"/?token={self.token}") if owner else tab


@contextlib.contextmanager
def served(
    db: Path | str,
    *,
    bank: Path | list[Path] | None = None,
    runner: LocalRunner | None = None,
    author: bool = False,
    class_name: str = "",
    **reach: Any,
) -> Iterator[Served]:
    """The page in a thread; with the tests' runner, which is left open, where one is given."""
    site = Site(str(db), bank=bank, author=author, class_name=class_name)
    if runner is not None:
        site.backing.runner._make = lambda: runner
        site.backing.runner.close = lambda: None  # type: ignore[method-assign]
    at = server.listen("127.0.0.1", 0)
    keys = safety.Keys(SECRET, at.token, at.port)
    if site.classroom:
        keys = safety.Keys.of_class(site.classroom.about.key, class_name)
    run = uvicorn.Server(server.config(app(site, keys, safety.Reach(**{"names": safety.hosts(at.host), **reach}))))
    found = Served(site, f"http://127.0.0.1:{at.port}", keys.token, keys)
    with patch.object(run, "capture_signals", contextlib.nullcontext):
        thread = threading.Thread(target=run.run, kwargs={"sockets": [at.socket]})
        thread.start()
        try:
            yield found
        finally:
            for client in found.clients:
                client.close()
            run.should_exit = True
            thread.join()
            site.close()
