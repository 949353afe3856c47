"""What an error of the hub tells."""

from hub.errors import HubError, PortTakenError


def test_an_error_says_what_where_and_how_to_mend_it() -> None:
    error = HubError("it broke", where="/data", mend="glue it")
    assert str(error) == "it broke [/data] To mend it: glue it"


def test_the_docstring_is_the_default_message() -> None:
    assert str(PortTakenError()) == "A port the hub wants is used by another process."
