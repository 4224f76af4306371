from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    # API (config/api.py): path("api/", include("config.api")) …
    # Member pages: path("", include("members.urls")) …
]
