"""What breaks if something changes: a typed graph of sources, columns, features, models and consumers, and who is told."""

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.core import ConfigError, Record
from modelyard.oversight.sites import Site
from modelyard.problem import did_you_mean
from modelyard.problem.sections.dependencies import Consumer, Upstream

__all__ = ["Impact", "Node", "Person", "Reached", "impact_of"]


@dataclasses.dataclass(frozen=True)
class Node(Record):
    """Something that others depend on, or that depends on others.

    Parameters
    ----------
    kind
        ``source``, ``column``, ``feature``, ``model``, or a consumer's: ``endpoint``, ``report``, ``team``, ``process``.
    name
        Columns and features bear their model's name in front: ``churn.tenure``.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        """Kind and name, for people."""
        return f"{self.kind} {self.name}"


@dataclasses.dataclass(frozen=True)
class Reached(Record):
    """Something that the change reaches.

    Parameters
    ----------
    node
        What.
    via
        The shortest way there, from what changes on.
    note
        What that means for it, as far as it is known.
    """

    node: Node
    via: tuple[Node, ...]
    note: str


@dataclasses.dataclass(frozen=True)
class Person(Record):
    """Somebody to be told, and about what."""

    name: str
    contact: str
    about: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Impact(Record):
    """What a change reaches, transitively.

    Parameters
    ----------
    start
        What changes.
    reached
        Everything that depends on it, the nearest first.
    notify
        Owners of what is reached, each once.
    unowned
        What is reached and has no owner.
    """

    start: tuple[Node, ...]
    reached: tuple[Reached, ...]
    notify: tuple[Person, ...]
    unowned: tuple[str, ...]


@dataclasses.dataclass
class _Graph:
    """Who depends on whom, who answers for what, and what is known about it."""

    edges: dict[Node, list[Node]] = dataclasses.field(default_factory=dict)
    owners: dict[Node, tuple[str, str]] = dataclasses.field(default_factory=dict)
    notes: dict[Node, str] = dataclasses.field(default_factory=dict)

    def link(self, before: Node, after: Node) -> None:
        """``after`` depends on ``before``."""
        self.edges.setdefault(after, [])
        after_it = self.edges.setdefault(before, [])
        if after not in after_it:
            after_it.append(after)

    def own(self, node: Node, owner: str, contact: str) -> None:
        """Say who answers for something, if anybody says so."""
        if owner.strip():
            self.owners.setdefault(node, (owner.strip(), contact.strip()))


def impact_of(sites: Sequence[Site], kind: str, name: str) -> Impact:
    """What breaks if a column, a model or a source changes or goes away.

    Parameters
    ----------
    sites
        Projects that are looked at; ways lead from one to the other where a model is declared as upstream or as consumer.
    kind, name
        ``column`` (``tenure`` in all models, or ``churn.tenure`` in one), ``model`` or ``source``.

    Raises
    ------
    ConfigError
        If nothing of that name is known.
    """
    graph = _Graph()
    for site in sites:
        _draw(graph, site)
    known = [node for node in graph.edges if node.kind == kind]
    start = [node for node in known if name == node.name or (kind == "column" and node.name.endswith(f".{name}"))]
    if not start:
        names = sorted({node.name.rpartition(".")[2] if kind == "column" else node.name for node in known})
        raise ConfigError(f"there is no such {kind}", where=f"--{kind}", got=repr(name), cure=did_you_mean(name, names))
    reached = tuple(_walk(graph, start))
    told = [node for node in (*start, *(item.node for item in reached)) if node.kind not in ("column", "feature")]
    return Impact(
        tuple(start),
        reached,
        _people(graph, told),
        tuple(str(node) for node in told if node not in graph.owners),
    )


def _draw(graph: _Graph, site: Site) -> None:
    """One project: where its columns come from, what they become, who uses the answers."""
    problem = site.problem
    model = Node("model", problem.name)
    graph.edges.setdefault(model, [])
    graph.own(model, problem.owner, problem.contact)
    card, state = _card(site)
    graph.notes[model] = state
    features: Mapping[str, Sequence[str]] = {
        entry["column"]: entry["features"] for entry in card.get("data", {}).get("features", ()) if entry["features"]
    }
    for column, made in features.items():
        for feature in made:
            graph.link(Node("column", f"{problem.name}.{column}"), Node("feature", f"{problem.name}.{feature}"))
            graph.link(Node("feature", f"{problem.name}.{feature}"), model)
    metric = card.get("performance", {}).get("metric", "")
    for item in card.get("performance", {}).get("importance", ()):
        note = f"without it {problem.name} loses {item['drop']:.4f} of {metric}"
        graph.notes[Node("column", f"{problem.name}.{item['feature']}")] = note
    for upstream in (Upstream(name=problem.data.source), *problem.dependencies.upstream):
        _draw_upstream(graph, site, upstream, tuple(features))
    for consumer in problem.dependencies.consumers:
        _draw_consumer(graph, model, consumer)


def _draw_upstream(graph: _Graph, site: Site, upstream: Upstream, columns: Sequence[str]) -> None:
    """Something that columns come from. Where none is known yet, the whole model does."""
    node, name = Node(upstream.kind, upstream.name), site.problem.name
    if upstream.kind == "source":
        graph.own(node, upstream.owner, upstream.contact)
    graph.edges.setdefault(node, [])
    provided = upstream.columns or columns
    for column in provided:
        graph.link(node, Node("column", f"{name}.{column}"))
        if column not in columns:  # declared, and not a feature: the model may use it as target, id or time
            graph.link(Node("column", f"{name}.{column}"), Node("model", name))
    if not provided:
        graph.link(node, Node("model", name))


def _draw_consumer(graph: _Graph, model: Node, consumer: Consumer) -> None:
    """Something that uses the answers."""
    node = Node(consumer.kind, consumer.name)
    graph.link(model, node)
    graph.own(node, consumer.owner, consumer.contact)
    if consumer.purpose:
        graph.notes.setdefault(node, consumer.purpose)


def _card(site: Site) -> tuple[Mapping[str, Any], str]:
    """The card of the version in production, else of the newest; and where it stands."""
    registry, version = site.registry, site.current()
    if registry is None or version is None:
        return {}, "no version yet: only what the project file declares is known"
    return registry.package(version).read_json("card.json"), f"version {version.version}, {version.stage}"


def _walk(graph: _Graph, start: Sequence[Node]) -> Iterator[Reached]:
    """Breadth first, so that the way to everything is a shortest one; circles end where they began."""
    ways: dict[Node, tuple[Node, ...]] = dict.fromkeys(start, ())
    queue = deque(start)
    while queue:
        node = queue.popleft()
        for after in graph.edges.get(node, ()):
            if after not in ways:
                ways[after] = (*ways[node], node)
                queue.append(after)
                yield Reached(after, ways[after], graph.notes.get(after, ""))


def _people(graph: _Graph, nodes: Sequence[Node]) -> tuple[Person, ...]:
    """Each owner once, with everything of theirs."""
    about: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        if node in graph.owners:
            about.setdefault(graph.owners[node], []).append(str(node))
    return tuple(Person(name, contact, tuple(things)) for (name, contact), things in about.items())
