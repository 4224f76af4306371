"""Both catalogues: complete, compiled, and what people see."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
import unfold
from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import translation

from members.models import Channel, OrgUnit
from members.resources.members import MEMBER_COLUMNS, MEMBERS
from members.resources.templates import template
from members.services.spreadsheets import header_positions, read_rows
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.member_session import enter

LOCALE = Path(settings.LOCALE_PATHS[0])
HAN = re.compile(r"[\u4e00-\u9fff]+")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+#0 ]?[\d.]*[a-zA-Z%]|\{\w*\}")


CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def each_catalogue(test):
    return pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")(test)


def forms(message) -> tuple[str, ...]:
    """Singular and plural, or the one form that there is."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def messages(catalog: Catalog) -> dict:
    """By context and msgid; a plural's msgid is two."""
    return {
        (message.context, message.id if isinstance(message.id, str) else tuple(message.id)): message
        for message in catalog
        if message.id
    }


# --- The catalogues ---------------------------------------------------------------------------------------------


def test_every_word_of_ours_is_in_english(tmp_path: Path) -> None:
    found = tmp_path / "django.pot"
    CommandLineInterface().run(
        ["pybabel", "--quiet", "extract", "--mapping-file", "pyproject.toml", "--output-file", str(found), "."]
    )
    with found.open("rb") as file:
        ours = messages(read_po(file))
    english = messages(catalogue(LOCALE / "en/LC_MESSAGES/django.po"))
    assert len(ours) > 900
    assert ours.keys() - english.keys() == set(), "run make messages, and translate"
    assert english.keys() - ours.keys() == set(), "run make messages: these are gone"
    assert [key for key in ours if not all(forms(english[key]))] == []


@each_catalogue
def test_translations_keep_the_placeholders(path: Path) -> None:
    for message in messages(catalogue(path)).values():
        plural = message.id if isinstance(message.id, str) else message.id[-1]
        for form in forms(message):
            assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(plural)), form


@each_catalogue
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(path))
    assert path.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run make messages"


def test_every_word_of_unfold_is_in_chinese() -> None:
    methods = [("**.py", "python"), ("**.html", "config.messages:extract_template")]
    keywords = DEFAULT_KEYWORDS | {"gettext_lazy": None}
    words = {
        message
        for _file, _line, message, *_ in extract_from_dir(Path(unfold.__file__).parent, methods, keywords=keywords)
    }
    with translation.override("zh-hans"):
        chinese = {
            word: translation.gettext(word) if isinstance(word, str) else translation.ngettext(*word, 2)
            for word in words
        }
    assert len(chinese) > 150
    assert [
        word for word, said in chinese.items() if not HAN.search(said) and said != "%(class_name)s %(instance)s"
    ] == []


@pytest.fixture(autouse=True)
def _chinese_again() -> Iterator[None]:
    """A request leaves its language behind in the thread."""
    yield
    translation.activate(settings.LANGUAGE_CODE)


# --- What people see --------------------------------------------------------------------------------------------


class VisibleText(HTMLParser):
    """What a page says, without its scripts, its data and the names of the languages."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.silent += tag in ("script", "style")
        self.texts += [value for name, value in attrs if name in ("placeholder", "title", "aria-label") and value]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(data.strip())


def texts(client: Client, url: str) -> list[str]:
    """The words of a page; none where the operator may not add."""
    response = client.get(url)
    assert response.status_code == (403 if response.status_code == 403 and url.endswith("/add/") else 200), url
    names = [
        *OrgUnit.objects.values_list("name", flat=True),
        *Channel.objects.values_list("name", flat=True),
        "简体中文",
    ]
    initials = [f"^{name[0]}$" for name in names]
    data = re.compile("|".join(sorted([*names, *initials], key=len, reverse=True)))
    return [data.sub("", text) for text in VisibleText(response.content.decode()).texts]


OURS = {"members", "loyalty", "benefits", "settlement", "marketing"}
OF_UNFOLD = re.compile("Search apps|Type to search|Filters|Select action|Welcome back|No results|Select value|Run")


def back_office() -> list[str]:
    """The dashboard, and list and form of every model of ours."""
    models = [(model._meta.app_label, model._meta.model_name) for model in admin.site._registry]
    pages = [f"admin:{app}_{model}_{page}" for app, model in models if app in OURS for page in ("changelist", "add")]
    return [reverse("admin:index"), *map(reverse, pages)]


def found_on(client: Client, pages: list[str], word: re.Pattern) -> dict[str, list[str]]:
    said = {url: [text for text in texts(client, url) if word.search(text)] for url in pages}
    return {url: found for url, found in said.items() if found}


def switch_to_english(client: Client, page: str) -> None:
    answer = client.post(reverse("set_language"), {"language": "en", "next": page})
    assert answer.url == page


@pytest.mark.slow
def test_the_back_office_changes_language(client: Client, cast: Cast) -> None:
    client.force_login(cast.sees_all)
    pages = back_office()
    assert len(pages) > 60
    home, members = pages[0], reverse("admin:members_member_changelist")
    assert found_on(client, [home, members], OF_UNFOLD) == {}
    switch_to_english(client, home)
    assert found_on(client, pages, HAN) == {}
    assert "Wutong Members" in texts(client, members)


def test_the_lists_of_permissions_are_in_chinese(client: Client, cast: Cast) -> None:
    client.force_login(cast.sees_all)
    assert json.dumps("选择全部%s") in client.get(reverse("admin:jsi18n")).content.decode()
    assert found_on(client, [reverse("admin:auth_group_add")], re.compile("Can (add|view)|Groups")) == {}


def test_the_sign_in_page_of_the_back_office_is_in_chinese(client: Client, db: None) -> None:
    page = reverse("admin:login")
    assert found_on(client, [page], OF_UNFOLD) == {}
    assert "欢迎回到" in " ".join(texts(client, page))


def test_a_template_in_one_language_is_read_in_another() -> None:
    with translation.override("en"):
        workbook = template(MEMBERS)
    _number, header = next(read_rows(workbook))
    assert header[:2] == ["Phone*", "Name"]
    assert len(header_positions(header, MEMBER_COLUMNS)) == len(MEMBER_COLUMNS)


def test_member_pages_change_language(client: Client, cast: Cast) -> None:
    member = MemberFactory(name="Ada", businesses=[cast.mall])
    pages = [reverse(f"member:{name}") for name in ("home", "code", "me", "terms")]
    pages += [reverse("points:history"), reverse("coupons:list")]
    enter(client, member)
    assert "会员码" in texts(client, pages[0])
    switch_to_english(client, pages[2])
    assert found_on(client, pages, HAN) == {}
    assert "Member code" in texts(client, pages[0])
