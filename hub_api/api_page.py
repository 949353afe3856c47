"""The OpenAPI document as clients can read it: what bodies of requests are made of stands among the
document's components, where their references lead, and each operation says how it refuses.
Not here: what each body is (`requests`)."""

from typing import Any

from fastapi import FastAPI

from hub_api import problems

LOCAL = "#/$defs/"
SHARED = "#/components/schemas/"
REFUSED = {
    "description": "It is refused, and why",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": SHARED + "Problem"}}},
}


def install(app: FastAPI) -> None:
    """Let the app give its document so."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _hoisted(made())
        return app.openapi_schema

    app.openapi = openapi


def _hoisted(document: dict[str, Any]) -> dict[str, Any]:
    shared = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        shared.pop(name, None)
    shared["Problem"] = problems.SCHEMA
    for path in document["paths"].values():
        for operation in path.values():
            # What the framework says of refusals is not how the hub refuses.
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = REFUSED
            for content in operation.get("requestBody", {}).get("content", {}).values():
                _hoist(content["schema"], shared)
    return document


def _hoist(schema: dict[str, Any], shared: dict[str, Any]) -> None:
    """Move the schema's own definitions among the shared ones; a taken name gets a number."""
    defined = schema.pop("$defs", {})
    names = {name: _free(name, shared) for name in defined}
    for name, one in defined.items():
        shared[names[name]] = one
        _relead(one, names)
    _relead(schema, names)


def _free(name: str, shared: dict[str, Any]) -> str:
    number = 1
    found = name
    while found in shared:
        number += 1
        found = f"{name}{number}"
    return found


def _relead(value: Any, names: dict[str, str]) -> None:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(LOCAL):
            value["$ref"] = SHARED + names[reference.removeprefix(LOCAL)]
        for one in value.values():
            _relead(one, names)
    elif isinstance(value, list):
        for one in value:
            _relead(one, names)
