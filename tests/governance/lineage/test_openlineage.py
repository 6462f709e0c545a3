"""The events of OpenLineage hold against the specification's own schemas, and tell the whole life."""

import collections
import datetime as dt
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from tests.governance.lineage.conftest import Life
from tests.receivers import WebReceiver, web_receiver

from modelyard.core import ConfigError, ModelyardError
from modelyard.oversight.lineage import openlineage
from modelyard.oversight.lineage.openlineage import PRODUCER

PUBLISHED = Path(__file__).parents[2] / "data" / "openlineage"
OURS = Path(openlineage.__file__).parent / "schemas"
Event = dict[str, Any]

SCHEMAS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in (PUBLISHED / "OpenLineage.json", *(PUBLISHED / "facets").iterdir(), *OURS.iterdir())
]
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], DRAFT202012.create_resource(schema)) for schema in SCHEMAS
)
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return dt.datetime.fromisoformat(str(value)).tzinfo is not None


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    parts = urlsplit(str(value))
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and " " not in str(value)


def faults(content: Any, address: str) -> list[str]:
    """What a schema, named by the address that the content itself gives, says against it."""
    validator = jsonschema.Draft202012Validator({"$ref": address}, registry=REGISTRY, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


def facets_of(event: Event) -> list[dict[str, Any]]:
    """Every facet of an event."""
    datasets = [*event["inputs"], *event["outputs"]]
    groups = [event["run"]["facets"], event["job"]["facets"], *(item["facets"] for item in datasets)]
    return [facet for group in groups for facet in group.values()]


def told(life: Life, path: Path) -> list[Event]:
    """The events of a life."""
    life.open().oversight.openlineage(file=path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def events(lived: Life, tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """Those of the life."""
    return told(lived, tmp_path_factory.mktemp("events") / "lineage.jsonl")


def test_every_event_and_facet_holds_against_its_schema(events: list[Event]) -> None:
    """Each against the schema that it names itself, formats included; ours are shipped with the code."""
    named = [facet["_schemaURL"] for event in events for facet in facets_of(event)]
    found = [fault for event in events for fault in faults(event, event["schemaURL"])]
    found += [fault for event in events for facet in facets_of(event) for fault in faults(facet, facet["_schemaURL"])]

    assert found == []
    assert {event["producer"] for event in events} == {PRODUCER}
    assert sum(name.startswith("urn:modelyard:openlineage:1-0-0:") for name in named) >= 10
    assert len(set(named)) >= 12


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda event: event["run"].update(runId="7"), "is not a 'uuid'"),
        (lambda event: event.pop("eventTime"), "'eventTime' is a required property"),
        (lambda event: event.update(eventType="DONE"), "'DONE' is not one of"),
        (lambda event: event["job"].pop("name"), "'name' is a required property"),
    ],
)
def test_a_broken_event_is_found(events: list[Event], break_it: Any, said: str) -> None:
    """The schemas that the events pass do refuse."""
    event = json.loads(json.dumps(events[-1]))
    break_it(event)

    assert any(said in fault for fault in faults(event, event["schemaURL"]))


def test_every_step_begins_and_ends_once(events: list[Event]) -> None:
    """One START and one end for each run, in the order of time; what a gate or a lack of rows stopped has failed, with the reason."""
    kinds: dict[str, list[str]] = collections.defaultdict(list)
    for event in events:
        kinds[event["run"]["runId"]].append(event["eventType"])
    failed = [event for event in events if event["eventType"] == "FAIL"]
    why = [event["run"]["facets"]["errorMessage"]["message"] for event in failed]

    assert {tuple(kind) for kind in kinds.values()} == {("START", "COMPLETE"), ("START", "FAIL")}
    assert [event["eventTime"] for event in events] == sorted(event["eventTime"] for event in events)
    assert [event["job"]["name"] for event in failed] == ["promote", "retrain"]
    assert "approvals wants 1" in why[0]
    assert "new" in why[1]
    assert not any(event["outputs"] for event in failed)


def test_the_jobs_are_the_verbs_of_the_life(events: list[Event]) -> None:
    """In one namespace, which is the project's; each as often as the ledger says."""
    done = [event["job"]["name"] for event in events if event["eventType"] == "COMPLETE"]

    assert {event["job"]["namespace"] for event in events} == {"modelyard://churn"}
    assert done == [
        "collect",
        "split",
        "train",
        "evaluate",
        "evaluate",
        "package",
        "register",
        "approve",
        "promote",
        "score",
        "monitor",
    ]


def completed(events: list[Event], job: str) -> Event:
    """The last event of a job that came to its end."""
    return [event for event in events if (event["job"]["name"], event["eventType"]) == (job, "COMPLETE")][-1]


def versions(datasets: list[dict[str, Any]]) -> dict[str, str]:
    """Name to version."""
    return {
        item["name"]: item["facets"]["version"]["datasetVersion"] for item in datasets if "version" in item["facets"]
    }


