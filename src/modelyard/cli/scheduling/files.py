"""Files with which others call `modelyard tick`."""

from pathlib import Path

from modelyard.cli.session import Answer, Session

__all__ = ["CALLER_FORMS", "caller_files"]

CALLER_FORMS = ("cron", "systemd", "github")
"""Forms of ``modelyard export`` that call the schedule; they need no package."""

_NEXT = {
    "cron": "Look at it, then: crontab -l | cat - FILE | crontab -",
    "systemd": "Copy them to /etc/systemd/system, then: systemctl enable --now NAME.timer, or NAME-watch.service",
    "github": "Put it under .github/workflows/; it needs the secrets MODELYARD_STORE and MODELYARD_TOKEN",
}


def caller_files(session: Session, form: str, to: Path | None) -> Answer:
    """A crontab line, units for systemd, or a workflow; ``to`` is the folder that they are written into."""
    from modelyard.cli.show.blocks import headline, hint, link, stack
    from modelyard.core import write_atomic
    from modelyard.schedule.exporting import schedule_files

    project, folder = session.project, to or Path()
    files = schedule_files(form, project.problem, project.root)
    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        write_atomic(path, text)
    view = stack(headline(f"Written for {form}."), *(link("file", path) for path in paths), hint(_NEXT[form]))
    return Answer({"form": form, "paths": [str(path) for path in paths]}, view)
