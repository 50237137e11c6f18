"""The page on a port of this machine: a socket, the address with its token, a server that ends with the command."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.concurrency import run_in_threadpool

from grader.errors import InputError
from grader.faces.web.connections import Bounded
from grader.faces.web.safety import Keys, Reach

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from grader.faces.web.site import Site

ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  (names of what is asked for, not what is listened to)


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that is ours, and the address by which its page is opened."""

    socket: socket.socket
    host: str
    port: int
    token: str
    """By chance; a class has its own."""

    @property
    def url(self) -> str:
        """The address of what listens here, without a scheme."""
        name = "127.0.0.1" if self.host in ANYWHERE else self.host
        return f"{f'[{name}]' if ':' in name else name}:{self.port}"


def listen(host: str, port: int) -> Listening:
    """Take a port; 0 is a free one. Raises InputError where that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio sets TCP_NODELAY
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except (OSError, OverflowError) as error:
        taken.close()
        said = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{host}, port {port}, cannot be used: {said}", "give another --port; 0 is a free one"
        ) from None
    return Listening(taken, host, taken.getsockname()[1], secrets.token_urlsafe(24))


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files by which what is sent is encrypted."""

    chain: Path
    key: Path


def config(page: ASGIApp, certificate: Certificate | None = None) -> uvicorn.Config:
    """How the page is served: by HTTP/1.1 alone, without a word of what serves it."""
    chain, key = (certificate.chain, certificate.key) if certificate else (None, None)
    return uvicorn.Config(
        page, lifespan="off", ws="none", http=Bounded, loop="asyncio", access_log=False,
        log_level="critical",  # a page says itself what went wrong; an end in the middle of a run is no error
        server_header=False, proxy_headers=False, timeout_keep_alive=30, timeout_graceful_shutdown=5,
        ssl_certfile=chain, ssl_keyfile=key,
    )  # fmt: skip


class Later:
    """The page, loaded beside the first request: the port is open while all that it needs is imported."""

    def __init__(self, make_site: Callable[[], Site], keys: Keys, reach: Reach) -> None:
        self._make_site, self._keys, self._reach = make_site, keys, reach
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None
        self._site: Site | None = None

    def load(self) -> ASGIApp:
        """The page itself, made once."""
        with self._lock:
            if self._app is None:
                from grader.faces.web.app import app

                self._site = self._make_site()
                self._app = app(self._site, self._keys, self._reach)
            return self._app

    def warm(self) -> None:
        """Load it, and then what the first answers need."""
        self.load()
        if self._site:
            self._site.warm()

    def close(self) -> None:
        """End what was begun."""
        with self._lock:
            if self._site:
                self._site.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        page = self._app
        if page is None:
            page = await run_in_threadpool(self.load)
        await page(scope, receive, send)


def serve(page: Later, at: Listening, certificate: Certificate | None = None) -> None:
    """Serve until the process is told to end. What is slow to load is loaded beside the first answers."""
    server = uvicorn.Server(config(page, certificate))
    threading.Thread(target=page.warm, name="grader-warm", daemon=True).start()
    try:
        server.run(sockets=[at.socket])
    except KeyboardInterrupt:
        pass  # that is how it is told to end
    finally:
        page.close()
