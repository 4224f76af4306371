"""What a fresh machine meets first."""

from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries


def test_the_checks_ask_no_database(db: None, django_assert_num_queries: DjangoAssertNumQueries):
    """They run before the first migration, when there is no table yet to ask."""
    with django_assert_num_queries(0):
        call_command("check")
