"""One connection of a browser: HTTP/1.1 as uvicorn speaks it, with a bound on how long a request may take to arrive."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SLOW_SECONDS = 30.0
"""From the first byte of a request, or the beginning of a connection, until all of it is there, head and body."""

_TEXT = b"That request took too long to arrive.\n"


class Bounded(H11Protocol):
    """A client that drips, or says nothing at all, is answered with 408; a byte now and then is no help."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn names it `Transport`, asyncio `BaseTransport`
        """See asyncio."""
        super().connection_made(transport)
        self._late = self.loop.call_later(SLOW_SECONDS, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            self._late = self._late or self.loop.call_later(SLOW_SECONDS, self._too_late)
        else:
            self._in_time()  # all of it is there; between two requests uvicorn's own bound holds

    def _in_time(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.transport.is_closing():
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            kind = (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(_TEXT)).encode())
            head = h11.Response(status_code=408, headers=[*kind, (b"connection", b"close")], reason=b"Request Timeout")
            for event in (head, h11.Data(data=_TEXT), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
