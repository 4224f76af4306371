"""The REST API: /api/v1/ gathers what each app serves, its OpenAPI document and the page that shows it."""

from typing import NoReturn

from django.urls import include, path, re_path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import NotFound
from rest_framework.views import APIView

from members.api import schema as _credentials  # registers how channels authenticate


class NothingHere(APIView):
    """Unknown addresses below /api/ get a problem too, not a page; whoever asks, and by whatever method."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    def initial(self, request, *args, **kwargs) -> NoReturn:
        raise NotFound(_("没有这个地址，请对照 /api/v1/docs/；资源地址的末尾没有斜杠。"))


v1 = [
    # Anybody may ask for the document, and making it takes half a second.
    path("schema/", cache_page(600)(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
    path("", include("members.api.urls")),
    path("", include("loyalty.api.urls")),
    path("", include("benefits.api.urls")),
    path("", include("settlement.api.urls")),
]

app_name = "api"
urlpatterns = [
    path("v1/", include(v1)),
    re_path("", NothingHere.as_view()),
]

__all__ = ["_credentials", "urlpatterns"]
