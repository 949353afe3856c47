"""A command's way through the API: once for each idempotency key, in one transaction.

Not here: what commands do (`hub.store`), their routes (`hub_api.routes`).
"""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

from fastapi import Header, Request
from pydantic import BaseModel

from hub.domain.envelope import BadEvent
from hub.errors import Refused
from hub.store import commands
from hub.store.commands import Answer, Asked, IdempotencyKeyReused, RequestInFlight
from hub.store.keys import ApiKey
from hub_api.limits import IN_FLIGHT_RETRY_AFTER_S
from hub_api.problems import Fault, Problem
from hub_api.resources import Resources

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The asker's own name of this request: sent again, it is answered, not done.",
    ),
]


def asked(request: Request, key: ApiKey, idempotency_key: str, body: BaseModel | None) -> Asked:
    """The request as it is known again: by key, name, path and body."""
    said = f"{request.method} {request.url.path}\n"
    if body is not None:
        said += body.model_dump_json()
    return Asked(key.key_prefix, idempotency_key, hashlib.sha256(said.encode()).digest())


async def run(held: Resources, request: Asked, work: Callable[[Any], Awaitable[Answer]]) -> Answer:
    """Do the work once, in one transaction; what is not possible is a 409 with its reason, and what
    no event can say a 422 with its field."""
    with refusals():
        answer = await held.database.write(
            lambda connection: commands.once(connection, request, work)
        )
    held.ringer.ring()
    return answer


async def recall(held: Resources, request: Asked) -> Answer | None:
    """The answer that this request was given before; None if it is new."""
    with refusals():
        return await held.database.write(lambda connection: commands.recall(connection, request))


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What a command is refused with, as a problem."""
    try:
        yield
    except BadEvent as bad:
        field = (bad.field or "$").removeprefix("$.data.")
        raise Problem("invalid", [Fault(field, bad.reason)]) from None
    except Refused as refused:
        faults = [Fault(str(name), str(value)) for name, value in refused.detail.items()]
        raise Problem("refused", faults, reason=refused.reason, cause=refused.code) from None
    except IdempotencyKeyReused:
        raise Problem("idempotency-key-reused") from None
    except RequestInFlight:
        retry = {"Retry-After": str(IN_FLIGHT_RETRY_AFTER_S)}
        raise Problem("request-in-flight", headers=retry) from None
