"""Every error of the API as application/problem+json (RFC 9457), with a `code` that stays the same over versions."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from members.errors import Refused
from members.interfaces.complaints import complaints_of

MEDIA_TYPE = "application/problem+json"

# Codes of the edge itself; the others are those of the Refused family.
INVALID_INPUT = "invalid_input"
INTERNAL_ERROR = "internal_error"


class BodyTooBig(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_big"
    default_detail = _("请求体过大，请分批发送。")


def answer_to(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What is not a refusal is left to Django: logged, and answered by `server_error`."""
    if isinstance(error, Refused):
        return _response(error.status, error.code, error.message, _about_field(error), details=error.details)
    if isinstance(error, exceptions.ValidationError):
        message = _("请求内容有误，请按 errors 逐项改正。")
        return _response(error.status_code, INVALID_INPUT, message, complaints_of(error))
    found = _as_api_exception(error)
    return _answer_to_api_exception(found) if found else None


def _answer_to_api_exception(error: exceptions.APIException) -> Response:
    response = _response(error.status_code, str(error.get_codes()), error.detail)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Nothing of what went wrong is told: it stands in the log."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = _("服务器内部错误，已记录；可以用同一参考号重试。")
    return JsonResponse(_problem(status, INTERNAL_ERROR, message), status=status, content_type=MEDIA_TYPE)


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return BodyTooBig()
    return None


def _response(status: int, code: str, message: Any, errors: list[dict] | None = None, *, details=None) -> Response:
    body = _problem(status, code, message, errors) | ({"details": details} if details else {})
    return Response(body, status=status, content_type=MEDIA_TYPE)


def _problem(status: int, code: str, message, errors: list[dict] | None = None) -> dict[str, Any]:
    return {
        "type": f"urn:wutong:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": str(message),
        "errors": errors or [],
    }


def _about_field(refusal: Refused) -> list[dict[str, str]]:
    if not refusal.field:
        return []
    return [{"field": refusal.field, "code": refusal.code, "message": str(refusal.message)}]
