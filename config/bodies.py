"""What comes in: JSON of a bounded size, and nothing that makes the parser itself fall over."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from config.problems import BodyTooBig


class BoundedJSONParser(JSONParser):
    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooBig()
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as reason:
            raise ParseError(_("JSON 嵌套过深。")) from reason
