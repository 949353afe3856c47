"""A pack's own samples, run as tests: a pack is taken only if all of them come out as they say."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from hub.channels import codec, signatures
from hub.channels.codec import Opened
from hub.channels.pack import Pack, Sample
from hub.channels.paths import MISSING
from hub.channels.requests import Given, PushRefused, Request
from hub.channels.signatures import Signature
from hub.domain.documents import BadDocument

SAMPLE_CHANNEL = "sample"
SAMPLE_SECRET = "sample-secret"


class Failure(Struct, frozen=True):
    """A sample that comes out otherwise: the field, what was expected and what came."""

    sample: str
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.sample}: {self.field} is {self.found}, expected {self.expected}"


def failures(pack: Pack) -> list[Failure]:
    """Every sample that does not come out as it says."""
    found = (_failure(pack, sample) for sample in pack.samples)
    return [failure for failure in found if failure is not None]


def check(pack: Pack) -> None:
    """BadDocument names the first sample that fails, and the field."""
    for i, sample in enumerate(pack.samples):
        failure = _failure(pack, sample)
        if failure is not None:
            raise BadDocument(str(failure), f"$.samples[{i}]")


def _failure(pack: Pack, sample: Sample) -> Failure | None:
    wanted = {k: v for k, v in msgspec.to_builtins(sample.expect).items() if v is not None}
    came = outcome(pack, sample)
    if wanted.get("events"):
        defaults = {"specversion": "1.0", "datacontenttype": "application/json"}
        source = f"/channels/{SAMPLE_CHANNEL}/shops/{sample.request.shop}"
        defaults |= {"pack": f"{pack.pack}@{pack.version}", "source": source}
        wanted["events"] = [defaults | event for event in wanted["events"]]
    for name, value in wanted.items():
        difference = _difference(value, came.get(name, MISSING), name)
        if difference is not None:
            # What hindered it says more than that events are missing.
            why = {k: v for k, v in came.items() if k in ("refused", "unmapped", "why")}
            field, expected, found = difference
            return Failure(sample.name, field, expected, f"{found} {why}" if why else found)
    return None


def outcome(pack: Pack, sample: Sample) -> dict[str, Any]:
    """What becomes of a sample, in the words of `Expected`."""
    names = {**pack.settings, **sample.settings}
    secrets = dict.fromkeys(pack.secrets, (SAMPLE_SECRET,))
    secrets |= {name: tuple(values) for name, values in sample.secrets.items()}
    given = Given(SAMPLE_CHANNEL, names, secrets)
    try:
        opened = codec.open_push(pack, given, request_of(pack, given, sample))
    except PushRefused as refused:
        return {"refused": refused.code, "why": refused.reason}
    try:
        question = codec.question_of(pack, opened)
        if question is not None:
            codec.asked(*question)
            return {"events": [], "reply": codec.answered(*question, sample.known).body}
        reply = codec.reply_to(pack, opened).body
    except PushRefused as refused:
        return {"refused": refused.code, "why": refused.reason}
    return {"reply": reply} | _decoded(pack, given, sample, opened)


def _decoded(pack: Pack, given: Given, sample: Sample, opened: Opened) -> dict[str, Any]:
    came: dict[str, Any] = {"events": []}
    for message in opened.messages:
        detail = MISSING if sample.detail is None else sample.detail
        decoded = codec.decode(pack, given, message, detail)
        came["events"] += decoded.events
        if decoded.ignored is not None:
            came["ignored"] = decoded.ignored
        if decoded.unmapped is not None:
            came["unmapped"] = decoded.unmapped.code
            came["why"] = f"{decoded.unmapped.field}: {decoded.unmapped.reason}"
    return came


def request_of(pack: Pack, given: Given, sample: Sample) -> Request:
    """The recorded request, signed if it was recorded without its signature."""
    recorded = sample.request
    body = recorded.text.encode() if recorded.text is not None else b""
    if recorded.text is None and recorded.body is not None:
        body = msgspec.json.encode(recorded.body)
    headers = {name.lower(): value for name, value in recorded.headers.items()}
    at = datetime.fromisoformat(recorded.received_at)
    request = Request(recorded.method, headers, dict(recorded.query), body, recorded.shop, at)
    request.form = pack.body == "form"
    if recorded.is_signed and not any(_is_there(recipe, request) for recipe in pack.signatures):
        _sign(pack.signatures[0], given, request)
    return request


def _is_there(recipe: Signature, request: Request) -> bool:
    kind = recipe.at.partition(":")[0]
    return (kind != "field" or bool(request.body)) and request.at(recipe.at) is not None


def _sign(recipe: Signature, given: Given, request: Request) -> None:
    if recipe.timestamp is not None:
        factor = 1000 if recipe.timestamp.unit == "ms" else 1
        _put(request, recipe.timestamp.at, str(int(request.received_at.timestamp() * factor)))
    secret = given.secrets.get(recipe.secret, (SAMPLE_SECRET,))[0]
    if recipe.algorithm != "rsa-sha256":
        _put(request, recipe.at, signatures.sign(recipe, given, request, secret))


def _put(request: Request, place: str, value: str) -> None:
    kind, _, name = place.partition(":")
    target = request.headers if kind == "header" else request.query
    if kind != "field":
        assert isinstance(target, dict)
        target.setdefault(name.lower() if kind == "header" else name, value)


def _difference(wanted: Any, came: Any, field: str) -> tuple[str, str, str] | None:
    """The first place where two values differ."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for name in [*wanted, *(name for name in came if name not in wanted)]:
            missing = name not in wanted
            found = _difference(
                MISSING if missing else wanted[name], came.get(name, MISSING), f"{field}.{name}"
            )
            if found is not None:
                return found
        return None
    if isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        pairs = enumerate(zip(wanted, came, strict=True))
        found = (_difference(w, c, f"{field}[{i}]") for i, (w, c) in pairs)
        return next((one for one in found if one is not None), None)
    if wanted == came and type(wanted) is type(came):
        return None
    return field, _shown(wanted), _shown(came)


def _shown(value: Any) -> str:
    return "nothing" if value is MISSING else repr(value)[:300]
