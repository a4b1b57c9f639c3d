"""The config's model: asked for last, its root found, its key never shown; what is refused and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import TOKEN, asked, no_variables  # noqa: F401
from command_line import Run, copepod
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.errors import UserError
from host_tools.install import model, model_root, workspace
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer

KEY = "sk-test-5f4e3d2c1b0a"
NAMES = ("localhost", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as made:
        yield made


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """One with a root of its own, which this machine knows."""
    authority = Authority(NAMES)
    roots = tmp_path / "machine.pem"
    roots.write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    with ModelServer(key=KEY, authority=authority) as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A config with a token."""
    made = tmp_path / "there" / "config.json"
    made.parent.mkdir()
    made.write_text(json.dumps({"channels": {"telegram": {"token": TOKEN}}}))
    return made


def config(path: Path, *more: object) -> Run:
    """Online, but for Telegram: nobody listens there."""
    base = ("--base-url", "http://127.0.0.1:1")
    run = copepod("config", "--config", path, "--no-input", *base, *more)
    assert KEY not in run.stdout + run.stderr
    assert KEY[-4:] not in run.stdout + run.stderr
    return run


def entries(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["model_list"]


def test_in_a_terminal_the_model_is_asked_for_last(path: Path, server: ModelServer) -> None:
    """Each question until it is right; the key is not echoed, and a refused one is asked again."""
    server.key = None
    wrong = "sk-wrong-1a2b3c"

    def demand(*_: object) -> None:
        server.key = KEY

    seen = asked(
        path,
        "--base-url",
        "http://127.0.0.1:1",
        answers=[
            (b"Wi-Fi name", b""),
            (b"Bot token", b""),
            (b"Admit", b""),
            (b"Model's server", b"my computer"),
            (b"an address such as http://192.168.1.5:11434/v1", None),
            (b"Model's server", server.url.encode()),
            (b"localhost is the board itself", None),
            (b"it has mock", demand),
            (b"Name of the model there", b"mock"),
            (b"Its key", wrong.encode()),
            (b"refuses this key (401)", None),
            (b"Its key", KEY.encode()),
            (b"localhost has mock and takes the key", None),
            (b"nobody: pairing", None),
            (b"key set", None),
        ],
    )
    assert KEY.encode() not in seen
    assert wrong.encode() not in seen
    entry = {"model_name": "mock", "model": "mock", "api_base": server.url, "api_keys": [KEY]}
    assert entries(path) == [entry]
    # Enter keeps it, also at each question when its address is given again
    for answers in (
        [(b"Enter: mock as it is", b"")],
        [
            (b"Model's server", server.url.encode()),
            (b"Name of the model there [mock]", b""),
            (b"Its key (Enter: unchanged)", b""),
        ],
    ):
        asked(
            path,
            "--base-url",
            "http://127.0.0.1:1",
            answers=[(b"Wi-Fi name", b""), (b"Bot token", b""), (b"Admit", b""), *answers],
        )
        assert entries(path) == [entry]


def test_variables_and_a_line_for_each_model(path: Path, server: ModelServer) -> None:
    before = json.loads(path.read_text())
    other = {
        "model_name": "other",
        "model": "x",
        "api_base": "http://10.0.0.9/v1",
        "api_keys": [KEY],
    }
    other["custom_headers"] = {"X-Secret": KEY}
    path.write_text(json.dumps({**before, "model_list": [other]}))
    run = config(path)
    assert "model x at http://10.0.0.9/v1, key set, 1 header of its own" in run.stdout
    path.write_text(json.dumps(before))
    run = config(path, "--model", server.url, "--model-name", "mock", "--api-key", KEY)
    assert run.returncode == 0, run.stderr
    assert "localhost has mock and takes the key" in run.stdout
    assert f"model mock at {server.url}, key set" in run.stdout
    run = config(path, "--model-name", "moc")
    assert "lists no model 'moc'" in run.stdout
    assert entries(path)[0]["api_keys"] == [KEY]
    assert entries(path)[0]["model"] == "moc"
    # another server gets neither the key nor anything else of the old one's
    with ModelServer() as second:
        assert config(path, "--model", second.url, "--model-name", "mock").returncode == 0
        assert entries(path) == [{"model_name": "mock", "model": "mock", "api_base": second.url}]
    assert config(path, "--model", "none").returncode == 0
    assert "model_list" not in json.loads(path.read_text())


def test_the_root_is_found_and_is_the_only_one(path: Path, tls_server: ModelServer) -> None:
    given = ("--model", tls_server.url, "--model-name", "mock", "--api-key", KEY)
    run = config(path, *given)
    assert run.returncode == 0, run.stderr
    assert tls_server.authority is not None
    root = path.with_name("model.der")
    assert root.read_bytes() == tls_server.authority.der
    assert json.loads(path.read_text())["tls"] == {"model_ca": "model.der"}
    assert (
        "'Copepod Simulator Root Certificate Authority - G2', which only this machine"
        in run.stdout
    )
    (found,) = model.read(path)
    assert found.ca == root
    assert found.base == tls_server.url
    assert KEY not in repr(found)
    assert model.names(found, root.read_bytes()) == ["mock"]
    # found again when it is gone or damaged; removed with the model that needed it
    root.write_bytes(b"damaged")
    assert config(path, "--allow", "42").returncode == 0
    assert root.read_bytes() == tls_server.authority.der
    assert config(path, "--model", "none").returncode == 0
    assert not root.exists()
    assert "tls" not in json.loads(path.read_text())


def second(server: ModelServer, **more: Any) -> dict[str, Any]:
    return {"model_name": "b", "model": "mock", "api_base": server.url, "api_keys": [KEY], **more}


def test_each_model_s_host_has_a_root_of_its_own(
    path: Path, server: ModelServer, tls_server: ModelServer
) -> None:
    """The first one's in model.der, another host's in a file of its own, named in its entry."""
    assert tls_server.authority is not None
    other = second(tls_server, custom_headers={"X-Secret": KEY})
    first = {**second(server), "model_name": "a", "fallbacks": ["b"]}
    found = {**json.loads(path.read_text()), "model_list": [first, other]}
    path.write_text(json.dumps(found))
    run = config(path)
    assert run.returncode == 0, run.stderr
    root = path.with_name("model-localhost.der")
    assert root.read_bytes() == tls_server.authority.der
    assert entries(path)[1]["ca"] == "model-localhost.der"
    assert "b: localhost has mock and takes the key" in run.stdout
    assert "1 header of its own (asked when the first one fails)" in run.stdout
    assert [each.ca for each in model.read(path)] == [None, root]
    assert workspace.roots(path) == {root.name: tls_server.authority.der}
    kept = workspace.kept({"config.json": path.read_bytes(), root.name: b"a root", "main.py": b""})
    assert set(kept) == {"config.json", root.name}
    # found again when it is gone; a file of the owner's is only tried
    root.unlink()
    assert config(path, "--allow", "42").returncode == 0
    assert root.exists()
    root.rename(path.with_name("mine.der"))
    rows = entries(path)
    rows[1]["ca"] = "mine.der"
    path.write_text(json.dumps({**found, "model_list": rows}))
    run = config(path)
    assert "b: localhost has mock and takes the key" in run.stdout
    assert entries(path)[1]["ca"] == "mine.der"
    assert not root.exists()
    # when it is the first one, its root is where the first one's is
    rows[1]["ca"] = "model-localhost.der"
    path.with_name("mine.der").rename(root)
    path.write_text(json.dumps({**found, "model_list": [rows[1], rows[0]]}))
    run = config(path)
    assert "model-localhost.der is needed no more, and was removed" in run.stdout
    assert path.with_name("model.der").read_bytes() == tls_server.authority.der
    assert "ca" not in entries(path)[0]
    assert f"model mock at {server.url}, key set (after /model a)" in run.stdout


def test_another_model_that_is_out_of_reach_is_no_error(path: Path, server: ModelServer) -> None:
    first = {**second(server), "model_name": "a", "fallbacks": ["b"]}
    away = second(server, api_base="https://127.0.0.1:1/v1")
    nameless = {"model_name": "c", "api_base": server.url}
    found = {**json.loads(path.read_text()), "model_list": [first, away, nameless]}
    path.write_text(json.dumps(found))
    for more in ((), ("--offline",)):
        run = config(path, *more)
        assert run.returncode == 0, run.stderr
        assert "b is not asked until its root is found" in run.stdout
        assert "model mock at https://127.0.0.1:1/v1, key set (not asked)" in run.stdout
        assert "no key (not asked)" in run.stdout
    assert "b: 127.0.0.1:1 can't be reached" in config(path).stdout
    assert "ca" not in entries(path)[1]


def test_a_root_that_cannot_be_found(
    path: Path, tls_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with the remedy, and the config stays as it was."""
    before = path.read_bytes()
    assert tls_server.authority is not None
    given = ("--model", tls_server.url, "--model-name", "mock", "--api-key", KEY)
    contexts = tls_server.authority._contexts
    for kind, said in (
        ("cert-expired", "certificate has expired): the host has to renew it"),
        ("cert-future", "not yet valid): is this machine's clock right?"),
        ("cert-host", "use the name that the certificate is for"),
        ("cert-ca", "SSL_CERT_FILE=root.pem"),
    ):
        contexts.pop("right", None)
        contexts["right"] = tls_server.authority.context(kind)
        run = config(path, *given)
        assert run.returncode == 1
        assert said in run.stderr
        assert len(run.stderr.strip().splitlines()) == 1
    for more, said in (
        (("--model", "https://127.0.0.1:1/v1", "--model-name", "m"), "can't be reached"),
        (("--offline", *given), "--offline can't find the root"),
        (("--model", tls_server.url.replace("https", "http"), "--model-name", "m"), ""),
    ):
        run = config(path, *more)
        assert said in run.stderr
        if said:
            assert run.returncode == 1
            assert path.read_bytes() == before
    assert not path.with_name("model.der").exists()


def test_a_root_that_was_named_is_left_alone(
    path: Path, tls_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tls_server.authority is not None
    found = {**json.loads(path.read_text()), "tls": {"model_ca": "mine.der"}}
    path.write_text(json.dumps(found))
    path.with_name("mine.der").write_bytes(tls_server.authority.der)
    given = ("--model", tls_server.url, "--model-name", "mock", "--api-key", KEY)
    run = config(path, *given)
    assert run.returncode == 0, run.stderr
    assert "takes the key" in run.stdout
    assert json.loads(path.read_text())["tls"] == {"model_ca": "mine.der"}
    assert not path.with_name("model.der").exists()
    # in a terminal, too, where nobody but that file knows the root
    monkeypatch.delenv("SSL_CERT_FILE")
    asked(
        path,
        "--base-url",
        "http://127.0.0.1:1",
        answers=[
            (b"Wi-Fi name", b""),
            (b"Bot token", b""),
            (b"Admit", b""),
            (b"Model's server", tls_server.url.encode()),
            (b"Name of the model there [mock]", b""),
            (b"Its key (Enter: unchanged)", b""),
            (b"takes the key", None),
        ],
    )
    path.with_name("mine.der").write_bytes(Authority(NAMES, chain="ec").der)
    assert "does not end in it any more" in config(path, *given).stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--model", "mock", "--model-name", "m"], "MODEL=mock is for `make run`"),
        (["--model", "nonsense", "--model-name", "m"], "an address such as http://192.168.1.5"),
        (["--model", "http://a:b@c/v1", "--model-name", "m"], "an address such as"),
        (["--model", "http://127.0.0.1:1/v1"], "MODEL_NAME is not set"),
        (["--model-name", "m"], "MODEL is not set"),
        (["--model", "http://127.0.0.1:1/v1", "--model-name", "m", "--api-key", "a b"], "a blank"),
    ],
)
def test_what_is_refused(path: Path, flags: list[str], said: str) -> None:
    before = path.read_bytes()
    run = config(path, *flags)
    assert run.returncode == 1
    assert said in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert path.read_bytes() == before


def test_a_new_key_that_is_refused_is_not_written(path: Path, server: ModelServer) -> None:
    given = ("--model", server.url, "--model-name", "mock")
    before = path.read_bytes()
    run = config(path, *given, "--api-key", "sk-wrong")
    assert "refuses this key (401)" in run.stderr
    assert path.read_bytes() == before
    run = config(path, *given)
    assert "wants a key (401)" in run.stderr
    # an old one that is refused now is said, and who may talk to it can still be changed
    assert config(path, *given, "--api-key", KEY).returncode == 0
    server.key = "another"
    run = config(path, "--allow", "42")
    assert run.returncode == 0
    assert "refuses this key" in run.stdout


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("qwen3:8b", "http://192.168.1.5:11434/v1"),
        ("openai/gpt-oss-20b", "http://192.168.1.5:1234/v1"),
        ("anthropic/claude-sonnet-4.6", "https://openrouter.ai/api/v1"),
        ("openrouter/auto", "https://openrouter.ai/api/v1"),
        ("meta-llama/llama-4", "https://api.groq.com/openai/v1"),
        ("openai/gpt-oss-120b", "https://api.groq.com/openai/v1"),
    ],
)
def test_the_board_asks_for_the_model_that_was_meant(name: str, base: str) -> None:
    """Its reader takes a provider's name off the front of some."""
    written = model.name_for_board(name, base)
    found = model.of_values({"model_list": [{"model": written, "api_base": base}]})
    assert found is not None
    assert (found.name, found.base) == (name, base)


def test_an_address_or_a_provider() -> None:
    assert model.address(" OpenRouter ") == "https://openrouter.ai/api/v1"
    assert model.address("http://10.0.0.2:11434/") == "http://10.0.0.2:11434/v1"
    for text in ("", "10.0.0.2:11434", "ftp://x/v1", "http://", "http://x:99999/v1"):
        with pytest.raises(UserError):
            model.address(text)


def test_what_no_list_means(server: ModelServer) -> None:
    found = model.of_values(
        {"model_list": [{"model": "m", "api_base": server.url, "api_keys": [KEY]}]}
    )
    assert found is not None
    server.names = []
    assert model.names(found) is None
    assert model.lists(["qwen3:latest", "claude-x-20260101"], "qwen3")
    assert model.lists(["claude-x-20260101"], "claude-x")
    assert not model.lists(["qwen3:8b"], "qwen")


def test_the_chain_s_last_certificate_needs_no_self_signature() -> None:
    """What a store trusts may be an intermediate; a context with it alone takes the chain all the same."""
    authority = Authority(NAMES)
    cross_signed = authority.certificates()[2]
    assert cross_signed.issuer != cross_signed.subject
    with ModelServer(authority=authority) as server:
        port = int(server.url.split(":")[2].split("/")[0])
        model_root.ends_in("localhost", port, cross_signed.public_bytes(Encoding.DER))
        with pytest.raises(UserError, match="not end in it any more"):
            model_root.ends_in("localhost", port, Authority(NAMES, chain="ec").der)
