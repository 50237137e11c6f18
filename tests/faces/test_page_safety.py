"""What the page refuses, with the right status, and what it never tells before an answer."""

from __future__ import annotations

import os
import random
import re
import socket
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import kinds
from grader.content.verify import PendingProof
from grader.errors import InputError
from grader.faces.web import connections, safety, server
from grader.faces.web.app import SERVED
from grader.faces.web.safety import HEADERS, MOST_BYTES, MOST_FIELDS
from grader.model import Bank, Response
from grader.runner.cached import RememberingRunner
from tests.support.class_walks import NOBODY
from tests.support.page import Served, Tab, filled
from tests.support.patience import until

if TYPE_CHECKING:
    from tests.support.common import Command

ITEM = "/q/third-epoch-rate?v=0"

SAMPLE = 3
"""Items of each kind that are looked at here; of all variants of all items in the second tier."""


# ---------------------------------------------------------------- who may come


def test_without_the_token_there_are_single_questions_and_nothing_else(page: Served) -> None:
    guest = page.tab(owner=False)
    for path in (
        "/",
        "/t/warmup",
        "/progress",
        "/data",
        "/data/records.jsonl",
        "/author",
        "/s/" + "0" * 32 + "/1",
        "/review",
    ):
        assert guest.open(path).status == 403
        assert "Open the address" in guest.text
        assert "warmup" not in guest.text.replace("/t/warmup", "")
    assert guest.open(ITEM).status == 200
    assert "report" not in guest.text
    assert "You marked B" in guest.send("check", {"a.0": "B"}).text


def test_a_guest_s_answer_is_not_on_record(page: Served) -> None:
    assert page.site.records
    before = len(list(page.site.records.attempts()))
    page.tab(owner=False).open(ITEM).send("check", {"a.0": "A"})
    assert len(list(page.site.records.attempts())) == before


def test_code_of_guests_is_not_run(page: Served) -> None:
    guest = page.tab(owner=False).open("/q/write-the-factor?v=0")
    assert "not run here for guests" in guest.text
    assert "<textarea" not in guest.text
    answer = guest.client.post(
        "/q/write-the-factor?v=0", data={"key": guest.key, "a.0": "x", "tries": "0", "token": "t"}
    )
    assert answer.status_code == 403


def test_without_a_sandbox_the_open_address_runs_no_code(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page.site, "contained", lambda: False)
    tab = page.tab().open("/q/write-the-factor?v=0").send("check", {"a.0": "def factor(epoch): return 1"})
    assert tab.status == 403
    assert "There is no sandbox on this machine" in tab.text


@pytest.mark.parametrize("token", ["", "x", "ü", "%00", "a" * 3000])
def test_a_wrong_token_opens_nothing(page: Served, token: str) -> None:
    assert page.client().get("/", params={"token": token}).status_code == 403


