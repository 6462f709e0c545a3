"""The command ``package``: build one, or verify one."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.packages.trust import AllowSkopsOption
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def package(
    session: Session,
    action: Annotated[str, typer.Argument(help="build or verify.")] = "build",
    path: Annotated[Path | None, typer.Argument(help="Folder of the package to verify; needs no project.")] = None,
    digest: Annotated[
        str | None, typer.Option("--digest", help="What verify holds the package against: the registry's digest.")
    ] = None,
    allow_skops: AllowSkopsOption = None,
) -> Answer:
    """Build the package and prove its parity, or verify one. Model, preprocessing, contract, golden rows, tests and card in one folder."""
    from modelyard.core import ConfigError
    from modelyard.packaging.predictors import declare_trust
    from modelyard.problem import did_you_mean

    if action == "build" and path is None and digest is None:
        return _built(session)
    if action == "verify" and path is not None:
        declare_trust(allow_skops)
        return _verified(path, digest)
    wrong = action not in ("build", "verify")
    cure = did_you_mean(action, ["build", "verify"]) if wrong else "Run: modelyard package, or package verify PATH"
    raise ConfigError("a package cannot be asked that", where="package", got=repr(action), cure=cure)


def _built(session: Session) -> Answer:
    """The newest run's package."""
    from modelyard.cli.show.packages import show_package

    course = session.project.course
    built = session.project.package() if course is None else course.package()
    return Answer(built.manifest.to_dict(), show_package(built))


def _verified(path: Path, digest: str | None) -> Answer:
    """Every check of a package; refused if one of them failed."""
    from modelyard.cli.show.packages import show_verification
    from modelyard.packaging import load_package
    from modelyard.packaging.bench import read_benchmark
    from modelyard.packaging.verification import verify_package

    result = verify_package(path, digest=digest)
    measured = read_benchmark(load_package(path)) if result.ok else None
    record = {**result.to_dict(), "ok": result.ok, "benchmark": measured.to_dict() if measured else None}
    code = ExitCode.DONE if result.ok else ExitCode.REFUSED
    return Answer(record, show_verification(result, measured), code)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "package")(package)
