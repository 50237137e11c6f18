"""Who may ask what of the page: the token, signed cookies, the host, the origin, forms of our own, bounded sizes.

The page stands on a port of its owner's machine, where any page that they open can send requests to it. So a request
must name a host that is ours, must not come from a page of somebody else, and what changes anything comes from a form
that was made for the same visitor. A visitor with the token that `grader serve` printed is the owner; somebody who
joined the owner's class is one of its learners; anybody else is a guest, who meets single questions and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import ipaddress
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 400_000
"""Of a form: the longest code that is taken, three characters for each of its bytes."""

MOST_FIELDS = 400
MOST_OF_AN_ADDRESS = 4_000
"""Characters of a path with its query."""

COOKIE_DAYS = 30

NO_FRAMES = "'none'"

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    f"form-action 'self'; base-uri 'none'; frame-ancestors {NO_FRAMES}"
)

EMBEDDED = "/embed/"
"""What the paths of pages begin with that others may show in a frame."""

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every answer. No `cross-origin-opener-policy`: a browser begins another process for it, at every first paint, and
who holds the window of this page learns nothing from it."""

SAFE = ("GET", "HEAD")


class RefusedError(Exception):
    """A request that is not answered: its status, and why, in words for a person."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.hint = status, message, hint


# ---------------------------------------------------------------- who asks


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a name of chance, and whether they showed the token, or which learner of a class they are."""

    name: str
    owner: bool
    learner: str = ""

    @property
    def known(self) -> bool:
        """Whether there are records of theirs."""
        return self.owner or bool(self.learner)


class Keys:
    """What the page signs with: cookies, links, and the forms that it gives out."""

    def __init__(self, secret: str, token: str, name: int | str) -> None:
        """`name` is the port, or something else that tells pages of one host apart: browsers keep cookies by host."""
        self.token, self._secret = token, secret
        self.cookie = f"torch-grader-{name}"
        self._visitors = URLSafeTimedSerializer(secret, salt="visitor")
        self._forms = Signer(secret, salt="form")
        self._links = Signer(secret, salt="link")

    @classmethod
    def of_class(cls, key: str, name: str) -> Keys:
        """Those of a class, the same in each process and after each start."""
        return cls(key, _derived(key, "owner", 32), _derived(name, "cookie", 10))

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), self.token.encode())

    def visitor(self, cookie: str | None) -> Visitor | None:
        """Who a cookie names; None where it is none of ours, or too old."""
        if not cookie or len(cookie) > 500:
            return None
        try:
            name, owner, *learner = self._visitors.loads(cookie, max_age=COOKIE_DAYS * 86_400)
        except (BadSignature, ValueError, TypeError):
            return None
        return Visitor(str(name), owner is True, str(learner[0]) if learner else "")

    def signed(self, visitor: Visitor) -> str:
        """The cookie of a visitor."""
        return str(self._visitors.dumps([visitor.name, visitor.owner, visitor.learner]))

    def link(self, learner: str) -> str:
        """The end of the address by which a learner comes back on another device; nobody else can make it."""
        return f"{learner}.{self._links.get_signature(learner).decode()}"

    def learner_of(self, link: str) -> str | None:
        """Whose link this is; None where it is nobody's."""
        learner, _, signature = link.partition(".")
        right = self._links.get_signature(learner)
        return learner if hmac.compare_digest(right, signature.encode(errors="replace")) else None

    def line(self, address: str) -> str:
        """What stands for the machine, or the network of IPv6, that somebody asks from, and does not tell which."""
        with contextlib.suppress(ValueError):
            if (found := ipaddress.ip_address(address)).version == 6:
                address = str(ipaddress.ip_network(f"{found}/64", strict=False))
        return hmac.new(self._secret.encode(), address.encode(errors="replace"), "sha256").hexdigest()

    def form_key(self, visitor: Visitor) -> str:
        """What a form of this visitor holds, and one of nobody else."""
        return self._forms.get_signature(visitor.name).decode()

    def is_form_key(self, visitor: Visitor, given: str) -> bool:
        return hmac.compare_digest(self.form_key(visitor).encode(), given.encode(errors="replace"))


def _derived(secret: str, what: str, length: int) -> str:
    """Characters for an address that only somebody with the secret can tell."""
    made = hmac.new(secret.encode(), what.encode(), "sha256").digest()
    return base64.urlsafe_b64encode(made).decode()[:length]


def new_visitor(*, owner: bool, learner: str = "") -> Visitor:
    return Visitor(secrets.token_hex(16), owner, learner)


