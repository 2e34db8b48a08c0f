"""The HTTP interface of a live system: its paths, and what goes wrong in one sentence each.

The paths of the click stream and of searches are those that Embedding Studio's clients call. What
was acknowledged is on the disk.
"""

from collections.abc import Callable, Iterable

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from adjuster.live.http.http_guard import Access, HttpGuard
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.storage.store import Conflict, StoreUnavailable, UnknownSession

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownSession, 404),
    (Conflict, 409),
    (StoreUnavailable, 503),
    (ValueError, 422),
)
"""What a path raises → the status that it is answered with."""

MOST_TOLD = 3
"""Faults of one body that are told at once."""


def make_app(routers: Iterable[APIRouter], access: Access, counts: RequestCounts) -> HttpGuard:
    """The application, for any ASGI server.

    Args:
        routers: The paths.
        access: Who may ask.
        counts: Where requests are counted.
    """
    app = FastAPI(title="Live adjuster", docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)
    for fault, status in STATUSES:
        app.add_exception_handler(fault, _teller(status))
    app.add_exception_handler(RequestValidationError, _tell_body)
    return HttpGuard(app, access, counts)


def _teller(status: int) -> Callable[[Request, Exception], JSONResponse]:
    def tell(_: Request, fault: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(fault)}, status)

    return tell


def _tell_body(_: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)
    faults = fault.errors()
    told = "; ".join(_sentence(error) for error in faults[:MOST_TOLD])
    more = len(faults) - MOST_TOLD
    return JSONResponse({"detail": f"{told}{f'; and {more} more' if more > 0 else ''}."}, 422)


def _sentence(error: dict[str, object]) -> str:
    """A fault of a body: which value, and what it must be."""
    place = error["loc"]
    assert isinstance(place, tuple)
    name = ".".join(map(str, place[1:] or place))
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}"
