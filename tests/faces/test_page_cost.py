"""What the page costs, in short: multiples of a bare starlette hello, queries, programs, the first paint. `make bench` measures more."""

from __future__ import annotations

import re
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from sqlalchemy import event

from grader.learning import records, sitting_questions
from grader.runner.local import LocalRunner
from tests.bench import web
from tests.support.page import Served

PATIENCE = 3
"""A busy machine may spoil a measurement: what was promised has to be seen in one of so many."""

BUSY = 2
"""So many times what was promised of a quiet machine: beside others, what touches more memory costs more of a hello."""


@contextmanager
def queries(page: Served) -> Iterator[list[str]]:
    """What the records are asked, meanwhile."""
    assert page.site.records
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not re.match(r"BEGIN|COMMIT|PRAGMA", statement):
            said.append(statement)

    engine = page.site.records._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.waits
def test_requests_cost_no_more_than_promised_of_a_hello(page: Served) -> None:
    """CPU time of the server's threads, which no load makes much more of; the client is this thread, and is left out."""
    client = page.client(cookies=page.tab().client.cookies)
    main = threading.get_native_id()
    with web.in_a_thread(web.hello()) as address, httpx.Client(base_url=address, timeout=None) as greeting:
        asking = web.Asking(client, page.site)

        def took() -> float:
            return web.cpu("self", leave_out=main)

        for left in reversed(range(PATIENCE)):
            found = web.ratios(asking, lambda: greeting.get("/"), took, took, 5, ("topic after", "code"))
            dear = {
                name: one["ratio"] for name, one in found.items() if one["ratio"] > BUSY * web.PROMISED.get(name, 99)
            }
            if not dear:
                return
            assert left, f"of a hello's CPU time: {dear}"


def test_progress_asks_three_queries_at_most_and_pages_none_until_something_is_written(
    page: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CLOCK_GRAIN", 0)  # what was written just now counts as seen
    tab = page.tab()
    path = web.Asking(tab.client, page.site).question()
    tab.open(path).send("check", {"a.0": "B"})
    with queries(page) as said:
        tab.open("/progress")
    assert len(said) <= 3, said
    tab.open("/t/warmup").open("/")
    with queries(page) as said:
        tab.open("/progress").open("/t/warmup").open("/")
    assert len(said) <= 1, "nothing was written since"


def test_an_answer_in_code_runs_one_program(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reference does with the same inputs is remembered: ten answers run at most twelve programs."""
    monkeypatch.setattr(sitting_questions, "POOL", 1)  # as when all draws of an item were met
    tab = page.tab()
    asking = web.Asking(tab.client, page.site)
    asking.code_anew()()
    ran: list[Any] = []
    submit = LocalRunner.submit

    def counted(self: LocalRunner, program: Any, by: str | None = None) -> Any:
        ran.append(program)
        return submit(self, program, by)

    with patch.object(LocalRunner, "submit", counted):
        for _ in range(10):
            asking.code_anew()()
    assert len(ran) <= 12


@pytest.mark.slow
@pytest.mark.waits
def test_the_first_paint_is_nearly_that_of_plain_files(page: Served, chromium: Any) -> None:
    client = page.client()
    files = web.same_bytes(client, f"/q/{web.ITEM}")
    with web.in_a_thread(web.hello(files)) as address:
        for left in reversed(range(PATIENCE)):
            found = web.paints(chromium, f"{page.url}/q/{web.ITEM}", f"{address}/", 5)
            ours, plain = (min(statistics.median(found[name]), 9e9) for name in ("page", "plain"))
            if ours <= web.PROMISED_PAINT * plain:
                return
            assert left, f"{ours:.0f} ms, of plain files {plain:.0f} ms"
