"""The command ``bench``: what a package costs on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.exit_codes import ExitCode
from modelyard.cli.packages.trust import AllowSkopsOption
from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def bench(
    session: Session,
    path: Annotated[Path, typer.Argument(help="Folder of the package; needs no project.")],
    allow_skops: AllowSkopsOption = None,
) -> Answer:
    """Measure a package on this machine. Latency, throughput, memory and cold start, held against the limits it declares."""
    from modelyard.cli.show.packages import show_benchmark
    from modelyard.packaging.bench import bench_file, bench_package
    from modelyard.packaging.predictors import declare_trust

    del session
    declare_trust(allow_skops)
    found = bench_package(path)
    code = ExitCode.DONE if found.ok else ExitCode.REFUSED
    return Answer({**found.to_dict(), "ok": found.ok}, show_benchmark(found, bench_file(path)), code)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    verb(app, "bench")(bench)
