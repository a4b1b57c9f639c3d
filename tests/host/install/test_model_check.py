"""The doctor's lines on the config's model: each true, and a remedy wherever something is wrong."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import TOKEN

from host_tools.install import doctor, model_check, model_root
from host_tools.install.checks import Check
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer

KEY = "sk-test-5f4e3d2c1b0a"
NAMES = ("localhost", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as made:
        made.names = ["mock", "mockingbird", "other"]
        yield made


@pytest.fixture
def tls_server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY, authority=Authority(NAMES)) as made:
        yield made


def checks(folder: Path, base: str, **more: Any) -> dict[str, Check]:
    """The lines for a config with this model, by their names; localhost's own left out."""
    path = folder / "config.json"
    entry = {"model": "mock", "api_base": base, "api_keys": [KEY], **more}
    config = {"channels": {"telegram": {"token": TOKEN}}, "model_list": [entry]}
    if base.startswith("https"):
        config["tls"] = {"model_ca": "model.der"}
    path.write_text(json.dumps(config))
    found = [check for check in model_check.checks(path) if "board itself" not in check.found]
    assert not any(KEY in check.found + check.remedy for check in found)
    assert all(check.remedy for check in found if check.ok is False)
    return {check.name: check for check in found}


def test_a_model_in_order(tmp_path: Path, server: ModelServer) -> None:
    found = checks(tmp_path, server.url)
    assert {name: check.ok for name, check in found.items()} == {
        "model's key": True,
        "model": True,
    }
    assert found["model"].found == f"{server.url} has mock"
    server.key = None
    assert list(checks(tmp_path, server.url, api_keys=[])) == ["model"]


def test_what_is_wrong_with_a_model(tmp_path: Path, server: ModelServer) -> None:
    found = checks(tmp_path, server.url, model="mockingbirds")
    assert found["model"].ok is False
    assert "has no 'mockingbirds'; it has mockingbird" in found["model"].found
    found = checks(tmp_path, server.url, api_keys=["sk-wrong"])
    assert list(found) == ["model's key"]
    assert found["model's key"].found == "localhost refuses this key (401)"
    assert checks(tmp_path, server.url, api_keys=[])["model's key"].found.endswith(
        "wants a key (401)"
    )
    server.names = []
    assert checks(tmp_path, server.url)["model"].ok is None
    found = checks(tmp_path, "http://127.0.0.1:1/v1")
    assert found["model"].ok is False
    assert "can't be reached: Connection refused" in found["model"].found
    assert checks(tmp_path, server.url.replace("/v1", "/other"))["model"].ok is None


def test_a_server_that_is_no_model_s(
    tmp_path: Path, server: ModelServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(server, "names", [None])
    found = checks(tmp_path, server.url)
    assert found["model"].ok is False  # a list with something else in it


def test_the_root_is_read_and_tried(
    tmp_path: Path, tls_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tls_server.authority is not None
    file = tmp_path / "model.der"
    found = checks(tmp_path, tls_server.url)
    assert (found["model.der"].ok, list(found)) == (False, ["model.der"])
    assert "not readable" in found["model.der"].found
    file.write_bytes(b"no certificate")
    assert "no certificate in DER" in checks(tmp_path, tls_server.url)["model.der"].found
    file.write_bytes(Authority(NAMES, chain="ec").der)
    found = checks(tmp_path, tls_server.url)
    assert (found["model.der"].ok, list(found)) == (False, ["model.der"])
    assert "does not end in it any more" in found["model.der"].found
    assert "`make provision` finds it anew" in found["model.der"].remedy
    file.write_bytes(tls_server.authority.der)
    found = checks(tmp_path, tls_server.url)
    assert [check.ok for check in found.values()] == [True, True, True]
    assert "good until 2037-12-31; localhost's certificate ends in it" in found["model.der"].found
    monkeypatch.setattr(model_root, "SOON", datetime.timedelta(days=9999))
    assert "soon over" in checks(tmp_path, tls_server.url)["model.der"].found
    tls_server.authority._contexts["right"] = tls_server.authority.context("cert-expired")
    assert "has expired" in checks(tmp_path, tls_server.url)["model.der"].found
    assert checks(tmp_path, "https://127.0.0.1:1/v1")["model"].ok is False


def test_a_root_that_has_expired(
    tmp_path: Path, tls_server: ModelServer, monkeypatch: Any
) -> None:
    assert tls_server.authority is not None
    (tmp_path / "model.der").write_bytes(tls_server.authority.der)

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime(2038, 1, 2, tzinfo=tz)

    monkeypatch.setattr(model_check.datetime, "datetime", Later)
    found = checks(tmp_path, tls_server.url)
    assert (found["model.der"].ok, list(found)) == (False, ["model.der"])


def test_the_doctor_asks(tmp_path: Path, server: ModelServer, monkeypatch: Any) -> None:
    """Where the board takes the config; without a model there is no line."""
    checks(tmp_path, server.url)
    path = tmp_path / "config.json"
    path.chmod(0o600)
    monkeypatch.setattr(doctor, "CONFIG_FILE", path)
    monkeypatch.setattr(doctor, "_runs", lambda name, command: Check(name, True, ""))
    assert ("model's key", True) in [(check.name, check.ok) for check in doctor.machine()]
    path.write_text(json.dumps({"channels": {"telegram": {"token": TOKEN}}}))
    assert not any("model" in check.name for check in doctor.machine())


def test_every_model_that_the_board_may_ask_is_looked_at(
    tmp_path: Path, server: ModelServer, tls_server: ModelServer
) -> None:
    """The first one as ever, another one by its name; one that the board can't ask is named with its reason."""
    assert tls_server.authority is not None
    server.key = None
    path = tmp_path / "config.json"
    a = {"model_name": "a", "model": "mock", "api_base": server.url, "fallbacks": ["b", "c"]}
    b = {"model_name": "b", "model": "mock", "api_base": tls_server.url, "api_keys": [KEY]}
    rows = [a, {**b, "ca": "b.der"}, {**b, "model_name": "c"}]
    config = {"channels": {"telegram": {"token": TOKEN}}, "model_list": rows}
    path.write_text(json.dumps(config))

    def found() -> dict[str, Check]:
        return {each.name: each for each in model_check.checks(path)}

    checks = found()
    assert checks["model"].ok is True
    assert checks["b.der"].found.startswith("not readable")
    assert checks["model_list"].ok is None
    said = [each.found for each in model_check.checks(path) if each.name == "model_list"]
    assert said[0].startswith("model_list[2].ca: missing")
    assert said[1] == "model_list[0].fallbacks: c is not a model that can be asked"
    (tmp_path / "b.der").write_bytes(tls_server.authority.der)
    checks = found()
    assert (checks["b.der"].ok, checks["b"].ok, checks["b's key"].ok) == (True, True, True)
    (tmp_path / "b.der").write_bytes(Authority(NAMES, chain="ec").der)
    assert "does not end in it any more" in found()["b.der"].found
