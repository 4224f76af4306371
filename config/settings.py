"""Settings: everything that differs between machines comes from the environment."""

import os
from datetime import timedelta
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import addresses
from config.embedded_postgres import embedded_database
from config.folders import BASE_DIR, VAR, socket_folder
from config.secret_keys import secret, secrets_by_id


def switch(name: str, *, default: bool = False) -> bool:
    return os.environ.get(name, str(int(default))).lower() in {"1", "true", "yes", "on"}


def words(name: str, *, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


# --- Keys ---------------------------------------------------------------------------------------------------
SECRET_KEY = secret("SECRET_KEY", size=64)  # `check --deploy` wants more than 50 characters
FIELD_ENCRYPTION_KEYS = secrets_by_id("FIELD_ENCRYPTION_KEYS")  # the first encrypts, the others only decrypt
BLIND_INDEX_KEYS = secrets_by_id("BLIND_INDEX_KEYS", alone="BLIND_INDEX_KEY")  # the first writes, all are looked for

# --- Where it runs ------------------------------------------------------------------------------------------
DEBUG = switch("DEBUG")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

# HTTPS=1: served behind a proxy that ends TLS and sets X-Forwarded-Proto.
HTTPS = switch("HTTPS")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- What it is made of -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "members",
    "loyalty",
    "benefits",
    "settlement",
    "marketing",
    # unfold goes before the admin whose templates it replaces
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "django_celery_beat",
    "django_celery_results",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "pghistory",
    "pgtrigger",
    "rest_framework",
    "treebeard",
    # Last: what it installs at start-up names the admins of the others, which unfold's site must already know.
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.local_time.local_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.history.history",
    "config.entry.entry",
    "axes.middleware.AxesMiddleware",  # last, as axes asks
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {
    "default": addresses.database(DATABASE_URL) if DATABASE_URL else embedded_database(VAR / "pg"),
}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}

# --- Broker and cache ---------------------------------------------------------------------------------------
EMBEDDED_BROKER_DATA = VAR / "broker"
EMBEDDED_BROKER_SOCKET = socket_folder(EMBEDDED_BROKER_DATA) / "broker.sock"

EMBEDDED_BROKER_URL = addresses.redis_on(EMBEDDED_BROKER_SOCKET, number=0)
EMBEDDED_CACHE_URL = addresses.redis_on(EMBEDDED_BROKER_SOCKET, number=1)

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or EMBEDDED_BROKER_URL
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_ACKS_LATE = True  # tasks are safe to run twice: a worker that dies gives its task back
CELERY_TASK_TIME_LIMIT = int(timedelta(hours=2).total_seconds())
CELERY_TASK_TRACK_STARTED = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

# The cache is the broker's Redis, unless it has one of its own. RabbitMQ leaves it to the embedded server.
CACHE_URL = os.environ.get("CACHE_URL") or (
    CELERY_BROKER_URL
    if CELERY_BROKER_URL.startswith("redis") and CELERY_BROKER_URL != EMBEDDED_BROKER_URL
    else EMBEDDED_CACHE_URL
)
CACHES = {"default": addresses.cache(CACHE_URL)}
if CELERY_BROKER_URL.startswith("redis"):
    # Above the longest task, or Redis hands a running task to a second worker.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_TASK_TIME_LIMIT + 600}

# --- Who may enter ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.Operator"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": int(os.environ.get("OPERATOR_PASSWORD_LENGTH", "10"))}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# A store's tills share one address: a wrong password must lock one person there, not the store.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = True  # attempts are forgotten at the next success; this is not
# Operators only: members' pages share the session cookie, and stay signed in for its two weeks. 0 = no limit.
OPERATOR_IDLE_MINUTES = int(os.environ.get("OPERATOR_IDLE_MINUTES", "60"))
OPERATOR_SESSION_HOURS = int(os.environ.get("OPERATOR_SESSION_HOURS", "12"))
SESSION_EXPIRE_AT_BROWSER_CLOSE = switch("SESSION_EXPIRE_AT_BROWSER_CLOSE")
OTP_TOTP_ISSUER = "Wutong"  # how an authenticator app names us

