"""What a request must pass before it is read."""

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from adjuster.live.http.api import make_app
from adjuster.live.http.api_models import NamedSession
from adjuster.live.http.http_guard import LARGEST_BODY, LOOPBACK_NAMES, Access
from adjuster.live.http.request_counts import RequestCounts

BODY = {"session_id": "s"}


class Served:
    """A server of one path that takes a body, and one that is always open."""

    def __init__(self, access=None):
        self.taken, self.counts = [], RequestCounts()
        router = APIRouter()
        router.add_api_route("/take", self.take, methods=["POST"])
        router.add_api_route("/healthz", lambda: "ok", methods=["GET"])
        router.add_api_route("/broken", self.broken, methods=["GET"])
        app = make_app([router], access or Access(), self.counts)
        self.client = TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=False)

    def take(self, body: NamedSession) -> str:
        self.taken.append(body.session_id)
        return "taken"

    def broken(self) -> str:
        raise RuntimeError("secret words")

    def post(self, **options):
        return self.client.post("/take", json=BODY, **options)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "secret"},
        {"Authorization": "Bearer"},
    ],
)
def test_without_the_token_nothing_is_answered(headers):
    served = Served(Access("secret"))
    answer = served.post(headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "Send the server's token" in answer.json()["detail"]
    assert served.taken == []


def test_with_the_token_it_is_and_health_asks_for_none():
    served = Served(Access("secret"))
    assert served.post(headers={"Authorization": "Bearer secret"}).is_success
    assert served.taken == ["s"]
    assert served.client.get("/healthz").is_success
    assert served.client.get("/openapi.json").status_code == 401


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8000", "127.0.0.1.evil.test", ""])
def test_a_page_under_another_name_is_not_answered(host):
    served = Served(Access(hosts=LOOPBACK_NAMES))
    answer = served.post(headers={"host": host})
    assert (answer.status_code, "host must be one of" in answer.text) == (400, True)
    assert served.taken == []


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"]
)
def test_the_machines_own_names_are(host):
    assert Served(Access(hosts=LOOPBACK_NAMES)).post(headers={"host": host}).is_success


@pytest.mark.parametrize("is_told", [True, False])
def test_a_body_that_is_too_large_is_not_read(is_told):
    def chunks():
        for _ in range(LARGEST_BODY // 2**20 + 1):
            yield b"x" * 2**20

    served = Served()
    answer = served.client.post("/take", content=b"x" * (LARGEST_BODY + 1) if is_told else chunks())
    assert (answer.status_code, "at most 8388608 bytes" in answer.text) == (413, True)
    assert served.taken == []


def test_a_length_that_is_no_number_is_refused():
    answer = Served().post(headers={"content-length": "many"})
    assert answer.status_code == 400


def test_requests_are_counted_by_path_and_not_by_what_clients_make_up():
    served = Served(Access("secret"))
    token = {"Authorization": "Bearer secret"}
    served.post(headers=token)
    served.post()
    served.client.get("/made-up", headers=token)
    served.client.get("/broken", headers=token)
    served.client.post("/take", headers=token)
    assert served.counts.statuses() == {
        ("/take", 200): 1,
        ("/take", 422): 1,
        ("/broken", 500): 1,
        ("unknown", 401): 1,
        ("unknown", 404): 1,
    }


def test_a_fault_of_our_own_tells_nothing_of_itself():
    answer = Served().client.get("/broken")
    assert answer.status_code == 500
    assert "secret words" not in answer.text
