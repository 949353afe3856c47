"""The one root of all errors the hub raises, and those every room may meet.

An error says what went wrong, where, and what to do. Errors that belong to one noun
live beside that noun and derive from `HubError`; bad input is data, not an error.
"""

import inspect


class HubError(Exception):
    """Something in the hub went wrong."""

    def __init__(self, what: str = "", *, where: str = "", mend: str = "") -> None:
        """Keep the three parts apart, so that a command can print them as it likes.

        `what` defaults to the first line of the class's docstring.
        """
        self.what = what or default_message(type(self))
        self.where = where
        self.mend = mend
        super().__init__(self.what)

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        advice = f" To mend it: {self.mend}" if self.mend else ""
        return f"{self.what}{place}{advice}"


class SettingsError(HubError):
    """A setting has a value the hub can't use."""


class UnreachableError(HubError):
    """A server the hub needs does not answer."""


class ServiceFailedError(HubError):
    """A service of the hub stopped and does not come back."""


class PortTakenError(HubError):
    """A port the hub wants is used by another process."""


class ForeignDataError(HubError):
    """The data folder was made by another version."""


class DownloadError(HubError):
    """A part the hub needs could not be downloaded."""


class AlreadyRunningError(HubError):
    """A hub already runs on this data folder."""


class Refused(HubError):
    """The command is not possible as things are: nothing was changed.

    code: stable name of the reason; reason: for people; detail: what it depends on, such as the
    item that is missing.
    """

    def __init__(self, code: str, reason: str, **detail: object) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.detail = detail


def default_message(error: type[HubError]) -> str:
    """The first line of the error's docstring."""
    return (inspect.getdoc(error) or error.__name__).splitlines()[0]
