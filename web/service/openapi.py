"""The OpenAPI document of the service, made from the same models and words that check requests."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from mattebox.core.settings import CutSettings, FinishSettings
from mattebox.core.settings.assign import GROUPS
from mattebox.web.service import removebg

if TYPE_CHECKING:
    from pydantic import BaseModel

_REFERENCE: Final = "#/components/schemas/{model}"
_TEXT: Final = {"type": "string"}
_BINARY: Final = {"type": "string", "format": "binary"}
_FLAG: Final = {"type": "boolean", "default": False}
_ERROR: Final = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"title": _TEXT, "code": _TEXT}},
        }
    },
}
_STATUSES: Final = {
    "400": "The photo or a field cannot be used",
    "403": "The API key is missing or not known",
    "408": "The upload stopped coming",
    "413": "The upload or the picture is too large",
    "415": "The body is of no kind that is read",
    "429": "As many photos as may be are here; Retry-After says when to ask again",
    "503": "This server cannot work now",
    "504": "The photo took too long",
}


@cache
def document() -> dict[str, Any]:
    """The document (OpenAPI 3.1) as JSON-ready data."""
    outputs = GROUPS["output"]
    models: tuple[type[BaseModel], ...] = (CutSettings, FinishSettings, *outputs)
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    components = schemas.get("$defs", {})
    components["Error"] = _ERROR
    components["Settings"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "cut": {"$ref": _REFERENCE.format(model="CutSettings")},
            "finish": {"$ref": _REFERENCE.format(model="FinishSettings")},
            "deliver": {
                "type": "array",
                "items": {
                    "anyOf": [
                        _TEXT,
                        *({"$ref": _REFERENCE.format(model=model.__name__)} for model in outputs),
                    ]
                },
            },
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mattebox", "version": _version()},
        "paths": {
            "/v1.0/removebg": {"post": _removebg()},
            "/v1/cut": {"post": _cut()},
            "/v1.0/account": {"get": _plain("Nothing is charged here", "application/json")},
            "/health": {"get": {**_plain("The server answers", "application/json"), "security": []}},
            "/metrics": {"get": _plain("Prometheus' text format", "text/plain")},
            "/openapi.json": {"get": _plain("This document", "application/json")},
        },
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
        "security": [{"key": []}, {}],
    }


def _removebg() -> dict[str, Any]:
    fields = {
        "image_file": _BINARY,
        "image_file_b64": _TEXT,
        "image_url": {**_TEXT, "description": "only from hosts that the server's owner allows"},
        "size": {"enum": list(removebg.SIZES), "default": "preview"},
        "type": {"enum": list(removebg.TYPES), "default": "auto"},
        "format": {"enum": list(removebg.FORMATS), "default": "auto"},
        "roi": {**_TEXT, "default": "0% 0% 100% 100%"},
        "crop": _FLAG,
        "crop_margin": _TEXT,
        "scale": {**_TEXT, "default": "original"},
        "position": {**_TEXT, "default": "original"},
        "channels": {"enum": ["rgba", "alpha"], "default": "rgba"},
        "add_shadow": _FLAG,
        "shadow_type": {"enum": list(removebg.SHADOWS)},
        "shadow_opacity": _TEXT,
        "semitransparency": {"type": "boolean", "default": True},
        "bg_color": _TEXT,
        "bg_image_file": _BINARY,
        "bg_image_url": _TEXT,
    }
    return {
        "summary": "Cut the subject out of a photo, by the widely copied interface of that name",
        "requestBody": _body(
            fields, ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")
        ),
        "responses": _responses(
            "image/png", "image/jpeg", "image/webp", "application/zip", "application/json"
        ),
    }


def _cut() -> dict[str, Any]:
    fields = {
        "photo": _BINARY,
        "photo_b64": _TEXT,
        "photo_url": _TEXT,
        "settings": {"$ref": _REFERENCE.format(model="Settings")},
        "background": _BINARY,
        "strokes": _BINARY,
        "from_matte": _BINARY,
    }
    return {
        "summary": "Cut the subject out of a photo by the settings of a hot folder's rule",
        "requestBody": _body(fields, ("multipart/form-data", "application/json")),
        "responses": _responses("image/*", "multipart/mixed", "application/json"),
    }


def _body(fields: dict[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields}
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}


def _responses(*kinds: str) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": _REFERENCE.format(model="Error")}}}
    return {
        "200": {"description": "The cutout", "content": {kind: {} for kind in kinds}},
        **{status: {"description": text, "content": error} for status, text in _STATUSES.items()},
    }


def _plain(description: str, kind: str) -> dict[str, Any]:
    return {"responses": {"200": {"description": description, "content": {kind: {}}}}}


def _version() -> str:
    try:
        return version("mattebox")
    except PackageNotFoundError:
        return "0"
