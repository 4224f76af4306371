"""The rules of the house, as code. Read this file first: it is the architecture."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent

# Lowest first. An app may import only from floors below its own.
FLOORS = [{"members"}, {"loyalty"}, {"benefits"}, {"settlement", "marketing"}, {"config"}]
FLOOR = {app: number for number, floor in enumerate(FLOORS) for app in floor}

# What an app lets the apps above it import. Everything else is private.
PUBLIC = {
    "models", "services", "errors", "scoping", "interfaces", "events", "notifications", "criteria",
}  # fmt: skip

# Modules that hold business rules never know how they are called.
INNER = {"models", "services", "rules", "events", "criteria", "scoping", "errors"}
OUTSIDE = (
    "rest_framework",
    "django.contrib.admin",
    "django.http",
    "django.shortcuts",
    "celery",
    "import_export",
)

TOP_LEVEL = {
    "manage.py", "pyproject.toml", "requirements.lock", "Makefile", "README.md", "CHANGELOG.md", "LICENSE",
    "config", "members", "loyalty", "benefits", "settlement", "marketing",
    "templates", "static", "tests", "docs", "locale", ".ci", ".gitignore", ".gitattributes",
}  # fmt: skip

# Names under which anything may hide, and mechanisms that call without being seen.
NO_SUCH_NAME = {"utils", "helpers", "signals", "managers", "core", "common", "misc", "base_models"}
LONGEST_FILE = 400


@dataclass(frozen=True)
class Import:
    module: str  # where it stands: "loyalty.services.burning"
    name: str  # what it takes: "members.models.Member"
    is_hidden: bool  # inside a function

    @property
    def here(self) -> str:
        return self.module.split(".")[0]

    @property
    def there(self) -> str:
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"{self.module} -> {self.name}"


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for path in sources() for found in imports_of(path))


def sources() -> Iterator[Path]:
    for app in sorted(FLOOR):
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def imports_of(path: Path) -> Iterator[Import]:
    parts = path.relative_to(ROOT).with_suffix("").parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {id(node) for function in ast.walk(tree) if is_function(function) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for name in names_of(node, parts):
            yield Import(".".join(parts), name, id(node) in hidden)


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def names_of(node: ast.AST, parts: tuple[str, ...]) -> list[str]:
    """What an import statement takes, by full name; nothing for any other statement."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        package = parts[: len(parts) - node.level] if node.level else ()
        origin = [*package, *(node.module or "").split(".")]
        return [".".join(filter(None, [*origin, alias.name])) for alias in node.names]
    return []


def offenders(rule) -> list[str]:
    return sorted({str(found) for found in imports() if rule(found)})


def test_apps_import_only_downwards():
    def climbs(found: Import) -> bool:
        crosses = found.there in FLOOR and found.there != found.here
        return crosses and FLOOR[found.there] >= FLOOR[found.here]

    assert offenders(climbs) == []


def test_other_apps_use_only_the_public_modules():
    def intrudes(found: Import) -> bool:
        crosses = found.here != "config" and found.there in FLOOR and found.there != found.here
        return crosses and found.name.split(".")[1] not in PUBLIC

    assert offenders(intrudes) == []


def test_business_rules_know_no_interface():
    def knows(found: Import) -> bool:
        inner = found.here != "config" and found.module.split(".")[1:2]
        return bool(inner) and inner[0] in INNER and found.name.startswith(OUTSIDE)

    assert offenders(knows) == []


def test_no_import_is_hidden_in_a_function():
    # config.apps installs tables that name models: Django loads models only after the app configs.
    hidden = offenders(lambda found: found.is_hidden and found.there in FLOOR and found.module != "config.apps")
    assert hidden == []


def test_there_are_no_signal_receivers():
    assert offenders(lambda found: found.name.startswith(("django.dispatch", "django.db.models.signals"))) == []


def test_each_foreign_key_points_down_or_stays_in_its_app():
    up = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and is_upward(model, field.related_model)
    ]
    assert up == []


def is_upward(model, related) -> bool:
    here, there = model._meta.app_label, related._meta.app_label if related else None
    return here in FLOOR and there in FLOOR and here != there and FLOOR[there] >= FLOOR[here]


def test_the_top_level_is_fixed():
    assert {path.parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_no_name_says_nothing():
    assert [str(path) for path in tracked() if {Path(part).stem for part in path.parts} & NO_SUCH_NAME] == []


def test_no_file_grows_past_its_noun():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*sources(), *(ROOT / "tests").rglob("*.py")]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project. Outside a checkout (a source archive) all but hidden ones, .venv and var/."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return tuple(Path(name) for name in listed.stdout.split("\0") if name)
    made_here = {"var", "staticfiles"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return tuple(path for path in found if path.parts[0] not in made_here and not path.parts[0].startswith("."))
