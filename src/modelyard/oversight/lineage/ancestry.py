"""A version's ancestors and descendants: the steps, walked back from it and forth."""

from collections.abc import Iterator, Sequence

from modelyard.core import Clock, ModelyardError, system_clock
from modelyard.governance import Approval, ModelVersion
from modelyard.governance.promotion import standing_of
from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.describing import describe
from modelyard.oversight.lineage.logged import traffic_of
from modelyard.oversight.lineage.records import GivenApproval, Link, VersionLineage
from modelyard.oversight.lineage.steps import Kind, Step, Thing

__all__ = ["lineage_of"]

_OWN = frozenset({"approve", "register"})
"""Jobs that are told elsewhere than in the list of what became of a version."""


def lineage_of(
    books: Books, steps: Sequence[Step], version: ModelVersion, *, clock: Clock = system_clock
) -> VersionLineage:
    """All that a version came from, and all that came of it.

    Raises
    ------
    IntegrityError
        If a record is damaged; changed bytes of the package are told, not raised.
    """
    me = Thing(Kind.VERSION, version.subject)
    manifest = books.manifest(version.digest)
    run = books.run(version.run_id)
    later = [step for step in steps if me in step.inputs and not (step.job in _OWN and not step.failed)]
    made = [thing.id for step in later for thing in step.outputs if thing.kind is Kind.VERSION]
    return VersionLineage(
        subject=version.subject,
        digest=version.digest,
        stage=version.stage.value,
        intact=_wrong(books, version),
        code_commit=manifest.code_commit if manifest else "",
        environment=dict(run.environment) if run else {},
        made_from=tuple(_links(books, _before(steps, me))),
        approvals=tuple(_approvals(books, version, clock)),
        became=tuple(_links(books, later)),
        traffic=traffic_of(books.workspace.folder("predictions"), version.digest),
        successors=tuple(made),
    )


def _before(steps: Sequence[Step], end: Thing) -> list[Step]:
    """Every step on a way to a thing, in the order of time. Another version is where a way begins, not gone through."""
    makers: dict[Thing, list[Step]] = {}
    for step in steps:
        for thing in step.outputs:
            makers.setdefault(thing, []).append(step)
    found: dict[str, Step] = {}
    wanted = [end]
    seen = {end}
    while wanted:
        for step in makers.get(wanted.pop(), []):
            found[step.id] = step
            more = {thing for thing in step.inputs if thing.kind is not Kind.VERSION} - seen
            seen |= more
            wanted += more
    return [step for step in steps if step.id in found]


def _links(books: Books, steps: Sequence[Step]) -> Iterator[Link]:
    """One for each thing that a step gave; one for a step that gave none."""
    for step in steps:
        at = step.ended or step.begun
        for thing in step.outputs or (None,):
            says = (describe(books, thing) if thing else "") or step.note
            yield Link(step.job, thing, step.inputs, at, step.actor, says, step.failed)


def _wrong(books: Books, version: ModelVersion) -> str:
    """What is wrong with the bytes of the package, read now."""
    try:
        books.registry.package(version)
    except ModelyardError as error:
        return error.sentence
    return ""


def _approvals(books: Books, version: ModelVersion, clock: Clock) -> Iterator[GivenApproval]:
    """Every approval, and whether it counts under the policy as it is now."""
    with books.workspace.ledger.reading() as connection:
        standing = standing_of(connection, version, books.problem.policy, clock())
    for approval in books.registry.approvals(version.name, version.version):
        counts = approval in standing.approvals
        yield GivenApproval(approval, counts, "" if counts else _why_void(approval, standing.void))


def _why_void(approval: Approval, void: Sequence[str]) -> str:
    begin = f"that of {approval.approver} "
    said = [words.removeprefix(begin) for words in void if words.startswith(begin)]
    return said[0] if said else "was given again later"
