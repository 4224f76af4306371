from pathlib import Path

import pytest

from config import addresses


def test_a_database_address_is_taken_apart():
    assert addresses.database("postgres://wu%40tong:p%2Fw@db.example:6543/wutong?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "wutong",
        "USER": "wu@tong",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }


def test_another_engine_is_refused():
    with pytest.raises(ValueError, match="postgres://, not mysql://"):
        addresses.database("mysql://localhost/wutong")


def test_the_cache_understands_celerys_spelling_of_a_socket():
    address = addresses.redis_on(Path("/tmp/wutong/broker.sock"), number=1)
    assert addresses.cache(address)["LOCATION"] == "unix:///tmp/wutong/broker.sock?db=1"


def test_the_cache_takes_a_redis_address_as_it_is():
    assert addresses.cache("redis://localhost:6379/5")["LOCATION"] == "redis://localhost:6379/5"
