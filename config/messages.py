"""How `make messages` reads Django templates: Babel knows Python and JavaScript, but not Django's tags."""

from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize


def extract_template(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[tuple]:
    """The messages of one template: Django itself rewrites it as calls of gettext.

    What is left of the markup are lines of X, whose indentation would mean something in Python.
    """
    source = templatize(fileobj.read().decode())
    flat = "\n".join(line.strip() for line in source.splitlines())
    return extract_python(BytesIO(flat.encode()), keywords, comment_tags, {"encoding": "utf-8"})
