"""One HTTP request: bounded in time and size, and answered by whom it was sent to.

Not here: what is asked (`hub_assets.alerts`, `hub_assets.recon`).
"""

import urllib.request
from urllib.parse import urlsplit


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take a message, or a token, elsewhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def ask(request: urllib.request.Request, timeout_s: float, bytes_max: int) -> bytes:
    """The answer's body. Raises OSError (HTTPError for a status that is no success, redirects
    among them), http.client.HTTPException, and ValueError where the body is larger or the address
    no http(s) URL."""
    if urlsplit(request.full_url).scheme not in ("http", "https"):
        raise ValueError("the address is no http(s) URL")
    with _OPENER.open(request, timeout=timeout_s) as response:
        body = response.read(bytes_max + 1)
    if len(body) > bytes_max:
        raise ValueError(f"the answer is larger than {bytes_max} bytes")
    return body