def test_the_token_goes_from_the_address_into_a_cookie(page: Served) -> None:
    answer = page.client().get(f"/t/warmup?v=1&token={page.token}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/t/warmup?v=1"
    kept = answer.headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=lax" in kept
    assert page.token.lower() not in kept


def test_a_forged_or_changed_cookie_is_nobody_s(page: Served) -> None:
    good = page.keys.signed(safety.new_visitor(owner=False))
    for forged in (good[:-1] + ("A" if good[-1] != "A" else "B"), "x", "", good + "x", "a.b.c", "ü"):
        client = page.client()
        try:
            client.cookies.set(page.keys.cookie, forged)
            assert client.get("/").status_code == 403
        except UnicodeEncodeError:
            continue


def test_a_sitting_of_somebody_else_is_not_there(page: Served) -> None:
    """Of another learner in the same records, and of another guest."""
    other = page.site.sittings.begin("somebody else", "warmup", "practice", [(page.site.item("third-epoch-rate"), 0)])
    owner = page.tab()
    for path in (f"/s/{other}", f"/s/{other}/1", "/s/" + "f" * 32 + "/1", "/s/" + "f" * 32):
        assert owner.open(path).status == 404
        assert "There is no such question" in owner.text
    posted = owner.post(
        f"/s/{other}/1", {"key": owner.open("/").key, "do": "check", "a.0": "A", "tries": "0", "token": "t"}
    )
    assert posted.status == 404
    first, second = page.tab(owner=False).open(ITEM).send("check", {"a.0": "B"}), page.tab(owner=False)
    assert "You marked B" not in second.open(first.path).text


# ---------------------------------------------------------------- requests that are not from our pages


def test_every_answer_has_the_headers(page: Served) -> None:
    for path in ("/", ITEM, "/static/page.css", "/nope", "/static/nope"):
        answer = page.client().get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in answer.headers
    assert "unsafe" not in safety.CSP
    assert "default-src 'none'" in safety.CSP


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://127.0.0.1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "elsewhere.example"}, 421),
        ({"host": "127.0.0.1.elsewhere.example"}, 421),
        ({"host": "user@127.0.0.1"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": "localhost:99999"}, 421),
        ({"content-type": "application/json"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({}, 200),
    ],
    ids=str,
)
def test_requests_from_elsewhere_are_refused(page: Served, headers: dict[str, str], status: int) -> None:
    tab = page.tab().open("/progress")
    body = f"key={tab.key}&theme=light&back=/progress"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert tab.client.post("/look", content=body, headers={**kind, **headers}).status_code == status


def test_the_token_with_a_foreign_origin_opens_nothing(page: Served) -> None:
    answer = page.client().get("/", params={"token": page.token}, headers={"origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_of_another_visitor_or_without_its_key_is_refused(page: Served) -> None:
    owner, guest = page.tab(), page.tab(owner=False).open(ITEM)
    for key in (guest.key, "", "x", "ü"):
        answer = owner.client.post("/t/warmup/practice", data={"key": key})
        assert answer.status_code == 403
        assert "too old" in answer.text


def test_what_is_too_large_is_refused_and_the_page_goes_on(page: Served) -> None:
    tab = page.tab().open("/")
    many = {"key": tab.key, **{f"f{number}": "x" for number in range(10_000)}}
    assert tab.client.post("/look", data=many).status_code == 413
    fits = {"key": tab.key, **{f"f{number}": "x" for number in range(MOST_FIELDS - 2)}}
    assert tab.client.post("/look", data=fits).status_code == 200
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for size in (MOST_BYTES + 1, 50 << 20):
        try:
            answer = tab.client.post("/look", content=b"a" * size, headers=kind)
        except httpx.WriteError:  # it did not listen to the end
            continue
        assert answer.status_code == 413
    assert tab.open("/" + "a" * 5_000).status == 414
    assert tab.open("/").status == 200


def test_a_body_that_says_less_than_it_is_stays_bounded(page: Served) -> None:
    def chunks() -> Any:
        for _ in range(200):
            yield b"a" * 4_096

    tab = page.tab().open("/")
    try:
        answer = tab.client.post(
            "/look", content=chunks(), headers={"content-type": "application/x-www-form-urlencoded"}
        )
    except (httpx.WriteError, httpx.RemoteProtocolError):
        return
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/t/%2e%2e/%2e%2e/etc/passwd", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/q/%00", "/q/a%0d%0aset-cookie:x",
     "/s/zz", "/s/" + "0" * 32 + "/0", "/s/" + "0" * 32 + "/-1", "/s/" + "0" * 32 + "/99999999999999999999", "/t/warmup/quiz",
     "/q/third-epoch-rate?v=-1", "/q/third-epoch-rate?v=٣", "/q/third-epoch-rate?v=1e3"],
    ids=lambda path: re.sub(r"\W+", "-", path)[:40],
)  # fmt: skip
def test_odd_paths_are_not_found(page: Served, path: str) -> None:
    assert page.tab().client.get(path).status_code in (400, 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
def test_other_methods_are_refused(page: Served, method: str) -> None:
    assert page.tab().client.request(method, "/t/warmup/practice").status_code in (403, 405)


def test_bytes_that_are_no_request_do_not_stop_it(page: Served) -> None:
    host, port = page.url.removeprefix("http://").split(":")
    for sent in (
        b"\x00\xff\n\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/9\r\n",
    ):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            answered = line.recv(65_536)
            assert not answered.startswith(b"HTTP/1.1 2")
    assert page.tab().open("/").status == 200


@pytest.mark.waits
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: ",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n",
        b"POST /look HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nkey=",
    ],
    ids=["nothing", "half a head", "a head without its end", "half a body"],
)
def test_who_drips_a_request_is_let_go(sent: bytes, page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not make the bound longer."""
    monkeypatch.setattr(connections, "SLOW_SECONDS", 0.4)
    host, port = page.url.removeprefix("http://").split(":")
    tab = page.tab()
    with socket.create_connection((host, int(port))) as line:
        line.sendall(sent)
        line.settimeout(0.05)
        answered = b""

        def drip() -> bool:
            nonlocal answered
            try:
                if sent:
                    line.sendall(b"a")
                found = line.recv(65_536)
            except TimeoutError:
                return False
            except OSError:
                return True
            answered += found
            return not found

        until(drip, "the connection is still open")
    assert answered.startswith(b"HTTP/1.1 408 ") or not answered
    assert answered or not sent, "it is told why"
    assert tab.open("/").status == 200


POSTS = [one.path for one in SERVED if one.post and one.name != "delete"]
GETS = [one.path for one in SERVED if one.get]
ODD = st.one_of(
    st.sampled_from(["", "0", "-1", "1e9", "9" * 40, "true", "../..", "%00", "\u0000", "\ud7ff\U0010ffff", "<b>", "{{7*7}}", "A",
                     "third-epoch-rate", "warmup", "check", "hint", "solution", "again", "turn", "reset", "follow", "keep"]),
    st.text(max_size=40),
)  # fmt: skip
NAMES = ("do", "a.0", "a.1", "a.0.1", "tries", "token", "s", "v", "item", "anchor", "others", "follow", "text", "response",
         "back", "theme", "keys", "sure")  # fmt: skip


def _filled_path(path: str, page: Served, parts: list[str]) -> str:
    """An address of the route table, with what is there in it or with odd parts."""
    there = {"topic": "warmup", "block": "numbers", "whole": "test", "item": "third-epoch-rate", "reading": "learn",
             "asking": "practice", "int": "1",
             "sitting": _SITTINGS[page.url], **NOBODY}  # fmt: skip

    def part(found: re.Match[str]) -> str:
        known = there.get(found[2]) or there[found[1]]
        return quote(parts.pop(), safe="") if parts and parts[-1] else known

    return re.sub(r"\{(\w+):(\w+)\}", part, path)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of what was typed, in a note of hypothesis
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(POSTS),
    parts=st.lists(ODD, max_size=1),
    fields=st.dictionaries(st.sampled_from(NAMES), ODD, max_size=7),
    ours=st.booleans(),
)
def test_no_form_is_our_fault(page: Served, path: str, parts: list[str], fields: dict[str, str], ours: bool) -> None:
    """Any form to any page that takes one: it is done or refused, and only with the key of the visitor."""
    tab = _kept_tab(page)
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    address = _filled_path(path, page, parts)
    status = tab.client.post(
        address, data={"key": tab.key if ours else "x", **clean}, follow_redirects=False
    ).status_code
    assert status in (200, 303, 400, 403, 404, 409, 413, 414)
    assert ours or status in (400, 403, 404, 414)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of what was typed, in a note of hypothesis
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(GETS),
    parts=st.lists(ODD, max_size=2),
    query=st.dictionaries(st.sampled_from(["v", "s", "d", "said", "token", "x"]), ODD, max_size=3),
)
def test_no_address_is_our_fault(page: Served, path: str, parts: list[str], query: dict[str, str]) -> None:
    tab = _kept_tab(page)
    status = tab.client.get(_filled_path(path, page, parts), params=query, follow_redirects=False).status_code
    assert status in (200, 303, 400, 403, 404, 414)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.binary(max_size=60).filter(lambda target: not set(target) & set(b" \r\n\t\v\f\x00")),
    body=st.binary(max_size=60),
    kind=st.sampled_from(["application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded", "text/plain",
                          "multipart/form-data", "application/json", ""]),
)  # fmt: skip
def test_no_bytes_are_our_fault(page: Served, target: bytes, body: bytes, kind: str) -> None:
    """Odd targets, bodies and encodings, past what a client would make of them."""
    host, _, port = page.url.removeprefix("http://").partition(":")
    head = f"Host: {host}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST /" + target + b" HTTP/1.1\r\n" + head + body)
        answered = b"".join(iter(lambda: line.recv(65_536), b""))
    assert re.match(rb"HTTP/1\.1 4\d\d ", answered), answered[:200]


_TABS: dict[str, Tab] = {}
_SITTINGS: dict[str, str] = {}


def _kept_tab(page: Served) -> Tab:
    if page.url not in _TABS:
        item = page.site.item("third-epoch-rate")
        _SITTINGS[page.url] = page.site.sittings.begin("me", "warmup", "practice", [(item, 0), (item, 1)])
        _TABS[page.url] = page.tab().open(ITEM)
    return _TABS[page.url]


# ---------------------------------------------------------------- keys and mistakes, before the answer


@pytest.mark.parametrize("kind", kinds.names())
def test_nothing_before_the_answer_tells_the_key(
    kind: str, page: Served, bank: Bank, remembering: RememberingRunner
) -> None:
    """Of some items of each kind: no step, no reason, no mistake's name; and no option differs from the others but in its text."""
    guest = page.tab(owner=False)
    for item in random.Random(kind).sample([item for item in bank.items if item.kind == kind], SAMPLE):
        _holds(guest, item.id, random.Random(item.id).randrange(len(item.variants)), bank, remembering)


@pytest.mark.slow
@pytest.mark.usefixtures("proven")
def test_nothing_before_the_answer_tells_the_key_of_any_variant(
    page: Served, bank: Bank, remembering: RememberingRunner
) -> None:
    guest = page.tab(owner=False)
    for item in bank.items:
        for variant in item.variants:
            _holds(guest, item.id, variant.index, bank, remembering)


def _holds(guest: Tab, name: str, variant: int, bank: Bank, runner: RememberingRunner) -> None:
    item = next(item for item in bank.items if item.id == name)
    proof = PendingProof.begin(item, item.variants[variant], runner).proof()
    answer = guest.client.get(f"/q/{name}?v={variant}")
    said = " ".join(answer.text.split()) + str(answer.headers)
    recognized = [mistake for mistake, _ in item.body.recognized() if mistake]
    secrets = [*proof.solution, *proof.hints, *(mistake.says for mistake in bank.mistakes.values())]
    assert [secret for secret in secrets if len(secret) > 24 and " ".join(secret.split()) in said] == [], name
    assert [mistake for mistake in recognized if f'"{mistake}"' in said] == []
    bare = re.sub(
        r'(?s)value="[A-H]"|<span class="letter">.*?</span><span class="text">.*?</span></label>', "", answer.text
    )
    options = re.findall(r'<label class="option">(.*)', bare)
    assert (
        len(set(re.split(r'<label class="option">', options[0].partition("</div></fieldset>")[0]))) == 1
        if options
        else True
    )


def test_a_test_answers_right_and_wrong_alike(page: Served, bank: Bank, remembering: RememberingRunner) -> None:
    """Status, headers, where it leads and the length are the same, as far as the question's own answer goes."""
    tab = page.tab()
    answers, lengths = {}, set()
    for sample in ("right", "wrong"):
        other = page.site.sittings.begin(
            "me", "warmup", "test", [(page.site.item("third-epoch-rate"), 0), (page.site.item("warmup-purpose"), 0)]
        )
        item = page.site.item("third-epoch-rate")
        proof = PendingProof.begin(item, item.variants[0], remembering).proof()
        kind = kinds.of(item)
        prompt = kind.prompt(item, item.variants[0], proof)
        assert prompt
        response = kind.read(prompt, kind.samples(item, proof)[sample])
        assert isinstance(response, Response)
        tab.open(f"/s/{other}/1")
        action, hidden = tab.form()
        answers[sample] = tab.client.post(
            action, data={**hidden, **filled(prompt, response), "do": "check"}, follow_redirects=False
        )
        answers[sample].headers["location"] = answers[sample].headers["location"].replace(other, "SITTING")
        noted = tab.open(f"/s/{other}/1").text
        assert "Noted" in noted
        assert "option good" not in noted
        lengths.add(len(noted))
    assert len(lengths) == 1
    assert {answers["right"].status_code, answers["wrong"].status_code} == {303}
    for name in set(answers["right"].headers) - {"date"}:
        assert answers["right"].headers[name] == answers["wrong"].headers[name]


# ---------------------------------------------------------------- what runs, and for whom


def test_the_fifth_answer_that_waits_is_refused_in_words(page: Served) -> None:
    site, item = page.site, page.site.item("write-the-factor")
    tab = page.tab().open("/q/write-the-factor?v=0")
    me = page.keys.visitor(tab.client.cookies[page.keys.cookie])
    assert me
    let_go, there = threading.Event(), threading.Barrier(5)

    def wait() -> None:
        with site.being_run(me.name, item):
            there.wait()
            let_go.wait()

    waiting = [threading.Thread(target=wait) for _ in range(4)]
    for one in waiting:
        one.start()
    there.wait()
    try:
        tab.send("check", {"a.0": "def factor(epoch):\n    return 0.5"})
        assert tab.status == 429
        assert "4 of your answers are being run" in tab.text
    finally:
        let_go.set()
        for one in waiting:
            one.join()
    assert not site._shared.waiting
    assert "return 0.5" in tab.open("/q/write-the-factor?v=0").text or tab.status == 200


@pytest.mark.waits
def test_an_endless_loop_is_stopped_explained_and_the_page_is_alive(page: Served) -> None:
    tab = page.tab().open("/q/write-the-factor?v=0")
    tab.send("check", {"a.0": "def factor(epoch):\n    while True:\n        pass"})
    assert "Not right yet" in tab.text
    assert "while True" in tab.text
    assert page.tab().open("/").status == 200


# ---------------------------------------------------------------- the command, and its secret


def test_the_secret_is_its_user_s_alone_and_outlives_the_process(tmp_path: Path) -> None:
    first = safety.kept_secret(tmp_path / "data")
    kept = tmp_path / "data" / "page.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert safety.kept_secret(tmp_path / "data") == first
    kept.chmod(0o644)
    assert safety.kept_secret(tmp_path / "data") != first, "others could have read it"
    if os.geteuid():
        assert len(safety.kept_secret(Path("/proc/nowhere"))) >= 32


def test_a_port_that_is_taken_is_said_so() -> None:
    at = server.listen("127.0.0.1", 0)
    with at.socket, pytest.raises(InputError, match="cannot be used"):
        server.listen("127.0.0.1", at.port)


def test_hosts_by_which_it_may_be_asked() -> None:
    assert "elsewhere.example" not in safety.hosts("127.0.0.1")
    assert "::1" in safety.hosts("localhost")
    assert safety.is_loopback("127.0.0.2")
    assert not safety.is_loopback("0.0.0.0")
    assert not safety.is_loopback("example.org")


def test_author_s_page_is_for_this_machine_alone(grader: Command) -> None:
    done = grader("serve", "--author", "--host", "0.0.0.0", "--no-browser")
    assert done.returncode == 2
    assert "on this machine alone" in done.stderr
