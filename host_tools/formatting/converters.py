"""The other converters of Markdown for Telegram: each in an environment of its own, made on first use.

Every package has a fixed version. Each converter runs as a process that reads a text as JSON from each line
and writes its messages: {"text", "entities"}, {"html"} or {"markdownv2"}, or {"failed"} where it raised.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from host_tools.errors import UserError
from host_tools.formatting import device, picoclaw

HOME = device.ROOT / "build" / "converters"

_LOOP = """
import json, sys
for line in sys.stdin:
    try:
        print(json.dumps(run(json.loads(line))))
    except Exception as error:
        print(json.dumps([{"failed": repr(error)}]))
"""

_TELEGRAMIFY = """
import telegramify_markdown as t
def run(text):
    got = t.split_entities(*t.convert(text), max_utf16_len=4096)
    return [{"text": text, "entities": [e.to_dict() for e in entities]} for text, entities in got]
"""

_CHATGPT = """
import chatgpt_md_converter as c
def run(text):
    return [{"html": html} for html in c.split_html_for_telegram(c.telegram_format(text))]
"""

_NANOBOT = """
from nanobot.channels.telegram.runtime import _split_telegram_markdown_html as split
def run(text):
    return [{"html": html} for html in split(text, 4096)]
"""

_NODE_LOOP = """
for await (const line of require("readline").createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(run(JSON.parse(line))));
  } catch (error) {
    console.log(JSON.stringify([{ failed: String(error) }]));
  }
}
"""

_TELEGRAMIFY_JS = """
const convert = require("telegramify-markdown");
const run = (text) => [{ markdownv2: convert(text, "escape") }];
"""

_MD_TO_TELEGRAM = """
const { toTelegramHTML } = await import("md-to-telegram");
const run = (text) => [{ html: toTelegramHTML(text, { images: "link", math: "raw" }).text }];
"""


@dataclass(frozen=True)
class Converter:
    """Where it comes from (pip or npm), what to install, and the few lines that call it."""

    name: str
    packages: tuple[str, ...]
    script: str
    node: bool = False

    @property
    def home(self) -> Path:
        return HOME / self.name.replace(" ", "-")

    def install(self) -> None:
        """Make its environment, unless it stands; raises UserError with the reason if it cannot be made."""
        stamp = self.home / "installed"
        wanted = "\n".join(self.packages)
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            return
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        if self.node:
            if not shutil.which("npm"):
                raise UserError("npm is not installed")
            (self.home / "package.json").write_text('{"private": true}\n')
            self._run(["npm", "install", "--no-audit", "--no-fund", *self.packages])
        else:
            self._run([sys.executable, "-m", "venv", "."])
            # What the packages ask for beyond the few modules that are used stays out.
            pip = ["bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
            self._run([*pip, "--no-deps", *self.packages])
        stamp.write_text(wanted, "utf-8")

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.home, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            reason = next((line for line in lines if " 404 " in line or "ERROR" in line), "")
            raise UserError(reason or (lines or ["no reason given"])[-1])

    def __call__(self, texts: list[str]) -> list[list[dict]]:
        """The messages of each text."""
        if self.node:
            script = "(async () => {" + self.script + _NODE_LOOP + "})()"
            command = ["node", "-e", script]
        else:
            command = ["bin/python", "-c", self.script + _LOOP]
        done = subprocess.run(
            command,
            cwd=self.home,
            input="".join(json.dumps(text) + "\n" for text in texts),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != len(texts):
            raise UserError(f"{self.name} ended after {len(lines)} texts: {done.stderr[-300:]}")
        return [json.loads(line) for line in lines]


OTHERS = (
    Converter(
        "telegramify-markdown 1.4.1",
        ("telegramify-markdown==1.4.1", "pyromark==0.10.3", "typing_extensions==4.16.0"),
        _TELEGRAMIFY,
    ),
    Converter("md-to-telegram 0.1.1", ("md-to-telegram@0.1.1",), _MD_TO_TELEGRAM, node=True),
    Converter(
        "telegramify-markdown 1.3.3 (npm)",
        ("telegramify-markdown@1.3.3",),
        _TELEGRAMIFY_JS,
        node=True,
    ),
    Converter("chatgpt-md-converter 0.3.12", ("chatgpt-md-converter==0.3.12",), _CHATGPT),
    Converter(
        "nanobot 0.3.5",
        (
            "nanobot-ai==0.3.5",
            "annotated-types==0.8.0",
            "anyio==4.16.0",
            "certifi==2026.10.18",
            "charset-normalizer==3.5.2",
            "h11==0.16.0",
            "httpcore==1.0.9",
            "httpx==0.28.1",
            "idna==3.20",
            "json_repair==0.64.6",
            "loguru==0.7.3",
            "pydantic==2.14.3",
            "pydantic_core==2.50.4",
            "pydantic-settings==2.16.3",
            "python-dotenv==1.2.4",
            "python-telegram-bot==22.8",
            "regex==2026.11.15",
            "requests==2.34.2",
            "tiktoken==0.14.0",
            "typing_extensions==4.16.0",
            "typing-inspection==0.4.5",
            "tzlocal==5.4.5",
            "urllib3==2.8.0",
        ),
        _NANOBOT,
    ),
)


def _ours(texts: list[str]) -> list[list[dict]]:
    return [[{"html": message} for message in device.pieces(text)] for text in texts]


def _picoclaw(texts: list[str]) -> list[list[dict]]:
    return [[{"html": message} for message in picoclaw.messages(text)] for text in texts]


def converters(
    folders: dict[str, Path] | None = None,
) -> tuple[dict[str, Callable[[list[str]], list[list[dict]]]], dict[str, str]]:
    """The converters by name, ours first, and those that could not be installed, with the reason.

    `folders` has a folder to install from in place of the registry, by package name.
    """
    found: dict[str, Callable[[list[str]], list[list[dict]]]] = {"Copepod": _ours}
    missing = {}
    for other in OTHERS:
        folder = (folders or {}).get(other.packages[0].split("@")[0])
        converter = replace(other, packages=(str(folder.resolve()),)) if folder else other
        try:
            converter.install()
            found[converter.name] = converter
        except UserError as error:
            missing[converter.name] = str(error)
    found["PicoClaw's rules, restated"] = _picoclaw
    return found, missing
