"""Mails over SMTP, with a line that is protected before anything secret goes over it."""

import email.message
import email.utils
import smtplib
from pathlib import Path

from modelyard.core import ConfigError, ModelyardError
from modelyard.monitoring.alerting.notice import Notice
from modelyard.monitoring.alerting.sinks.posting import trusted
from modelyard.monitoring.alerting.sinks.webhook import secret_of
from modelyard.problem.sections import SinkPlan

__all__ = ["MailSink", "mail_of"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_PERMANENT = 500


class MailSink:
    """Sends each notice as a plain mail; its ``Message-ID`` is the message's id, so that a second copy is known as one."""

    def __init__(self, plan: SinkPlan, root: Path) -> None:
        self._plan = plan
        self._root = root

    def deliver(self, notice: Notice) -> None:
        """Send the message."""
        plan = self._plan
        mail = mail_of(notice, plan)
        password = None if plan.password is None else secret_of(plan.password)
        try:
            with self._line() as line:
                if plan.user is not None and password is not None:
                    line.login(plan.user, password)
                refused = line.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise self._failure(error) from error
        if refused:
            raise self._refused(", ".join(sorted(refused)))

    def _line(self) -> smtplib.SMTP:
        """A connection over which a password may go."""
        plan = self._plan
        host, port = plan.host or "", plan.port or _PORTS[plan.tls]
        if plan.tls == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=plan.timeout_s, context=trusted(plan, self._root))
        line = smtplib.SMTP(host, port, timeout=plan.timeout_s)
        if plan.tls == "starttls":
            try:
                line.starttls(context=trusted(plan, self._root))
            except (OSError, smtplib.SMTPException, ConfigError):
                line.close()
                raise
        return line

    def _failure(self, error: OSError | smtplib.SMTPException) -> ModelyardError:
        """What went wrong, and whether trying again may help."""
        if isinstance(error, smtplib.SMTPNotSupportedError | smtplib.SMTPAuthenticationError):
            return self._refused(str(error))
        code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
        if code >= _PERMANENT or isinstance(error, smtplib.SMTPRecipientsRefused):
            return self._refused(str(error))
        return ModelyardError(
            "the mail server cannot be reached",
            where=f"{self._plan.host}",
            got=f"{type(error).__name__}: {error}"[:200],
            cure="It is tried again with the next run; see that the server is up",
        )

    def _refused(self, got: str) -> ConfigError:
        return ConfigError(
            "the mail server refuses the mail",
            where=f"{self._plan.host}",
            got=got[:200],
            cure="Look at tls, user, password, sender and to of the sink",
        )


def mail_of(notice: Notice, plan: SinkPlan) -> email.message.EmailMessage:
    """The notice as a mail; line breaks in data cannot become headers, since the library refuses them."""
    mail = email.message.EmailMessage()
    mail["From"] = plan.sender or ""
    mail["To"] = ", ".join(plan.to)
    mail["Subject"] = " ".join(notice.headline.split())
    mail["Date"] = email.utils.format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.id}@modelyard>"
    mail["References"] = f"<{notice.alert}@modelyard>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(notice.lines) + "\n")
    return mail
