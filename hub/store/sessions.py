"""Sessions of people: opened by a password, found by a cookie's token, ended by time or by a word.

A token is 256 random bits, made here at each login and kept as its digest only: what a browser
brought before a login is never taken for a session. Not here: cookies and headers (`hub_api`).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from hub.store import audit, passwords, people
from hub.store.audit import Deed
from hub.store.db import Connection, queries
from hub.store.people import Person

TOKEN_BYTES = 32
TOKEN_LENGTH_MAX = 64
# A day's work with a lunch in it.
IDLE_S = 2 * 3600
END_S = 12 * 3600
KEPT_S = 30 * 86_400
# One write a minute tells well enough when somebody was last here.
SEEN_EVERY_S = 60
# Ten mistyped passwords in a quarter of an hour; a guesser gets 960 a day.
FAILURES_MAX = 10
FAILURES_WITHIN_S = 15 * 60


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody typed. `digest`: a keyed digest of the name as typed."""

    person_id: str
    password: str
    digest: bytes
    request_id: str | None = None


async def wait_s(connection: Connection, login: Login) -> int:
    """Seconds until this name may be tried again; 0: now."""
    row = await connection.fetchrow(
        queries("sessions")["failures"], login.digest, float(FAILURES_WITHIN_S)
    )
    if row is None or row["failures"] < FAILURES_MAX:
        return 0
    return max(1, int(FAILURES_WITHIN_S - row["oldest_s"]) + 1)


async def known(connection: Connection, login: Login) -> tuple[Person | None, str]:
    """Who is called so, and the digest to try the password against; a stand-in if nobody is."""
    found = await people.find(connection, login.person_id)
    if found is None or found[0].disabled_at is not None:
        return None, passwords.NOBODYS
    return found


async def refuse(connection: Connection, login: Login, person: Person | None) -> None:
    """Note a login that failed."""
    async with connection.transaction():
        await connection.execute(queries("sessions")["failed"], login.digest)
        if person is not None:
            await _record(connection, person.person_id, "session.refused", login.request_id)


async def open_for(connection: Connection, login: Login, person: Person, before: str | None) -> str:
    """A new session's token; the session that the browser had before ends."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    async with connection.transaction():
        sql = queries("sessions")
        if before is not None:
            await connection.execute(sql["close"], digest_of(before))
        await connection.execute(sql["forget"], float(KEPT_S))
        await connection.execute(sql["forgive"], login.digest, float(FAILURES_WITHIN_S))
        await connection.execute(sql["open"], digest_of(token), person.person_id)
        await connection.execute(queries("people")["logged_in"], person.person_id)
        await _record(connection, person.person_id, "session.opened", login.request_id)
    return token


async def find(connection: Connection, token: str, is_at_work: bool = True) -> Person | None:
    """Whose session this is; None if it ended, in whatever way. is_at_work: it is awake again."""
    if len(token) > TOKEN_LENGTH_MAX:
        return None
    digest = digest_of(token)
    row = await connection.fetchrow(
        queries("sessions")["find"], digest, float(IDLE_S), float(END_S)
    )
    if row is None:
        return None
    if is_at_work and row["unseen_s"] > SEEN_EVERY_S:
        await connection.execute(queries("sessions")["seen"], digest)
    return people.person_of(row)


async def close(connection: Connection, token: str, request_id: str | None = None) -> None:
    """End a session; nothing happens if it ended before."""
    async with connection.transaction():
        whose = await connection.fetchval(queries("sessions")["close"], digest_of(token))
        if whose is not None:
            await _record(connection, whose, "session.closed", request_id)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def forgery_token(token: str) -> str:
    """What a page of the session shows with each change, and another site cannot know."""
    return hmac.new(token.encode(), b"hub console forms", hashlib.sha256).hexdigest()


async def _record(
    connection: Connection, person_id: str, action: str, request_id: str | None
) -> None:
    deed = Deed(f"person:{person_id}", action, f"people/{person_id}", request_id=request_id)
    await audit.record(connection, deed)
