"""A database in which nothing has been founded yet: whoever looks in is not met by an error."""

import re

import pytest
from django.urls import reverse

from tests.factories import OperatorFactory


@pytest.mark.django_db
def test_the_back_office_opens_before_there_is_a_group(client):
    client.force_login(OperatorFactory(is_superuser=True))
    menu = client.get(reverse("admin:index"))
    assert menu.status_code == 200
    pages = set(re.findall(r'href="(/admin/[^"#?]*/[^"#?]*/)"', menu.content.decode()))
    assert len(pages) > 30
    answers = {page: client.get(page).status_code for page in pages if "logout" not in page}
    assert {page: status for page, status in answers.items() if status not in (200, 302, 403)} == {}