# --- Members ------------------------------------------------------------------------------------------------
# What becomes of points when a member leaves: "forfeit" lets them lapse, "refuse" wants them used up first.
MEMBERS_CLOSING = os.environ.get("MEMBERS_CLOSING", "forfeit")
MEMBERS_MERGE_UNDO_DAYS = int(os.environ.get("MEMBERS_MERGE_UNDO_DAYS", "7"))  # after that, with a second person
MEMBERS_DELIVERY_TRIES = 8  # of a reaction to an event, before it is parked
MEMBERS_IMPORT_MAX_BYTES = 512 * 1024 * 1024
MEMBERS_IMPORT_MAX_INFLATED_BYTES = 6 * 1024**3  # of a workbook; it is read as a stream
MEMBERS_IMPORT_MAX_RATIO = 200  # inflated to uploaded: sheets shrink to a tenth, bombs to a thousandth
MEMBERS_IMPORT_MAX_ROWS = 2_000_000
MEMBERS_IMPORT_CONNECTIONS = 2  # by which members are imported at once; each keeps a core of the server busy
MEMBERS_TICKET_CLOSE_DAYS = 7  # after its resolution a ticket is closed, if the member says nothing more
MEMBERS_EXPORT_KEEP_DAYS = 7  # how long the file of an export can be fetched
MEMBERS_IMPORT_KEEP_DAYS = 30  # how long the failed rows of an import can be fetched

# --- Language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"  # the group's local days are OrgUnit.time_zone's
USE_TZ = True
USE_I18N = True

# --- Files --------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", VAR / "static"))
# Files of imports and exports: never served as such.
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", VAR / "media"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {"axes": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},  # not each 404
}

# --- Member pages -------------------------------------------------------------------------------------------
MEMBERS_SMS_BACKEND = os.environ.get("MEMBERS_SMS_BACKEND", "members.notifications.ConsoleSmsBackend")
EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = switch("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "members@localhost")
# A house behind one address has many members; a machine that texts the whole town has to be stopped.
MEMBERS_SMS_PER_ADDRESS_AND_HOUR = int(os.environ.get("MEMBERS_SMS_PER_ADDRESS_AND_HOUR", "60"))

# === API: everything down to the next double line belongs to config/api.py ==================================
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "members.api.authentication.BearerAuthentication",
        "members.api.authentication.SignatureAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["members.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["members.api.throttling.ChannelRateThrottle"],
    "DEFAULT_PARSER_CLASSES": ["config.bodies.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "config.pages.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.problems.answer_to",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would describe what the OpenAPI document describes better
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` would be a second way to ask for JSON
    "COERCE_DECIMAL_TO_STRING": True,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20  # a batch of 500 purchases with some twenty lines each
SPECTACULAR_SETTINGS = {
    "TITLE": "Wutong 梧桐",
    "DESCRIPTION": "One membership for a group of many businesses. Money in fen, points as whole numbers, times in"
    " ISO 8601 with an offset. Errors are application/problem+json with a stable `code`: see docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",  # whose schemas are JSON Schema: tests hold every answer against them
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AssetEnum": "loyalty.models.Asset",
        "BookRoleEnum": "settlement.models.Book.Role",
        "CardKindEnum": "members.models.CardType.Kind",
        "CardStateEnum": "members.models.Card.State",
        "ConsentMediumEnum": "members.models.Medium",
        "ConsentPurposeEnum": "members.models.Purpose",
        "CouponStateEnum": "benefits.models.Coupon.State",
        "EarnAssetEnum": "loyalty.api.serializers.GIVEN_BY_HAND",
        "HoldStateEnum": "loyalty.models.Hold.State",
        "IdentityKindEnum": "members.models.Identity.Kind",
        "MemberStatusEnum": "members.models.Member.Status",
        "MoneyTenderEnum": "benefits.api.serializers.MONEY_TENDERS",
        "PeriodStateEnum": "settlement.models.Period.State",
        "SettlementEventEnum": "settlement.models.EventType",
        "TenderEnum": "loyalty.models.Tender.Kind",
        "TicketStateEnum": "members.models.Ticket.State",
        "TransactionKindEnum": "loyalty.models.Transaction.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.describe_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
# === API: end ===============================================================================================

# === Back office: everything down to the next double line belongs to config/admin.py =======================
UNFOLD = {
    "SITE_TITLE": _("梧桐会员"),
    "SITE_HEADER": _("梧桐会员"),
    "SITE_SYMBOL": "park",
    "SITE_FAVICONS": [
        {"rel": "icon", "sizes": "any", "type": "image/svg+xml", "href": lambda request: static("member-mark.svg")}
    ],
    "STYLES": [lambda request: static("narrow.css")],
    "SCRIPTS": [lambda request: static("narrow.js")],
    "SHOW_LANGUAGES": True,
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "ACCOUNT": {"navigation": [{"title": _("动态口令"), "link": reverse_lazy("second_factor:set_up")}]},
    "SIDEBAR": {"show_search": True, "navigation": "config.admin.navigation"},
    "COLORS": {
        "primary": {
            "50": "240 253 250",
            "100": "204 251 241",
            "200": "153 246 228",
            "300": "94 234 212",
            "400": "45 212 191",
            "500": "20 184 166",
            "600": "13 148 136",
            "700": "15 118 110",
            "800": "17 94 89",
            "900": "19 78 74",
            "950": "4 47 46",
        },
    },
}
# === Back office: end =======================================================================================