def test_nothing_is_lost_on_the_way_from_the_source_to_the_answers(events: list[Event]) -> None:
    """From the production version back, output to input, by versions alone: package, run, split, data, the file."""
    made = {
        (item["name"], item["facets"].get("version", {}).get("datasetVersion")): event
        for event in events
        if event["eventType"] == "COMPLETE"
        for item in event["outputs"]
    }
    way, wanted = [], [("model", "churn/1")]
    while wanted:
        key = wanted.pop(0)
        event = made.get(key)
        if event is not None and event["job"]["name"] not in way:
            way.append(event["job"]["name"])
            wanted += [
                (item["name"], item["facets"].get("version", {}).get("datasetVersion")) for item in event["inputs"]
            ]

    assert way == ["register", "package", "train", "evaluate", "split", "collect"]
    assert completed(events, "collect")["inputs"][0]["name"].endswith("churn.parquet")
    assert versions(completed(events, "score")["inputs"])["model"] == "churn/1"
    assert versions(completed(events, "monitor")["inputs"])["model"] == "churn/1"


def test_facets_tell_what_the_records_know(lived: Life, events: list[Event]) -> None:
    """Schema, version, source, owners, columns, quality of the training rows, and of the sealed part its size alone."""
    record = next(iter(lived.open().workspace.folder("datasets").glob("*/dataset.json")))
    data = json.loads(record.read_text(encoding="utf-8"))
    rows = {item["name"]: item["facets"] for item in completed(events, "split")["outputs"]}
    (stored,) = completed(events, "collect")["outputs"]
    (package,) = completed(events, "package")["outputs"]
    train = rows["split.train"]["dataQualityMetrics"]
    sealed = rows["split.test"]["dataQualityMetrics"]
    lineage = rows["split.train"]["columnLineage"]["fields"]["tenure"]["inputFields"]
    made = package["facets"]["columnLineage"]["fields"]
    owners = completed(events, "train")["job"]["facets"]["ownership"]["owners"]

    assert stored["facets"]["version"]["datasetVersion"] == data["digest"]
    assert stored["facets"]["dataQualityMetrics"]["rowCount"] == 400
    assert stored["facets"]["dataQualityMetrics"]["columnMetrics"] == {}
    assert len(stored["facets"]["schema"]["fields"]) == 21
    assert 0 <= train["columnMetrics"]["tenure"]["min"] < train["columnMetrics"]["tenure"]["max"] <= 72
    assert train["columnMetrics"]["gender"] == {"nullCount": 0}
    assert sealed == {
        **sealed,
        "rowCount": 400 - train["rowCount"] - rows["split.validation"]["dataQualityMetrics"]["rowCount"],
    }
    assert sealed["columnMetrics"] == {}
    assert [(item["name"], item["field"]) for item in lineage] == [("data", "tenure")]
    assert any(item["field"] == "tenure" for field in made.values() for item in field["inputFields"])
    assert package["facets"]["modelyard_modelVersion"]["version"] == "1"
    assert package["facets"]["modelyard_modelVersion"]["digest"] == package["facets"]["version"]["datasetVersion"]
    assert [item["name"] for item in owners] == ["user:grace", "team:retention"]


def test_a_repeated_export_is_the_same(life: Life, tmp_path: Path) -> None:
    """Byte for byte; what happens later adds events, and changes none."""
    first = told(life, tmp_path / "a.jsonl")
    again = told(life, tmp_path / "b.jsonl")
    life.open().score(life.root.parent / "new.csv", tmp_path / "more.csv")
    later = told(life, tmp_path / "c.jsonl")

    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert first == again
    assert [event for event in later if event in first] == first
    assert [event["job"]["name"] for event in later if event not in first] == ["score", "score"]


@pytest.fixture
def receiver() -> Any:
    """A web server."""
    with web_receiver() as server:
        yield server


def test_events_are_posted_in_order(
    lived: Life, events: list[Event], receiver: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the path of the specification, with the key of the environment; nothing is lost, nothing is there twice."""
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "k-1")
    (sent,) = lived.open().oversight.openlineage(to=f"http://127.0.0.1:{receiver.port}")

    assert sent.events == len(events)
    assert {(item.path, item.headers["Authorization"]) for item in receiver.posted} == {
        ("/api/v1/lineage", "Bearer k-1")
    }
    assert [json.loads(item.body) for item in receiver.posted] == events


def test_a_receiver_that_is_down_or_refuses_is_said(lived: Life, receiver: WebReceiver) -> None:
    """One sentence: how many it has, and what to do; an address with a password is none."""
    oversight = lived.open().oversight
    address = f"http://127.0.0.1:{receiver.port}"
    receiver.status = 503
    with pytest.raises(ModelyardError, match="the receiver took 0 events"):
        oversight.openlineage(to=address)
    receiver.status = 302
    with pytest.raises(ConfigError, match=r"refuses an event.*status 302"):
        oversight.openlineage(to=address)
    with pytest.raises(ConfigError, match="no address to which lineage can be posted") as caught:
        oversight.openlineage(to="http://ann:x1@127.0.0.1/")

    assert "x1" not in caught.value.sentence
