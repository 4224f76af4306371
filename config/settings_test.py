"""Settings of the test suite: a database cluster of its own, no broker, no network."""

import logging

from config.embedded_postgres import embedded_database
from config.settings import *  # noqa: F403
from config.settings import DATABASE_URL, DATABASES, STORAGES, VAR

if not DATABASE_URL:
    DATABASES["default"] |= embedded_database(VAR / "pg-test", durable=False)
DATABASES["default"] |= {"CONN_MAX_AGE": 0}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_RESULT_BACKEND = "cache+memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and nothing is kept
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True  # no walk over STATIC_ROOT at start-up
AXES_ENABLED = False  # the test of the lock turns it on
MEMBERS_SMS_BACKEND = "members.notifications.MemorySmsBackend"
MEDIA_ROOT = VAR / "test-media"

logging.disable(logging.WARNING)
