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

COPEPOD = Path(sys.executable).parent / "copepod"


def test_an_assistant_without_a_key_or_a_network() -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("TELEGRAM_TOKEN", "ALLOW", "BASE_URL")}
    run = subprocess.run(
        [COPEPOD, "run"],
        input="hello\nwhat time is it\n",
        env={**env, "MODEL": "mock"},
        capture_output=True,
        text=True,
        timeout=28,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "I am no real model, but I heard you: hello" in run.stdout
    assert "UTC" in run.stdout
    assert "MemoryError" not in run.stdout


def test_a_model_of_ones_own() -> None:
    target = targets.get("unix")
    env = {"MODEL": "http://localhost:11434/v1", "MODEL_NAME": "qwen3", "API_KEY": "sk-1"}
    with assistant.config(env, target) as config:
        assert config["model_list"] == [
            {
                "model_name": "model",
                "model": "qwen3",
                "api_base": "http://localhost:11434/v1",
                "api_keys": ["sk-1"],
            }
        ]
    with assistant.config({}, target) as config:
        assert config == {}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"MODEL": "http://localhost:11434/v1"}, "MODEL_NAME is not set"),
        ({"MODEL": "gpt"}, "MODEL is mock, or an address"),
    ],
)
def test_what_is_no_model(env: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said), assistant.config(env, targets.get("unix")):
        pass
