"""Whatever bytes, headers and addresses come, the answer is below 500, and a refusal is a problem document."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.serving import ServingApp
from modelyard.serving.rest import ROUTES

Call = Callable[..., Any]

PATHS = [route.path.replace("{name}", "telco-churn").replace("{version}", "1") for route in ROUTES]
PLACES = st.one_of(st.sampled_from(PATHS), st.text(max_size=20).map(lambda text: f"/{text}"))
QUERIES = st.one_of(
    st.just(""),
    st.sampled_from(
        ["?uncertainty=true", "?uncertainty=%ff", "?uncertainty", "?&&==", "?uncertainty=true&uncertainty=1"]
    ),
    st.binary(max_size=20).map(lambda raw: "?" + raw.decode("latin-1").replace("?", "")),
)
TYPES = st.one_of(
    st.sampled_from(
        [
            "application/json",
            "application/json; charset=utf-8",
            "application/cloudevents+json",
            "application/vnd.apache.arrow.stream",
            "application/vnd.apache.arrow.file",
            "application/vnd.apache.parquet",
            "application/octet-stream",
            "text/csv",
            "",
        ]
    ),
    st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [b"PAR1", b"ARROW1\x00\x00", b"\xff\xff\xff\xff\x10\x00\x00\x00", b"PAR1" + b"\x00" * 64 + b"PAR1"]
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "accept",
            "authorization",
            "x-api-key",
            "traceparent",
            "content-length",
            "content-encoding",
            "inference-header-content-length",
        ]
    ),
    st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")),
    max_size=3,
)


def holds(call: Call, method: str, address: str, body: bytes, headers: dict[str, str]) -> None:
    """One request, and what must be true of its answer."""
    response = call(method, address, body, **{name.replace("-", "_"): text for name, text in headers.items()})

    assert response.status < 500
    assert "Traceback" not in response.body.decode("latin-1")
    if response.status >= 400 and method != "HEAD":
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["status"] == response.status
        assert problem["type"].startswith("urn:modelyard:problem:")
        assert problem["detail"]


def fuzz(app: ServingApp, call: Call, examples: int) -> None:
    """Draw requests, and look at the answers; no exception may have been caught at the edge."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD", "BREW"]),
        PLACES,
        QUERIES,
        TYPES,
        BODIES,
        HEADERS,
    )
    def run(method: str, place: str, query: str, kind: str, body: bytes, headers: dict[str, str]) -> None:
        holds(call, method, place.replace("?", "") + query, body, {**headers, "content-type": kind})

    run()

    assert app.metrics.errors == 0


def test_any_bytes_are_answered_or_refused(app: ServingApp, call: Call) -> None:
    """Drawn methods, addresses, content types, headers and bodies."""
    fuzz(app, call, examples=80)


@pytest.mark.slow
def test_many_bytes_are_answered_or_refused(app: ServingApp, call: Call) -> None:
    """The same, thousands of times."""
    fuzz(app, call, examples=5_000)


def test_a_failure_of_ours_tells_nothing(
    app: ServingApp, call: Call, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception becomes a 500 with an id; its text stays in the server's log."""

    def fail(rows: object) -> None:
        raise ValueError("secret path /etc")

    monkeypatch.setattr(app.endpoint.active.scorer, "score_rows", fail)
    response = call("POST", "/predict", row)

    assert response.status == 500
    assert b"secret" not in response.body
    assert response.json()["type"] == "urn:modelyard:problem:internal"
