import base64
import stat
from pathlib import Path

import pytest

from config import secret_keys


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(secret_keys, "SECRETS", tmp_path / "secrets")
    monkeypatch.delenv("A_KEY", raising=False)
    return tmp_path / "secrets"


def test_a_missing_key_is_made_once_for_its_owner_alone(folder: Path):
    key = secret_keys.secret("A_KEY")
    assert secret_keys.secret("A_KEY") == key
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert stat.S_IMODE((folder / "A_KEY").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["A_KEY"]


def test_two_names_get_two_keys():
    assert secret_keys.secret("A_KEY") != secret_keys.secret("ANOTHER_KEY")


def test_the_environment_wins_and_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_KEY", "k2:bmV3,k1:b2xk")
    assert list(secret_keys.secrets_by_id("A_KEY").items()) == [("k2", "bmV3"), ("k1", "b2xk")]
    assert not folder.exists()
