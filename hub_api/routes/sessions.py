"""Logging in and out of the console, and who is logged in."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from hub.store import keys, sessions
from hub.store.people import Person
from hub_api import requests
from hub_api.problems import Problem
from hub_api.resources import Held
from hub_api.sessions import SESSION_COOKIE, give_cookie, take_cookie

router = APIRouter(prefix="/v1/session", tags=["people"])
LOGIN_LENGTH_MAX = 256


class NewSession(BaseModel):
    """Who logs in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    login: str = Field(min_length=1, max_length=LOGIN_LENGTH_MAX)
    password: str = Field(min_length=1, max_length=LOGIN_LENGTH_MAX)


class Session(BaseModel):
    """Who is logged in, and what that person may do."""

    person_id: str
    name: str
    role: str
    place: str | None = Field(description="The only store that a clerk works in")
    scopes: list[str]
    csrf_token: str = Field(description="To be sent as `X-CSRF-Token` with each change")


@router.post("", response_model=Session, openapi_extra=requests.schema_of(NewSession))
async def post_session(request: Request, held: Held) -> Response:
    """Log in: a new session, always, and a cookie that scripts cannot read."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem("unsupported-media-type")
    wanted = await requests.read(request, held, NewSession)
    person, token = await held.sessions.open(request, wanted.login, wanted.password)
    response = JSONResponse(_shown(person, token).model_dump())
    give_cookie(request, response, token)
    return response


@router.get("", response_model=Session)
async def get_session(request: Request, held: Held) -> Session:
    """Who is logged in."""
    person = await held.sessions.person(request)
    return _shown(person, request.cookies[SESSION_COOKIE])


@router.delete("", status_code=204)
async def delete_session(request: Request, held: Held) -> Response:
    """Log out."""
    await held.sessions.person(request)
    await held.sessions.close(request)
    response = Response(status_code=204)
    take_cookie(response)
    return response


def _shown(person: Person, token: str) -> Session:
    scopes = keys.SCOPES if "admin" in person.scopes else sorted(person.scopes)
    return Session(
        person_id=person.person_id,
        name=person.name,
        role=person.role,
        place=person.place,
        scopes=list(scopes),
        csrf_token=sessions.forgery_token(token),
    )