def kept_secret(folder: Path) -> str:
    """The secret that cookies are signed with, kept for this user alone: a tab outlives the process that served it.

    One of chance, for this process, where it cannot be kept.
    """
    path = folder / "page.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            kept = path.read_text(encoding="ascii").strip()
            return kept if len(kept) >= 32 and not path.stat().st_mode & 0o077 else secrets.token_urlsafe(32)
        made = secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(made)
    except (OSError, ValueError):
        return secrets.token_urlsafe(32)
    return made


# ---------------------------------------------------------------- hosts and origins


@dataclass(frozen=True, slots=True)
class Reach:
    """How the page is reached from outside."""

    names: frozenset[str]
    """The hosts that it may be asked for as; behind a proxy any, where there are none."""
    addresses: bool = False
    """A host may be any address of a machine, since such a host is nobody's name."""
    root: str = ""
    """The path under which a proxy has it, such as `/grader`."""
    proxied: bool = False
    """A proxy of ours says who asks, and whether what they send is encrypted."""
    frames: str = NO_FRAMES
    """Whose pages may show an embedded question, as sources of `frame-ancestors`."""
    public_code: bool = False
    """Code of guests is run."""


def hosts(bound: str) -> frozenset[str]:
    """The names by which the page may be asked for, when it listens there."""
    loopback = {"127.0.0.1", "localhost", "::1"}
    if is_loopback(bound):
        return frozenset(loopback | {bound.lower()})
    return frozenset({*loopback, bound.lower(), socket.gethostname().lower()})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Refuses what no browser of a visitor sends, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, reach: Reach) -> None:
        self._app, self._reach = app, reach
        embedded = HEADERS["content-security-policy"].replace(
            f"frame-ancestors {NO_FRAMES}", f"frame-ancestors {reach.frames}"
        )
        self._embedded = HEADERS | {
            "content-security-policy": embedded, "cross-origin-resource-policy": "cross-origin"
        }  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return
        scope = self._as_asked(scope)
        given = self._embedded if scope["path"].startswith(EMBEDDED) else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in given.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if refused := self._refused(scope):
            status, text = refused
            await _plain(status, text, with_headers)
        else:
            await self._app(scope, receive, with_headers)

    def _as_asked(self, scope: Scope) -> Scope:
        """A request as the visitor made it: its path without the root, and what a proxy of ours says of it."""
        changed: dict[str, object] = {}
        if (root := self._reach.root) and scope["path"].startswith(f"{root}/"):
            changed["path"] = scope["path"][len(root) :]
        if self._reach.proxied:
            headers = Headers(scope=scope)
            scheme = headers.get("x-forwarded-proto", scope["scheme"]).rpartition(",")[2].strip()
            changed["scheme"] = scheme if scheme in ("http", "https") else "http"
            if by := headers.get("x-forwarded-for", "").rpartition(",")[2].strip():
                changed["client"] = (by[:100], 0)
        return {**scope, **changed} if changed else scope

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.getlist("host")
        if len(host) != 1 or not self._is_ours(host[0]):
            return 421, "This page is not known by that name. Open the address that `grader serve` printed."
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MOST_OF_AN_ADDRESS:
            return 414, "That address is too long."
        safe = scope["method"] in SAFE
        embedded = safe and scope["path"].startswith(EMBEDDED)  # others fetch our module, and tell their origin
        if not embedded and not _same_origin(headers, f"{scope['scheme']}://{host[0]}", safe=safe):
            return 403, "That was sent from another page, and so it is not done."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return 413, f"That is too much. A form may have {MOST_BYTES:,} bytes."
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            _ = urlsplit(f"//{host}").port
        except ValueError:
            return False
        if "@" in host or "/" in host or "?" in host or "#" in host:
            return False
        reach = self._reach
        return name in reach.names or (reach.addresses and _is_address(name)) or (reach.proxied and not reach.names)


def _same_origin(headers: Headers, own: str, *, safe: bool) -> bool:
    """Whether a request comes from a page of ours, or from no page: somebody typed the address, or followed a link."""
    if (origin := headers.get("origin")) is not None:
        return origin == own
    if safe:
        return True
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


async def _plain(status: int, text: str, send: Send) -> None:
    body = f"{text}\n".encode()
    kind = (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*kind, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})


# ---------------------------------------------------------------- forms


def fields(body: bytes, kind: str) -> dict[str, list[str]]:
    """The fields of a form as they were sent. Raises RefusedError."""
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise RefusedError(415, "This is not a form of this page.")
    try:
        pairs: Sequence[tuple[str, str]] = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except UnicodeDecodeError:
        raise RefusedError(400, "That form cannot be read: it is not UTF-8 text.") from None
    except ValueError:
        raise RefusedError(413, f"That is too much. A form may have {MOST_FIELDS} fields.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value:
            raise RefusedError(400, "That form cannot be read: there is a null character in it.")
        found.setdefault(name, []).append(value)
    return found
