"""Views of a release: version, deployment, token."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, plain_table, stack
from modelyard.governance import Deployment, ModelVersion, Stage, Staging, Token

__all__ = ["show_deployment", "show_revoked", "show_staging", "show_token", "show_tokens", "show_version"]


def show_version(version: ModelVersion, what: str) -> RenderableType:
    """A version after a step, and the step that follows."""
    steps = {
        Stage.CANDIDATE: f'Somebody else: modelyard approve {version.version} --reason "..."',
        Stage.APPROVED: f"modelyard promote {version.version}",
    }
    step = steps.get(version.stage)
    return stack(
        headline(f"Version {version.version} of {version.name} is {what}.", f"stage {version.stage.value}"),
        facts(
            (
                ("digest", version.digest[:12]),
                ("author", version.author),
                ("approvals", str(version.approvals)),
            )
        ),
        hint(step) if step else None,
    )


def show_deployment(deployment: Deployment, *, glass: str | None = None, is_served: bool = True) -> RenderableType:
    """What is in production now; and loudly, if it went past the gates. What is not served is asked by ``score``."""
    return stack(
        headline(f"Version {deployment.version} of {deployment.name} is in production.", deployment.kind),
        facts(
            (("by", deployment.actor), ("reason", deployment.reason), ("at", f"{deployment.at:%Y-%m-%d %H:%M:%S} UTC"))
        ),
        None
        if glass is None
        else Text("It went past the gates: an error until somebody else has reviewed it.", style="bold red"),
        hint(
            ("modelyard serve" if is_served else "modelyard score")
            if glass is None
            else f'Somebody else: modelyard review-break-glass {deployment.version} --reason "..."'
        ),
    )


def show_staging(found: Staging) -> RenderableType:
    """How a version did on an address of its own, and the step that follows."""
    return stack(
        headline(f"Version {found.version} of {found.name} passed in staging.", "no request came to it"),
        facts((("found", found.said), ("by", found.by), ("at", f"{found.at:%Y-%m-%d %H:%M:%S} UTC"))),
        hint(f"modelyard deploy {found.version}, or the first time: modelyard promote {found.version}"),
    )


def show_token(owner: str, roles: Sequence[str], token: str, days: int) -> RenderableType:
    """The token, for the only time."""
    return stack(
        headline(f"A token for {owner}", ", ".join(roles)),
        Text(token, style="bold"),
        Text(f"It is shown once; only its hash is stored. It expires in {days} days.", style="dim"),
        hint("export MODELYARD_TOKEN=... before the command that is run with it"),
    )


def show_tokens(tokens: Sequence[Token]) -> RenderableType:
    """Who holds a valid token, with which roles, until when."""
    rows = [(token.owner, ", ".join(token.roles), f"{token.expires_at:%Y-%m-%d}", token.hash[:12]) for token in tokens]
    return stack(
        headline(f"{counted(len(tokens), 'valid token')}"),
        plain_table(("owner", "roles", "expires", "hash begins"), rows) if rows else None,
        hint("modelyard token NAME --role ROLE makes one; modelyard token NAME --revoke makes a person's void"),
    )


def show_revoked(owner: str, count: int) -> RenderableType:
    """How many tokens are void now."""
    return headline(f"{counted(count, 'token')} of {owner} made void" if count else f"{owner} holds no valid token")
