"""The OpenAPI document and the page tell of every route, and the schemas follow the contract."""

from collections.abc import Callable, Iterator
from typing import Any

from modelyard.data import ColumnContract, ColumnKind, Contract
from modelyard.serving import ServingApp
from modelyard.serving.rest import ROUTES, match_route
from modelyard.serving.rest.schemas import row_schema
from modelyard.version import __version__


def references(value: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_route_is_documented(call: Callable[..., Any]) -> None:
    """The document has exactly the routes of the table, each with its operation, and no dangling reference."""
    document = call("GET", "/openapi.json").json()
    found = {
        (method.upper(), path): operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }

    assert found == {(route.method, route.path): route.operation for route in ROUTES}
    assert {name.split("/")[-1] for name in references(document)} <= set(document["components"]["schemas"])
    assert document["openapi"] == "3.1.0"


def test_every_documented_route_answers(app: ServingApp, call: Callable[..., Any]) -> None:
    """No route of the table is 404 or 405."""
    scorer = app.endpoint.active.scorer
    for route in ROUTES:
        path = route.path.replace("{name}", scorer.name).replace("{version}", scorer.version)
        match = match_route(path)

        assert match is not None
        assert match.template == route.path
        assert call(route.method, path, b"{}").status == (422 if route.method == "POST" else 200)


def test_the_row_schema_is_the_contract(app: ServingApp, call: Callable[..., Any]) -> None:
    """Each column is a nullable property of its JSON type."""
    properties = call("GET", "/openapi.json").json()["components"]["schemas"]["Row"]["properties"]

    assert list(properties) == [column.name for column in app.endpoint.active.contract.columns]
    assert properties["tenure"]["type"] == ["number", "null"]
    assert properties["PaperlessBilling"]["type"] == ["boolean", "null"]
    assert properties["Contract"]["examples"] == ["Month-to-month", "One year", "Two year"]


def test_the_page_needs_no_network(call: Callable[..., Any]) -> None:
    """The documentation for people names every route and loads nothing from elsewhere."""
    response = call("GET", "/docs")
    page = response.body.decode()

    assert response.headers["content-type"].startswith("text/html")
    assert all(route.path.replace("{", "").split("}")[0] in page.replace("{", "") for route in ROUTES)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_version_names_server_and_model(app: ServingApp, call: Callable[..., Any]) -> None:
    """The version route tells who answers, down to the digest."""
    scorer = app.endpoint.active.scorer

    assert call("GET", "/version").json() == {
        "modelyard": __version__,
        "model": scorer.name,
        "version": scorer.version,
        "digest": scorer.digest,
    }


def test_head_is_understood_wherever_get_is(call: Callable[..., Any]) -> None:
    """Probes that ask for the header only are answered; the server leaves the body out."""
    assert [call("HEAD", path).status for path in ("/docs", "/version", "/metrics", "/health/live")] == [200] * 4
    assert call("HEAD", "/predict").status == 405


def test_declarations_stand_in_the_schema() -> None:
    """What rejects is a bound of the schema; what only flags stays a description."""
    age = ColumnContract(
        "age", ColumnKind.NUMERIC, nullable=False, low=20, high=70, lowest=0, declared=("range", "nullable")
    )
    plan = ColumnContract("plan", ColumnKind.CATEGORY, nullable=True, categories=("a",), allowed=("a", "b"))
    schema = row_schema(Contract((age, plan)))["properties"]

    assert schema["age"] == {"type": ["number"], "minimum": 0, "description": "In training from 20 to 70."}
    assert schema["plan"]["type"] == ["string", "null"]
    assert schema["plan"]["description"] == "Declared: one of: a, b by declaration."


def test_strictness_stands_in_the_schema() -> None:
    """A strict field is bounded by what training saw, with the slack that is not flagged; a lenient one by nothing."""
    strict = ColumnContract("age", ColumnKind.NUMERIC, nullable=False, low=20, high=70, strictness="strict")
    lenient = ColumnContract(
        "pay", ColumnKind.NUMERIC, nullable=False, lowest=0, declared=("range", "nullable"), strictness="lenient"
    )
    schema = row_schema(Contract((strict, lenient)))["properties"]

    assert (schema["age"]["type"], schema["age"]["minimum"], schema["age"]["maximum"]) == (["number"], 15, 75)
    assert schema["pay"] == {"type": ["number", "null"]}
