"""A request's JSON body as a model, or a problem that names each wrong field."""

import re
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ValidationError

from hub_api import strict_json
from hub_api.bodies import read_body
from hub_api.problems import Fault, Problem
from hub_api.resources import Resources
from hub_api.strict_json import BadJsonError

_Body = TypeVar("_Body", bound=BaseModel)
_NUMBER = re.compile(r"[+-]?[0-9.]+")


def _written(value: object) -> object:
    """Pydantic would take a number in an address for seconds since 1970."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        raise ValueError("a time is written as 2026-03-01T08:00:00+08:00")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A time with its zone in an address."""


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body that is read here."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read(request: Request, held: Resources, model: type[_Body]) -> _Body:
    """The request's body as the model has it; a problem names each wrong field."""
    async with held.gate.place():
        return parse(await read_body(request), model)


def parse(body: bytes, model: type[_Body]) -> _Body:
    """Strict JSON that fits the model."""
    try:
        strict_json.parse(strict_json.utf8(body))
        # A number is no truth value and no text, whatever could be made of it.
        return model.model_validate_json(body, strict=True)
    except BadJsonError as error:
        raise Problem("bad-json", [error.fault]) from None
    except ValidationError as error:
        faults = [
            Fault(".".join(map(str, fault["loc"])) or "$", fault["msg"])
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise Problem("invalid", faults) from None
