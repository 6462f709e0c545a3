"""Who may ask, and how often: by keys of a project or of a file, by TLS, and with headers that keep answers where they are."""

import datetime as dt
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.receivers import make_certificate
from tests.serving.conftest import running

from modelyard.core import Actor, ConfigError, IntegrityError
from modelyard.core.actor import ActorSource
from modelyard.governance import create_token, revoke_tokens
from modelyard.serving import Endpoint, Guard, KeyFile, Rates, ServingApp, ServingSettings, TokenKeys, activate
from modelyard.serving.access import Caller, Keys, hash_of
from modelyard.serving.formats import RefusedRequestError
from modelyard.serving.rest import ROUTES
from modelyard.store import Workspace

Call = Callable[..., Any]
ADMIN = Actor("ada", ActorSource.OS_USER, ("admin",))
LATER, BEFORE = "2999-01-01T00:00:00+00:00", "2001-01-01T00:00:00+00:00"


def key_file(path: Path, *entries: tuple[str, str, list[str], str]) -> Path:
    """A file of keys: text, name, what it allows, when it expires."""
    keys = [
        {"hash": hash_of(key.encode()), "name": name, "may": may, "expires_at": expires}
        for key, name, may, expires in entries
    ]
    path.write_text(json.dumps({"keys": keys}))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Keys for each purpose, and one that has expired."""
    return key_file(
        tmp_path / "keys.json",
        ("p", "billing", ["predict"], LATER),
        ("f", "crm", ["feedback"], LATER),
        ("o", "grafana", ["operate"], LATER),
        ("old", "gone", ["predict", "feedback", "operate"], BEFORE),
    )


@pytest.fixture
def guarded(settings: ServingSettings, keys: Path) -> Iterator[ServingApp]:
    """The application, for holders of keys."""
    endpoint = Endpoint(activate(settings.package_folder))
    with running(ServingApp(endpoint, settings, guard=Guard(KeyFile(keys)))) as application:
        yield application


def test_every_route_says_what_it_needs(guarded: ServingApp, ask: Call, row: dict[str, Any]) -> None:
    """Health is open; all else needs a key that allows it, by either header; a key for one purpose is not one for all."""
    name, version = guarded.endpoint.active.name, guarded.endpoint.active.version
    needed = {"predict": "p", "feedback": "f", "operate": "o", "key": "p"}
    for route in ROUTES:
        path = route.path.replace("{name}", name).replace("{version}", version)
        without = ask(guarded, route.method, path, row)
        if not route.needs:
            assert without.status != 401, route
            continue
        assert without.status == 401, route
        assert without.headers["www-authenticate"].startswith("Bearer")
        key = needed[route.needs]
        assert ask(guarded, route.method, path, row, authorization=f"Bearer {key}").status not in (401, 403), route
        assert ask(guarded, route.method, path, row, x_api_key=key).status not in (401, 403), route
        for other in set(needed.values()) - {key}:
            status = ask(guarded, route.method, path, row, x_api_key=other).status
            assert (status == 403) == (route.needs != "key"), (route, other)
    assert {route.operation for route in ROUTES if not route.needs} == {
        *("server_live", "server_ready", "ping", "live", "ready")
    }


def test_a_key_that_expired_or_is_unknown_is_refused(guarded: ServingApp, ask: Call, row: dict[str, Any]) -> None:
    """An old key, a guess, an empty one and another scheme: 401 each, and nothing is predicted."""
    for headers in (
        {"x_api_key": "old"},
        {"x_api_key": "guess"},
        {"x_api_key": ""},
        {"authorization": "Basic cDo="},
        {"authorization": f"Bearer {'p' * 10_000}"},
    ):
        refused = ask(guarded, "POST", "/predict", row, **headers)
        assert (refused.status, refused.json()["type"]) == (401, "urn:modelyard:problem:no-valid-key")
    assert guarded.answering.predictions.records_written == 0


@given(st.binary(max_size=40))
def test_no_guess_is_a_key(guess: bytes) -> None:
    """Only the key itself is found, whatever bytes are sent."""
    holder = Caller("billing", ("predict",), dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    keys = Keys([(hash_of(b"right"), holder)])
    assert keys.holder(guess) is (holder if guess == b"right" else None)


def test_the_tokens_of_a_project_are_keys(tmp_path: Path) -> None:
    """Tokens allow what their roles do; a revoked one is gone with the next look, a new one is there."""
    workspace = Workspace(tmp_path)
    guard = Guard(TokenKeys(workspace.ledger))
    assert guard.keys == 0
    token = create_token(workspace.ledger, "billing", ("predict",), ADMIN)
    operator = create_token(workspace.ledger, "grace", ("operator",), ADMIN)
    viewer = create_token(workspace.ledger, "eve", ("viewer",), ADMIN)
    guard.refresh()

    def allows(key: str, needs: str) -> bool:
        try:
            guard.admit({"headers": [(b"x-api-key", key.encode())]}, needs)
        except RefusedRequestError:
            return False
        return True

    assert [allows(token, needs) for needs in ("predict", "feedback", "operate", "key")] == [True, False, False, True]
    assert [allows(operator, needs) for needs in ("predict", "feedback", "operate", "key")] == [True] * 4
    assert [allows(viewer, needs) for needs in ("predict", "feedback", "operate", "key")] == [False, False, False, True]
    revoke_tokens(workspace.ledger, "billing", ADMIN)
    guard.refresh()
    assert not allows(token, "predict")


def test_a_file_of_keys_that_breaks_later_changes_nothing(keys: Path) -> None:
    """At the start a file that cannot be read is refused; later the keys known before stay valid."""
    with pytest.raises(ConfigError, match="cannot be read"):
        Guard(KeyFile(keys.with_name("nothing.json")))
    broken = keys.with_name("broken.json")
    for text in ("{", "[]", '{"keys": [{}]}', '{"keys": [{"hash": "a", "name": "b", "may": [], "expires_at": "x"}]}'):
        broken.write_text(text)
        with pytest.raises(IntegrityError, match="not understood"):
            Guard(KeyFile(broken))
    guard = Guard(KeyFile(keys))
    keys.write_text("{")
    guard.refresh()
    assert guard.keys == 4
    key_file(keys, ("p", "billing", ["predict"], LATER))
    guard.refresh()
    assert guard.keys == 1


def test_who_asks_too_often_waits(settings: ServingSettings, keys: Path, ask: Call, row: dict[str, Any]) -> None:
    """After a burst 429 with the seconds to wait; another key has a bucket of its own; health is never limited."""
    guard = Guard(KeyFile(keys), Rates(0.5, burst=3))
    app = ServingApp(Endpoint(activate(settings.package_folder)), settings, guard=guard)
    statuses = [ask(app, "POST", "/predict", row, x_api_key="p").status for _ in range(4)]
    refused = ask(app, "POST", "/predict", row, x_api_key="p")

    assert statuses == [200, 200, 200, 429]
    assert refused.json()["type"] == "urn:modelyard:problem:too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert ask(app, "GET", "/metrics", x_api_key="o").status == 200
    assert {ask(app, "GET", "/health/live").status for _ in range(10)} == {200}


def test_rates_keep_to_the_rate_and_forget() -> None:
    """Over a long time as many pass as the rate allows, and only so many callers are remembered."""
    rates = Rates(5.0)
    passed = sum(rates.wait_s("a", step / 100) == 0 for step in range(10_000))
    assert abs(passed - 500) <= 6
    for caller in range(20_000):
        rates.wait_s(str(caller), 100.0)
    assert len(rates._buckets) == 10_000
    with pytest.raises(ConfigError, match="above 0"):
        Rates(0)


def test_answers_carry_security_headers(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """Every answer says that it is not to be guessed at or kept; a page may load and run nothing."""
    for method, path in (("POST", "/predict"), ("GET", "/health/live"), ("GET", "/nowhere"), ("GET", "/version")):
        headers = call(method, path, row).headers
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    page = call("GET", "/docs").headers
    assert "default-src 'none'" in page["content-security-policy"]
    assert page["x-frame-options"] == "DENY"
    assert app.guard.is_open


def test_a_server_with_tls_and_keys(
    start_server: Callable[..., Any], keys: Path, tmp_path: Path, row: dict[str, Any]
) -> None:
    """A real server speaks TLS with the certificate given, lets the holder of a key in, and takes changed keys over."""
    pem = make_certificate(tmp_path)
    server = start_server("--keys", str(keys), "--tls", str(pem), str(pem.with_suffix(".key")))
    trusted = ssl.create_default_context(cafile=str(pem))
    with httpx.Client(base_url=server.url, verify=trusted) as client:
        assert server.url.startswith("https://127.0.0.1:")
        assert server.started["keys"] == 4
        assert client.post("/predict", json=row).status_code == 401
        assert client.post("/predict", json=row, headers={"x-api-key": "p"}).status_code == 200
        key_file(keys, ("new", "billing", ["predict"], LATER))
        deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
        while client.post("/predict", json=row, headers={"x-api-key": "new"}).status_code != 200:
            assert dt.datetime.now(dt.UTC) < deadline
        assert client.post("/predict", json=row, headers={"x-api-key": "p"}).status_code == 401


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--host", "0.0.0.0"], "callers would need no key"),  # noqa: S104 - it must not listen
        (["--keys", "nothing.json"], "the file of keys cannot be read"),
        (["--tls", "x.pem", "x.key"], "the certificate and its key cannot be used"),
        (["--rate", "0"], "a rate must be above 0"),
    ],
)
def test_a_server_that_would_be_unsafe_does_not_start(
    package_folder: Path, tmp_path: Path, words: list[str], sentence: str
) -> None:
    """One sentence and an exit code; nothing listens."""
    command = [sys.executable, "-m", "modelyard.serving", "--package", str(package_folder), "--log", str(tmp_path)]
    ended = subprocess.run([*command, "--port", "0", *words], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr
