"""`grader serve` for a class as its owner starts it: several servers of one database, behind a proxy, and what it refuses."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from grader import __version__
from grader.learning.recorder import now
from grader.learning.records import Records, new_id
from grader.model import Sitting
from tests.cli.test_serve import browser, serving
from tests.support.class_walks import ITEM
from tests.support.common import PAIRS
from tests.support.page import Tab
from tests.support.patience import until

if TYPE_CHECKING:
    from tests.support.common import Command

pytestmark = pytest.mark.waits

CLASS = ("--class", "spring")


def port_of(url: str) -> int:
    found = re.search(r":(\d+)/", url)
    assert found
    return int(found[1])


def join(url: str, name: str) -> Tab:
    """A new learner, by the link that the owner sees."""
    with browser(port_of(url)) as client:
        owner = Tab(client).open(url.partition(str(port_of(url)))[2]).open("/class")
        code = re.search(r"<code>(\w+)</code>", owner.text)
        assert code
    tab = Tab(browser(port_of(url))).open("/join")
    tab.post("/join", {"key": tab.key, "name": name, "code": code[1]})
    assert tab.path == "/me"
    return tab


# ---------------------------------------------------------------- several servers, one database


@contextmanager
def two_servers(environment: dict[str, str], home: Path, db: str) -> Iterator[tuple[Tab, Tab]]:
    """A learner of one class, at two servers of its database."""
    with (
        serving(environment, home, 0, *CLASS, db=db) as (_, first),
        serving(environment, home, 0, *CLASS, db=db) as (_, second),
    ):
        assert first.partition("?")[2] == second.partition("?")[2], "one token opens both"
        here = join(first, "Ada")
        there = Tab(browser(port_of(second)))
        there.client.cookies.update(here.client.cookies)
        with closing(here.client), closing(there.client):
            assert there.open("/me").text.count("<strong>Ada</strong>") == 1
            yield here, there
    assert (home / "errors").read_text() == ""


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        ("sqlite", 25),
        pytest.param("sqlite", PAIRS, marks=pytest.mark.long),
        pytest.param("postgresql", PAIRS, marks=pytest.mark.long),
    ],
)
def test_of_two_answers_at_once_to_two_servers_one_counts_and_both_show_it(
    kind: str, pairs: int, environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    db = str(request.getfixturevalue("server")) if kind == "postgresql" else str(tmp_path / "records.sqlite")
    with two_servers(environment, tmp_path, db) as (here, there), Records(db) as store, ThreadPoolExecutor(2) as pool:
        link = re.search(r'id="link" value="[^"]*/back/([0-9a-f]{32})', here.open("/me").text)
        assert link
        keys = here.key, there.open("/").key
        for pair in range(pairs):
            sitting = new_id()
            store.begin(Sitting(sitting, link[1], "warmup", "practice", now(), ((ITEM, 0),), 5, 5, version=__version__))
            token = {"token": f"double{pair}"} if pair % 2 else {}

            def answer(which: int, sitting: str = sitting, token: dict[str, str] = token) -> httpx.Response:
                form = {
                    "key": keys[which],
                    "do": "check",
                    "a.0": "AB"[which],
                    "tries": "0",
                    "token": f"t{which}",
                } | token
                return (here, there)[which].client.post(f"/s/{sitting}/1", data=form)

            answers = list(pool.map(answer, (0, 1)))
            assert [one.status_code for one in answers] == [200, 200]
            marked = {found[1] if (found := re.search(r"You marked (\w)", one.text)) else "" for one in answers}
            assert len(marked) == 1, [
                "two pages show two truths",
                *(one.text[one.text.index("<main") :] for one in answers),
            ]
            kept = list(store.attempts(sitting=sitting))
            assert [one.tries for one in kept] == [0], kept


@pytest.mark.slow
def test_two_servers_begin_what_one_form_asks_for_once(environment: dict[str, str], tmp_path: Path) -> None:
    with two_servers(environment, tmp_path, str(tmp_path / "records.sqlite")) as tabs, ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            tokens = {
                "item": ITEM,
                "v": "0",
                "anchor": "q0",
                "do": "check",
                "a.0": "A",
                "tries": "0",
                "token": new_id(),
            }
            forms = [(tab, {"key": tab.open("/").key, **tokens}) for tab in tabs]
            done = list(pool.map(lambda one: one[0].post("/t/warmup/learn", one[1]), forms))
            assert [one.status for one in done] == [200, 200]
            assert len({one.path for one in done}) == 1, "one question, one sitting"


@pytest.mark.slow
def test_processes_share_a_port_and_guests_and_are_replaced(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment, tmp_path, 0, *CLASS, "--processes", "2") as (process, url):
        parent = psutil.Process(process.pid)
        until(lambda: len(parent.children()) == 2, "there are not two processes")
        learner = join(url, "Ada")
        learner.begin("/t/warmup/practice").send("check", {"a.0": "A"})
        address = learner.path
        for number in range(8):  # a connection each, so that both processes come to answer
            with browser(port_of(url)) as client:
                guest = Tab(client).open(f"/embed/q/{ITEM}?v=0")
                cookies, action = client.cookies, guest.form()
            with browser(port_of(url)) as client:
                client.cookies.update(cookies)
                told = Tab(client).post(action[0], {**action[1], "do": "check", "a.0": "B"})
                path = told.path
            with browser(port_of(url)) as client:
                assert "You marked B" in Tab(client).open(path).text, number
        first = parent.children()[0]
        first.kill()
        until(lambda: len(parent.children()) == 2 and not first.is_running(), "it was not replaced")
        with closing(learner.client):
            assert "You marked A" in learner.open(address).text
        children = parent.children()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        until(lambda: not any(child.is_running() for child in children), "a process is left")
        learner.client.close()
    assert (tmp_path / "errors").read_text() == ""


# ---------------------------------------------------------------- outside


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "would not be encrypted"),
        (["--host", "::"], "would not be encrypted"),
        (["--tls-cert", "no.pem"], "go together"),
        (["--tls-cert", "no.pem", "--tls-key", "no.key"], "there is no such file"),
        (["--root-path", "/a b"], "not the path of a page"),
        (["--frame-ancestors", "https://a; script-src *"], "not the origin of a page"),
        (["--class", " "], "the name of a class"),
        (["--class", "x" * 81], "the name of a class"),
        (["--author", "--behind-proxy"], "on this machine alone"),
        (["--class", "spring", "--db", "nonsense://x"], "is not a database"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_would_not_be_safe_or_cannot_be_is_refused(grader: Command, arguments: list[str], said: str) -> None:
    done = grader("serve", "--no-browser", "--port", "0", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def certificate(place: Path) -> tuple[Path, Path]:
    """Of this machine alone, by the system's openssl."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    cert, key = place / "cert.pem", place / "key.pem"
    about = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*command, *about], check=True, capture_output=True)
    return cert, key


