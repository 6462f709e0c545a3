"""What the server says about itself: metadata, the OpenAPI document, a page for people, and the control application.

FastAPI is imported by :func:`build_control` only: no prediction waits for it.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.data import ColumnContract
from modelyard.report import Page, Prose, Section, Table, render_html
from modelyard.serving.endpoint import ActiveModel, Endpoint
from modelyard.serving.formats import offered_outputs
from modelyard.serving.rest.examples import DATATYPES_BY_KIND, request_examples, response_examples
from modelyard.serving.rest.routes import ROUTES, Route
from modelyard.serving.rest.schemas import COMPONENTS, REQUEST_SCHEMAS, RESPONSE_SCHEMAS, TABLE_TYPES, row_schema
from modelyard.version import __version__

__all__ = ["build_control", "docs_page", "model_metadata", "openapi_document", "server_metadata", "server_version"]

_PROBLEM_TEXTS = {
    "400": "The body is not valid JSON.",
    "401": "There is no valid key in the request.",
    "403": "The key does not allow this.",
    "404": "There is no such model or version.",
    "408": "The body did not come in time.",
    "413": "The body is too large, or has too many rows.",
    "415": "The body is of another content type than those listed.",
    "422": "The body is no table, or breaks the model's contract; `errors` names row, field, got and expected.",
    "429": "Requests come faster than they may; `Retry-After` says when to come again.",
    "503": "The model is not verified, or the log takes no records; nothing was answered or kept.",
}


_UNCERTAINTY = {
    "name": "uncertainty",
    "in": "query",
    "description": "Whether to say how sure each prediction is.",
    "schema": {"type": "boolean", "default": False},
}


def server_metadata() -> dict[str, Any]:
    """The Open Inference Protocol's server metadata, with the extensions that are offered."""
    return {"name": "modelyard", "version": __version__, "extensions": ["binary_tensor_data"]}


def server_version(model: ActiveModel) -> dict[str, Any]:
    """Versions of the server and of the model that answers."""
    return {"modelyard": __version__, "model": model.name, "version": model.version, "digest": model.digest}


def model_metadata(model: ActiveModel) -> dict[str, Any]:
    """The Open Inference Protocol's model metadata: one input tensor a column."""
    datatypes = {"score": "FP64", "probabilities": "FP64"}
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "modelyard",
        "inputs": [
            {"name": column.name, "datatype": DATATYPES_BY_KIND.get(column.kind, "BYTES"), "shape": [-1]}
            for column in model.contract.columns
        ],
        "outputs": [
            {
                "name": name,
                "datatype": datatypes.get(name, "BYTES"),
                "shape": [-1, len(model.classes)] if name == "probabilities" else [-1],
            }
            for name in offered_outputs(model.classes)
        ],
    }


def openapi_document(model: ActiveModel) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all routes; the row schema is the model's contract."""
    paths: dict[str, dict[str, Any]] = {}
    asked, answered = request_examples(model), response_examples(model)
    for route in ROUTES:
        operation = _operation(route, {"name": model.name, "version": model.version})
        _exemplify(operation.get("requestBody"), asked.get(route.operation))
        _exemplify(operation["responses"]["200"], answered.get(route.operation))
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"modelyard: {model.name}",
            "version": model.version,
            "description": "Predictions of one model, with health, metrics and feedback.",
        },
        "paths": paths,
        "components": {"schemas": {"Row": row_schema(model.contract), **COMPONENTS}},
    }


def docs_page(model: ActiveModel) -> Page:
    """The routes and the fields, for people; needs no network."""
    routes = tuple((route.method, route.path, route.summary) for route in ROUTES)
    fields = tuple(_field(column) for column in model.contract.columns)
    names = [column.name for column in model.contract.columns]
    return Page(
        title=f"{model.name}, version {model.version}",
        subtitle="How to ask this server",
        sections=(
            Section("Routes", (Table(("Method", "Path", "What it does"), routes),)),
            Section(
                "Fields of a row",
                (
                    Prose(
                        f"`POST /predict` takes a JSON object with these {len(names)} fields. A missing value is null."
                    ),
                    Table(("Field", "Kind", "Seen in training", "May be missing"), fields),
                ),
            ),
        ),
        footer=f"modelyard {__version__}; machine-readable: /openapi.json",
    )


def build_control(endpoint: Endpoint) -> Any:
    """The FastAPI application for the routes that are not hot: version, OpenAPI document, documentation."""
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse, JSONResponse

    control = FastAPI(title="modelyard", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)

    @control.get("/version")
    async def version() -> JSONResponse:
        return JSONResponse(server_version(endpoint.active))

    @control.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(openapi_document(endpoint.active))

    @control.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(render_html(docs_page(endpoint.active)))

    return control


def _operation(route: Route, served: Mapping[str, str]) -> dict[str, Any]:
    """One operation of the document; ``served`` is what a path may name."""
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.tag],
        "summary": route.summary,
        "responses": {"200": _response(route.operation)},
    }
    parameters = [name for name in ("name", "version") if f"{{{name}}}" in route.path]
    if parameters:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": [served[name]]}}
            for name in parameters
        ]
        operation["responses"]["404"] = _problem("404")
    if route.needs:
        operation["responses"] |= {status: _problem(status) for status in ("401", "403", "429")}
    if route.operation == "predict":
        operation["parameters"] = [_UNCERTAINTY]
    if route.operation in REQUEST_SCHEMAS:
        content = {"application/json": {"schema": REQUEST_SCHEMAS[route.operation]}, **_tables(route.operation)}
        operation["requestBody"] = {"required": True, "content": content}
        for status in ("400", "408", "413", "415", "422", "503"):
            operation["responses"][status] = _problem(status)
    elif route.operation.endswith("ready") or route.operation in ("ping", "golden"):
        operation["responses"]["503"] = {"description": "No predictions are given at the moment."}
    return operation


def _exemplify(message: dict[str, Any] | None, examples: Mapping[str, Any] | None) -> None:
    """Put examples beside the JSON schema of a body."""
    if message and examples:
        message["content"]["application/json"]["examples"] = {
            name: {"summary": name, "value": value} for name, value in examples.items()
        }


def _response(operation: str) -> dict[str, Any]:
    """The good answer of an operation."""
    if operation == "metrics":
        return {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    if operation == "docs":
        return {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    schema = RESPONSE_SCHEMAS.get(operation, {"type": "object"})
    content = {"application/json": {"schema": schema}, **_tables(operation)}
    if operation.endswith("infer"):
        content["application/octet-stream"] = {}  # binary tensors, where the request asks for them
    return {"description": "The answer.", "content": content}


def _tables(operation: str) -> dict[str, Any]:
    """The other forms of a body, where there are any: tables as bytes."""
    return {kind: {} for kind in TABLE_TYPES} if operation == "predict" else {}


def _problem(status: str) -> dict[str, Any]:
    """A refusal."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _PROBLEM_TEXTS[status], "content": {"application/problem+json": {"schema": schema}}}


def _field(column: ColumnContract) -> tuple[str, str, str, str]:
    """One field for the page."""
    seen, names = column.range_in_words, column.allowed or column.categories
    if names:
        seen = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    elif column.low is not None and column.high is not None:
        declared = f"; declared {seen}" if seen else ""
        seen = f"{column.low:g} to {column.high:g}{declared}"
    missing = "yes" if column.nullable else "no" if column.refuses_null else "flagged"
    return column.name, str(column.kind), seen, missing
