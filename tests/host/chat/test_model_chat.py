"""`make run` with a model: one with no key and no network, and what is said of a MODEL that is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import targets
from host_tools.chat import assistant
from host_tools.errors import UserError
from host_tools.simulator.certs import Authority
from host_tools.simulator.model import ModelServer

COPEPOD = Path(sys.executable).parent / "copepod"


def run(*lines: str, **variables: str) -> str:
    """What `copepod run` shows to these lines."""
    env = {k: v for k, v in os.environ.items() if k not in ("TELEGRAM_TOKEN", "ALLOW", "BASE_URL")}
    ran = subprocess.run(
        [COPEPOD, "run"],
        input="\n".join(lines) + "\n",
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=28,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "MemoryError" not in ran.stdout
    return ran.stdout


def test_an_assistant_without_a_key_or_a_network() -> None:
    shown = run("hello", "what time is it", MODEL="mock")
    assert "I am no real model, but I heard you: hello" in shown
    assert "UTC" in shown


def test_a_model_of_ones_own() -> None:
    target = targets.get("unix")
    env = {"MODEL": "http://localhost:11434/v1", "MODEL_NAME": "qwen3", "API_KEY": "sk-1"}
    with assistant.of(env, target) as made:
        assert made.files == {}
        assert made.config["model_list"] == [
            {
                "model_name": "model",
                "model": "qwen3",
                "api_base": "http://localhost:11434/v1",
                "api_keys": ["sk-1"],
            }
        ]
    with assistant.of({}, target) as made:
        assert made == ({}, {})


def test_one_with_https(tmp_path: Path) -> None:
    """Its root is found; only this machine knows it."""
    authority = Authority(("localhost",))
    (tmp_path / "machine.pem").write_text(authority.pem)
    with ModelServer(key="sk-1", authority=authority) as server:
        env = {"MODEL": server.url, "MODEL_NAME": "mock", "API_KEY": "sk-1"}
        assert "I heard you: hello" in run(
            "hello", SSL_CERT_FILE=str(tmp_path / "machine.pem"), **env
        )
        assert server.problems == []
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"MODEL": "http://localhost:11434/v1"}, "MODEL_NAME is not set"),
        ({"MODEL": "gpt"}, "MODEL is mock, or: a model's server is an address"),
        ({"MODEL": "https://127.0.0.1:1/v1", "MODEL_NAME": "m"}, "can't be reached"),
    ],
)
def test_what_is_no_model(env: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said), assistant.of(env, targets.get("unix")):
        pass