def walk_outside(base: str, cert: Path, token: str) -> None:
    """A learner joins and answers, and a guest answers in a frame, through whatever stands between."""
    import ssl

    trusted = ssl.create_default_context(cafile=str(cert))
    with httpx.Client(base_url=base, verify=trusted, follow_redirects=True, timeout=None) as one, \
            httpx.Client(base_url=base, verify=trusted, follow_redirects=True, timeout=None) as other:  # fmt: skip
        root = httpx.URL(base).path.rstrip("/")

        def keyed(text: str) -> str:
            found = re.search(r'name="key" value="([^"]+)"', text)
            assert found
            return found[1]

        owner = one.get("", params={"token": token})
        assert owner.status_code == 200
        room = one.get("class")
        link = re.search(r'value="([^"]+/join\?code=\w+)"', room.text)
        assert link
        assert link[1].startswith(base)
        page = other.get(link[1])
        form = {"key": keyed(page.text), "name": "Ada", "code": link[1].partition("=")[2]}
        assert "As <strong>Ada</strong>" in other.post("join", data=form).text
        assert all(cookie.secure for cookie in other.cookies.jar)
        asked = other.post("t/warmup/practice", data={"key": keyed(other.get("").text)})
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.text))
        assert asked.url.path.startswith(f"{root}/s/")
        assert "You marked A" in other.post(str(asked.url), data={**hidden, "do": "check", "a.0": "A"}).text
        assert ">Ada</a>" in one.get("class").text


@pytest.mark.slow
def test_with_a_certificate_it_encrypts(environment: dict[str, str], tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    more = (*CLASS, "--tls-cert", str(cert), "--tls-key", str(key), "--host", "0.0.0.0", "--public-name", "localhost")
    with serving(environment, tmp_path, 0, *more) as (_, url):
        assert url.startswith("https://localhost:")
        base, _, token = url.partition("?token=")
        walk_outside(base, cert, token)


NGINX = """\
daemon off;
pid {place}/nginx.pid;
error_log {place}/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    location /grader/ {{
      proxy_pass http://127.0.0.1:{upstream}{path};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/"], ids=["with its path", "without"])
def test_behind_nginx_under_a_path(path: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Debian's nginx, with TLS, in the two ways that it hands a path over."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    cert, key = certificate(tmp_path)
    port = _free_port()
    more = (*CLASS, "--behind-proxy", "--root-path", "/grader", "--public-name", "localhost")
    with serving(environment, tmp_path, 0, *more) as (process, url):
        upstream = next(
            one.laddr.port for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"
        )
        settings = tmp_path / "nginx.conf"
        settings.write_text(NGINX.format(place=tmp_path, port=port, cert=cert, key=key, upstream=upstream, path=path))
        with subprocess.Popen([nginx, "-c", str(settings), "-p", str(tmp_path)], stderr=subprocess.PIPE) as proxy:
            try:
                until(lambda: _listens(port), (tmp_path / "nginx.log").read_text)
                walk_outside(f"https://localhost:{port}/grader/", cert, url.partition("?token=")[2])
            finally:
                proxy.send_signal(signal.SIGTERM)


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
