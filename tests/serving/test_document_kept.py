"""The server keeps what its OpenAPI document promises, whatever is sent: Schemathesis against a real process."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict

from modelyard.serving.rest import ROUTES

StartServer = Callable[..., Any]
KEPT = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
)


def requests_that_break_a_promise(url: str, examples: int) -> tuple[list[str], set[tuple[str, int]]]:
    """What was found wrong, and which operations gave which statuses to requests within and outside of the schema."""
    load_all_checks()
    checks: Any = [CHECKS.get_one(name) for name in KEPT]
    session = requests.Session()
    found: list[str] = []
    seen: set[tuple[str, int]] = set()
    for result in from_dict(httpx.get(f"{url}/openapi.json").json()).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        modes = GenerationMode if operation.body else (GenerationMode.POSITIVE,)
        for mode in modes:

            @seed(1)
            @settings(
                max_examples=examples,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Case[Any]) -> None:
                label = case.operation.label
                response = case.call(base_url=url, session=session)
                seen.add((label, response.status_code))
                try:
                    case.validate_response(response, checks=checks)
                except AssertionError as error:
                    found.append(f"{label}: {error}")
                except ExceptionGroup as group:
                    found.extend(f"{label}: {error}" for error in group.exceptions)

            send()
    session.close()
    return found, seen


def judge(found: list[str], seen: set[tuple[str, int]]) -> None:
    """Nothing is wrong, every route was asked, and rows were both answered and refused."""
    assert found == []
    assert {label for label, _ in seen} == {f"{route.method} {route.path}" for route in ROUTES}
    assert {status for label, status in seen if label == "POST /predict"} >= {200, 422}
    assert all(status < 500 for _, status in seen)


def test_the_document_is_kept(start_server: StartServer) -> None:
    """A few requests for every operation, valid and not: no 5xx, and every answer is of a documented status and form."""
    judge(*requests_that_break_a_promise(start_server().url, examples=2))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_document_is_kept_for_long(start_server: StartServer) -> None:
    """The same with dozens of requests for every operation, within and outside of its schema."""
    judge(*requests_that_break_a_promise(start_server().url, examples=60))
