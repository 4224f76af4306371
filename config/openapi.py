"""What the OpenAPI document says of every operation alike: how it fails, and what all lists have in common."""

from typing import Any

from config.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. Decide by `code`, which stays the same; `detail` and `message` are for people.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "For example `lines[0].amount`."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "details": {"type": "object", "additionalProperties": True},
    },
}

READING = {
    400: "The input is wrong: `errors` names each field.",
    401: "No credentials, or none that we know.",
    403: "The channel's scopes do not cover this.",
    404: "There is no such thing, or it lies outside the channel's reach.",
    406: "We answer in JSON only.",
    422: "Understood, and refused: see `code`.",
    429: "The channel's rate is used up: wait for `Retry-After` seconds.",
}
WRITING = READING | {
    409: "It is no longer in the state that this needs.",
    413: "The body is too big.",
    415: "Send application/json.",
}


def describe_problems(result: dict[str, Any], generator, request, public: bool) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {f"Problem{status}": _response(text) for status, text in WRITING.items()}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status in READING if method == "get" else WRITING:
                answer = {"$ref": f"#/components/responses/Problem{status}"}
                operation["responses"].setdefault(str(status), answer)
    return result


def _response(text: str) -> dict[str, Any]:
    return {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
