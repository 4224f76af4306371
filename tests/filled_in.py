"""What a browser would send back of a page of the back office as it stands: the fields of its form, out of the HTML."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.select = ""
        self.textarea = ""
        self.is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.is_inside = (said.get("id") or "").endswith("_form")
        if self.is_inside:
            self._read(tag, said)

    def _read(self, tag: str, said: dict[str, str | None]) -> None:
        name, value = said.get("name") or "", said.get("value") or ""
        if tag == "select":
            self.select = name
        elif tag == "textarea":
            self.textarea = name
            self.sent[name] = [""]
        elif tag == "option" and self.select and "selected" in said:
            self.sent.setdefault(self.select, []).append(value)
        elif tag == "input" and name and said.get("type") not in ("submit", "button", "file"):
            if said.get("type") not in ("checkbox", "radio"):
                self.sent[name] = [value]
            elif "checked" in said:
                self.sent.setdefault(name, []).append(value or "on")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.sent[self.textarea] = [self.sent[self.textarea][0] + data]


def filled_in(html: bytes | str) -> dict[str, list[str]]:
    """Name → values of every field."""
    fields = _Fields()
    fields.feed(html.decode() if isinstance(html, bytes) else html)
    return fields.sent
