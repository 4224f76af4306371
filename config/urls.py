from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

handler500 = "config.problems.server_error"  # the API answers with a problem, pages with a page

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="member:home")),
    path("admin/second-factor/", include("config.second_factor")),
    path("admin/desk/", RedirectView.as_view(pattern_name="admin:members_desk")),  # short enough to be typed
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("config.api")),
    # Members' own pages: each app serves its own.
    path("m/", include("members.urls")),
    path("m/", include("loyalty.urls")),
    path("m/", include("benefits.urls")),
]
