"""The command that serves the page."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared import Banks, bank_option, db_option, gathered, learner_option
from grader.errors import InputError
from grader.template import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.faces.web.safety import Keys, Reach
    from grader.faces.web.server import Certificate, Listening
    from grader.faces.web.site import Site
    from grader.learning.sitting_log import Log

LONGEST_CLASS = 80

SOURCE = re.compile(r"\*|self|https?://[A-Za-z0-9*][A-Za-z0-9.-]*(:(\d{1,5}|\*))?")
"""Whose pages may show questions in frames, of the sources that `frame-ancestors` knows."""


@dataclass(frozen=True, slots=True)
class Outside:
    """How the page is reached from outside."""

    host: str
    port: int
    behind_proxy: bool
    root_path: str
    public_name: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None
    frame_ancestors: tuple[str, ...]
    public_code: bool


@dataclass(frozen=True, slots=True)
class Many:
    """For whom, and in how many processes."""

    class_name: str
    processes: int


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--author", is_flag=True, help="Show what is wrong with items, as they are saved.")
@click.option("--class", "class_name", default="", metavar="NAME", help="Let a class join, by a link on the page.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes.")
@click.option("--behind-proxy", is_flag=True, help="A proxy with TLS is before it, and says who asks.")
@click.option("--root-path", default="", metavar="PATH", help="Where the proxy has it, such as /grader.")
@click.option("--public-name", multiple=True, metavar="HOST", help="The proxy's name; may be given again.")
@click.option("--tls-cert", type=Path, metavar="FILE", help="Encrypt, with this certificate and --tls-key.")
@click.option("--tls-key", type=Path, metavar="FILE", help="The key of --tls-cert.")
@click.option("--frame-ancestors", multiple=True, metavar="ORIGIN", help="Whose pages may show /embed; * is anybody's.")
@click.option("--public-code", is_flag=True, help="Run code of guests, too, at /q and /embed.")
@bank_option
@db_option
@learner_option
@gathered(Outside, "outside")
@gathered(Many, "many")
def serve(
    no_browser: bool, author: bool, outside: Outside, many: Many, bank: Banks, db: str | None, learner: str
) -> None:
    """The page: lessons, questions, tests and progress in a browser."""
    from grader.faces.web import safety, server

    certificate = _certificate(outside, author=author, alone=safety.is_loopback(outside.host))
    reach = _reach(outside, anywhere=outside.host in server.ANYWHERE)
    at = server.listen(outside.host, outside.port)
    with contextlib.ExitStack() as stack:
        stack.enter_context(at.socket)
        keys = _keys(at, many.class_name, db)
        guests = _guests(stack) if many.processes > 1 else None

        def make_site() -> Site:
            from grader.faces.web.site import Site

            return Site(db, learner, bank, author=author, class_name=many.class_name, guests=guests)

        address = f"{_address(outside, at.url, certificate)}/?token={keys.token}"
        print(address, flush=True)
        if not no_browser:
            webbrowser.open(address)

        def run() -> None:
            server.serve(server.Later(make_site, keys, reach), at, certificate)

        if many.processes == 1:
            run()
        else:
            from grader.faces.web.processes import several

            several(many.processes, run)


def _certificate(outside: Outside, *, author: bool, alone: bool) -> Certificate | None:
    """What to encrypt with. Raises InputError where anybody could read what is sent, or files are missing."""
    from grader.faces.web.server import Certificate

    if author and (not alone or outside.behind_proxy):
        message = "--author shows all keys, so it works on this machine alone"
        raise InputError(message, "leave out --host and --behind-proxy")
    cert, key = outside.tls_cert, outside.tls_key
    if (cert is None) != (key is None):
        raise InputError("--tls-cert and --tls-key go together", "give both of them")
    if cert and key:
        for path in (cert, key):
            if not path.is_file():
                raise InputError(f"{path}: there is no such file", "give a certificate and its key, as PEM")
        return Certificate(cert, key)
    if not alone and not outside.behind_proxy:
        message = f"{outside.host} can be reached from other machines, and what they send would not be encrypted"
        raise InputError(
            message, "give --tls-cert and --tls-key, or --behind-proxy where a proxy with TLS is before it"
        )
    return None


def _reach(outside: Outside, *, anywhere: bool) -> Reach:
    """How the page is reached. Raises InputError for what that cannot be."""
    from grader.faces.web import safety

    root = outside.root_path.rstrip("/")
    if root and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", root):
        raise InputError(f"`{outside.root_path}` is not the path of a page", "write it as in --root-path /grader")
    for source in outside.frame_ancestors:
        if not SOURCE.fullmatch(source):
            raise InputError(f"`{source}` is not the origin of a page", "such as https://course.example.org, self or *")
    sources = [f"'{one}'" if one == "self" else one for one in outside.frame_ancestors]
    names = frozenset(name.lower() for name in outside.public_name)
    if not outside.behind_proxy:
        names |= safety.hosts(outside.host)
    elif names:
        names |= safety.hosts("localhost")
    return safety.Reach(
        names, anywhere and not names - safety.hosts(outside.host), root, outside.behind_proxy,
        " ".join(sources) or safety.NO_FRAMES, outside.public_code,
    )  # fmt: skip


def _address(outside: Outside, url: str, certificate: Certificate | None) -> str:
    """Where the page is opened."""
    root = outside.root_path.rstrip("/")
    if outside.public_name:
        port = "" if outside.behind_proxy else f":{url.rpartition(':')[2]}"
        return f"{'https' if certificate or outside.behind_proxy else 'http'}://{outside.public_name[0]}{port}{root}"
    return f"{'https' if certificate else 'http'}://{url}{'' if outside.behind_proxy else root}"


def _keys(at: Listening, class_name: str, db: str | None) -> Keys:
    """What the page signs with: of a class what is on record, so that all its servers agree. Raises InputError."""
    from grader.faces.web import safety

    if not class_name:
        from platformdirs import user_data_path

        secret = safety.kept_secret(user_data_path("torch-grader", appauthor=False))
        return safety.Keys(secret, at.token, at.port)
    if len(class_name) > LONGEST_CLASS or CONTROL.search(class_name) or not class_name.strip():
        raise InputError(f"the name of a class has 1 to {LONGEST_CLASS} characters", "give another with --class")
    from grader.learning.class_records import ClassRecords
    from grader.learning.recorder import now
    from grader.learning.records import Records

    with Records(db) as store:
        about = ClassRecords(store, class_name, now()).about
    return safety.Keys.of_class(about.key, about.name)


def _guests(stack: contextlib.ExitStack) -> Callable[[], Log]:
    """Where sittings of guests are, which are kept nowhere: a file that all processes share, as long as they live."""
    from grader.learning.guest_records import GuestRecords

    place = Path(tempfile.mkdtemp(prefix="grader-guests-"))
    stack.callback(shutil.rmtree, place, ignore_errors=True)
    url = f"sqlite:///{place / 'guests.sqlite'}"
    GuestRecords(url).close()
    return lambda: GuestRecords(url)
