"""The way of a model into production, as short as it can be: its own maker approves it, or a colleague does."""

from modelyard import Project

__all__ = ["ALONE", "QUICK", "promote_by_grace", "release"]

QUICK = (
    "training.families=[linear]",
    "training.folds=3",
    "training.tuning_rounds=0",
    "training.workers=1",
    "training.unit_minutes=null",
    "owner=grace",
)
"""Settings of a project whose owner is grace, and which is trained in seconds."""

ALONE = (*QUICK, "policy.two_person=false")
"""The same for one person, who may approve what they have made."""


def release(project: Project) -> None:
    """Train, open the test part, package, register, approve and promote version 1, alone."""
    project.train(accept="a test")
    project.evaluate(open_test="card")
    project.package()
    project.register()
    project.approve(1, "a test")
    project.promote(1)


def promote_by_grace(project: Project, version: int) -> str:
    """Have somebody else approve and promote a registered version of a yard's project; returns that person's token."""
    token = project.tokens().create("grace", ["approver", "operator"])
    grace = Project.open(project.root, env="quick", token=token)
    grace.approve(version, "The figures hold.")
    assert grace.promote(version).version == version
    return token
