"""How large a bot is: ours and that of another library, counted in the same way.

A line counts when something stands on it that Python runs: no blank one, no comment, no docstring.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from dataclasses import asdict, dataclass
from pathlib import Path

from host_tools.errors import UserError
from host_tools.paths import ROOT

# The same three handlers as ECHO: /start, /help, and any other text.
ANOTHER = ("python-telegram-bot", "22.5", "examples/echobot.py")
ECHO = "docs/first-steps.md"

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


@dataclass(frozen=True)
class Size:
    """A bot's lines and statements, and where its text is from."""

    bot: str
    source: str
    lines: int
    statements: int


def size(bot: str, source: str, text: str) -> Size:
    """Count one bot."""
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    told = [node for node in statements if _is_docstring(node)]
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in told:
        lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return Size(bot, source, len(lines), len(statements) - len(told))


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def printed(page: str, first: str) -> str:
    """The example on one of our pages that begins with this comment."""
    text = (ROOT / page).read_text()
    found = re.findall(rf"^```python\n({re.escape(first)}.*?)^```", text, re.M | re.S)
    if len(found) != 1:
        raise UserError(f"{page}: {len(found)} examples begin with {first!r}, expected one")
    return found[0]


def readme_bot() -> str:
    """README's bot, as it is printed."""
    return printed("README.md", "# bot.py")


def echo_bot() -> str:
    """The echo of docs/first-steps.md, as it is printed."""
    return printed(ECHO, "# echo.py")


def another_bot() -> str:
    """The other library's echo bot, out of its package: pip downloads the release named above."""
    name, version, example = ANOTHER
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", folder]
        command += ["--no-binary", name, f"{name}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        packages = list(Path(folder).glob("*.tar.gz"))
        if done.returncode or len(packages) != 1:
            raise UserError(f"pip did not download {name} {version}: {done.stderr[-300:]}")
        with tarfile.open(packages[0]) as package:
            (member,) = [m for m in package.getnames() if m.endswith(f"/{example}")]
            file = package.extractfile(member)
            assert file is not None
            return file.read().decode()


def sizes() -> list[dict[str, str | int]]:
    """All bots of the comparison."""
    name, version, example = ANOTHER
    found = [
        size("README's bot", "README.md", readme_bot()),
        size("an echo with /start and /help", ECHO, echo_bot()),
        size(
            f"the echo of {name}, the same three handlers", f"{version}, {example}", another_bot()
        ),
    ]
    return [asdict(each) for each in found]
