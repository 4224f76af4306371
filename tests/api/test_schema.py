"""The OpenAPI document: valid, and true under fire (schemathesis makes requests from it, good and bad ones)."""

from collections.abc import Iterator
from io import StringIO

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig

from config.wsgi import application
from members.models import Channel, Member

CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"unexpected-methods": []}}})
document = schemathesis.openapi.from_wsgi("/api/v1/schema/", application, config=CONFIG)


def test_the_document_validates_without_a_warning():
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null", stdout=StringIO())


def test_the_documentation_is_served_from_here():
    page = Client().get("/api/v1/docs/")
    assert page.status_code == 200
    assert "cdn" not in page.text
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page.text


@pytest.fixture
def _connection_stays_open() -> Iterator[None]:
    """Between the requests of one test, as Django's own client does it: all is rolled back at the end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def credentials(_connection_stays_open, cast, shop, member) -> dict[str, str]:
    Channel.objects.update(rate="999999999/s")
    return {"Authorization": cast.bearer(cast.mall_app)["HTTP_AUTHORIZATION"]}


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@document.parametrize()
@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_is_sent_makes_it_stumble(case, credentials, member):
    case.call_and_validate(headers=credentials, checks=CHECKS)
    if meet(case, member):
        case.call_and_validate(headers=credentials, checks=CHECKS)


def meet(case, member: Member) -> bool:
    """Let a made-up request speak of somebody who exists, so that it gets further than 404."""
    is_about_members = False
    if "member_no" in case.path_parameters:
        case.path_parameters["member_no"] = member.member_no
        is_about_members = True
    if isinstance(case.body, dict) and "member" in case.body:
        case.body |= {"member": member.member_no, "store": "MALL-1"}
        case.body.pop("terminal", None)
        is_about_members = True
    return is_about_members
