"""What a request must pass before it is read: its size, its host, its token; and its count."""

import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from adjuster.live.http.request_counts import RequestCounts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes."""

OPEN_PATHS = frozenset(("/healthz",))
"""Answered without a token: they tell nothing."""

UNKNOWN_PATH = "unknown"


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Args:
        token: What they must show; None for everyone who reaches the address.
        hosts: Names by which the server may be called; None for any. On a loopback address it
            keeps web pages out, which can make a browser call it under another name.
    """

    token: str | None = None
    hosts: frozenset[str] | None = None


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone.

    Example:
        >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "db")]
        [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


class HttpGuard:
    """An ASGI application around another one.

    Args:
        app: The application.
        access: Who may ask.
        counts: Where requests are counted.
    """

    def __init__(self, app: App, access: Access, counts: RequestCounts) -> None:
        self.app, self.access, self.counts = app, access, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            refused = self._refused(scope)
            body = b"" if refused else await _whole_body(receive)
            if refused or body is None:
                await _refuse(watched, *(refused or (413, TOO_LARGE)))
            else:
                await self.app(scope, _replayed(body, receive), watched)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", UNKNOWN_PATH)
            self.counts.add(path, status, time.perf_counter() - began)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        headers = dict(reversed(scope["headers"]))
        host = headers.get(b"host", b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self.access.hosts is not None and name not in self.access.hosts:
            return 400, f"The host must be one of {', '.join(sorted(self.access.hosts))}."
        if self.access.token is not None and scope["path"] not in OPEN_PATHS:
            wanted = f"Bearer {self.access.token}".encode()
            if not hmac.compare_digest(headers.get(b"authorization", b""), wanted):
                return 401, "Send the server's token, as Authorization: Bearer TOKEN."
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            return 400, "Content-Length must be a whole number."
        return (413, TOO_LARGE) if int(length) > LARGEST_BODY else None


TOO_LARGE = f"The body must have at most {LARGEST_BODY} bytes. Send it in several requests."


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, or None where it is too large or does not come."""
    parts, n_bytes = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None  # the client is gone
        parts.append(message.get("body", b""))
        n_bytes += len(parts[-1])
        if n_bytes > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the body at once, then what the server has to say."""
    is_given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
