"""People's sessions as requests show them: a cookie, and a token with each change.

The cookie is for the hub's own pages: other sites cannot send it (SameSite), and what changes
something also shows a token that only the pages know. Keeping sessions: `hub.store.sessions`.
"""

import asyncio
import hashlib
import hmac
from hmac import compare_digest
from urllib.parse import urlsplit

from fastapi import Request, Response

from hub.store import passwords, sessions
from hub.store.keys import ApiKey
from hub.store.people import Person
from hub.store.sessions import Login
from hub_api.limits import PASSWORD_WAIT_S, PASSWORDS_TRIED_MAX
from hub_api.postgres import Database
from hub_api.problems import Problem

SESSION_COOKIE = "hub_session"
FORGERY_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD"})


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database, key: bytes) -> None:
        """key: for digests of what was typed as a name."""
        self._database = database
        self._key = key
        self._tried = asyncio.Semaphore(PASSWORDS_TRIED_MAX)

    async def open(self, request: Request, name: str, password: str) -> tuple[Person, str]:
        """A person and a new session's token; refused alike for wrong names and passwords."""
        refuse_other_sites(request)
        person_id = name.strip().lower()
        digest = hmac.new(self._key, person_id.encode("utf-8", "replace"), hashlib.sha256).digest()
        login = Login(person_id, password, digest, request.state.request_id)
        try:
            await asyncio.wait_for(self._tried.acquire(), PASSWORD_WAIT_S)
        except TimeoutError:
            raise Problem("busy", headers={"Retry-After": "1"}) from None
        try:
            person = await self._try(login)
        finally:
            self._tried.release()
        before = request.cookies.get(SESSION_COOKIE)
        token = await self._database.write(
            lambda connection: sessions.open_for(connection, login, person, before)
        )
        return person, token

    async def identify(self, request: Request, is_at_work: bool = True) -> ApiKey:
        """The person of the request's session as the API's routes know callers."""
        return key_of(await self.person(request, is_at_work))

    async def person(self, request: Request, is_at_work: bool = True) -> Person:
        """Who it is. What changes something must come from the hub's own pages."""
        token = request.cookies.get(SESSION_COOKIE, "")
        if request.method not in _SAFE:
            refuse_other_sites(request)
            shown = request.headers.get(FORGERY_HEADER, "")
            if not compare_digest(shown.encode(), sessions.forgery_token(token).encode()):
                raise Problem("forged")
        found = await self._database.write(
            lambda connection: sessions.find(connection, token, is_at_work)
        )
        if found is None:
            raise Problem("session-over")
        return found

    async def close(self, request: Request) -> None:
        """End the request's session."""
        token = request.cookies.get(SESSION_COOKIE, "")
        request_id = request.state.request_id
        await self._database.write(lambda connection: sessions.close(connection, token, request_id))

    async def _try(self, login: Login) -> Person:
        """Who this is. Counted within the gate, so that many tries at once get no further."""
        wait_s = await self._database.write(lambda connection: sessions.wait_s(connection, login))
        if wait_s:
            headers = {"Retry-After": str(wait_s)}
            raise Problem("too-many-logins", headers=headers, seconds=wait_s)
        person, kept = await self._database.write(
            lambda connection: sessions.known(connection, login)
        )
        is_right = await asyncio.to_thread(passwords.matches, login.password, kept)
        if person is None or not is_right:
            await self._database.write(
                lambda connection: sessions.refuse(connection, login, person)
            )
            raise Problem("login-refused")
        return person


def key_of(person: Person) -> ApiKey:
    """A person as the API's routes know callers."""
    return ApiKey(
        key_prefix=f"person:{person.person_id}",
        channel=None,
        scopes=person.scopes,
        label=person.name,
        created_at=person.created_at,
        last_used_at=None,
        revoked_at=None,
    )


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Let the browser keep the session until it is closed."""
    is_secure = request.url.scheme == "https"
    response.set_cookie(
        SESSION_COOKIE, token, path="/", httponly=True, samesite="strict", secure=is_secure
    )


def take_cookie(response: Response) -> None:
    """Let the browser forget the session."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")


def refuse_other_sites(request: Request) -> None:
    """Refuse what a browser says comes from a page of another site."""
    fetched_by = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    is_foreign = fetched_by not in (None, "same-origin", "none")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        is_foreign = True
    if is_foreign:
        raise Problem("forged")
