"""Audits kept with the split that they are about: made, found again, and shown with the decisions in force now."""

import dataclasses
from collections.abc import Sequence

from modelyard import data as data_room
from modelyard import store
from modelyard.audit import (
    AuditReport,
    audit,
    audit_basis,
    label_review,
    load_audit,
    outlier_review,
    save_audit,
    with_acknowledgements,
)
from modelyard.core import Finding, Progress, write_atomic
from modelyard.problem import Problem

__all__ = ["Audits"]


class Audits:
    """The audits of a project.

    Parameters
    ----------
    workspace
        Keeps each in a folder named after its split.
    progress
        Hears of every check.
    """

    def __init__(self, workspace: store.Workspace, progress: Progress) -> None:
        self._workspace = workspace
        self._progress = progress

    def make(
        self, problem: Problem, split: data_room.Split, *, quick: bool = False, changed: Sequence[Finding] = ()
    ) -> AuditReport:
        """Audit a split, and write the report, its page and the sheets for people's decisions.

        Parameters
        ----------
        quick
            Leave out the checks that train a model.
        changed
            What is told of the source beside the checks' findings.
        """
        roles = data_room.assign_roles(problem, split.train.schema)
        seen = audit(split.train, problem, roles, seed=problem.training.seed, quick=quick, progress=self._progress)
        corrections = data_room.corrections_in_force(self._workspace)
        basis = audit_basis(split, problem, corrections)
        seen = dataclasses.replace(seen, findings=(*changed, *seen.findings), corrections=corrections, basis=basis)
        report = with_acknowledgements(seen, self._workspace.ledger)
        folder = self._workspace.folder("audits", split.record.id)
        save_audit(report, problem, folder)
        decided = data_room.decided_rows(self._workspace)
        for name, sheet in (("label_suspects.csv", label_review), ("outliers.csv", outlier_review)):
            write_atomic(folder / name, sheet(report, split.train, problem, decided))
        return report

    def whole(self, problem: Problem, split: data_room.Split, *, changed: Sequence[Finding] = ()) -> AuditReport:
        """The whole audit of just this question on just these rows: an earlier command's, or made now."""
        seen = self._last(split)
        basis = audit_basis(split, problem, data_room.corrections_in_force(self._workspace))
        if seen is None or seen.basis != basis or changed:
            return self.make(problem, split, changed=changed)
        return seen

    def last(self, problem: Problem, split: data_room.Split) -> AuditReport:
        """The audit that was last made of a split; made now if it is gone or was quick."""
        return self._last(split) or self.make(problem, split)

    def _last(self, split: data_room.Split) -> AuditReport | None:
        """With the acknowledgements in force now; None if it is gone."""
        seen = load_audit(self._workspace.folder("audits", split.record.id))
        return None if seen is None else with_acknowledgements(seen, self._workspace.ledger)
