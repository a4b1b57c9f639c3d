"""The committed texts that the formatter is judged on, and documents made at random."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass

from host_tools.formatting.device import ROOT

CHANCE = "chance"
DATA = ROOT / "tests" / "data"
WRITTEN = tuple(
    f"answers{part}.md" for part in ("", "-code", "-life", "-languages", "-untidy", "-long")
)
INLINE_SECTIONS = (
    "Backslash escapes",
    "Entity and numeric character references",
    "Precedence",
    "Inlines",
    "Code spans",
    "Emphasis and strong emphasis",
    "Links",
    "Images",
    "Autolinks",
    "Raw HTML",
    "Hard line breaks",
    "Soft line breaks",
    "Textual content",
)

# What random documents are made of: whatever means something in Markdown, HTML or Telegram, and
# characters of every width.
_MEANING = """
    a b word snake_case x * ** *** _ __ ` `` ``` ~~ ~ || [ ] ( ) ](http://a.b/c) ](/x) ![ < > <b> </b>
    <u> </u> <http://x.y> &amp; & &#0; &lt; \\ \\* | --- === *** [a] [b] : ! 1 $ $$ $a_b$ 日本 。 “ é 😀
    👨\u200d👩\u200d👧 🇩🇪 https://e.f/ e.f/ / __ ** \\( \\) \\[ \\] x_1 ： 」 ![](
"""
TOKENS = [
    *_MEANING.split(),
    " ", " ", "  ", "    ", "\n", "\n", "\n\n", "\n\n", "\t", "- ", "* ", "+ ", "1. ", "2) ", "> ", ">", "# ",
    "## ", "```py\n", "~~~\n", "|a|b|\n|-|-|\n|c|d|\n", "\n|", "[a]: http://d.e\n", "- [ ] ", "\r\n", "\r",
    "\0", "\x01", "\u200b", "\u00a0", "\ud800", "long" * 15,
]  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One text: which file it is from, its name or number there, its section if it has one."""

    origin: str
    name: str
    section: str
    markdown: str


def examples(file: str) -> list[Example]:
    """The examples of a specification."""
    found = json.loads((DATA / file).read_text("utf-8"))
    return [Example(file, str(e["example"]), e["section"], e["markdown"]) for e in found]


def _texts(files: tuple[str, ...]) -> list[Example]:
    found = []
    for file in files:
        parts = re.split(r"(?m)^%%% (.*)\n", (DATA / file).read_text("utf-8"))[1:]
        pairs = zip(parts[::2], parts[1::2], strict=True)
        found += [Example(file, name, "", markdown) for name, markdown in pairs]
    return found


def written() -> list[Example]:
    """The answers written for this project, at least two hundred."""
    return _texts(WRITTEN)


def answers() -> list[Example]:
    """The answers, and passages from elsewhere."""
    return written() + _texts(("collected.md",))


def long_answer(first: int) -> Example:
    """Answers from `first` on, joined until they are more than one message."""
    text = ""
    for example in written()[first:]:
        text += example.markdown + "\n"
        if len(text) > 4500:
            break
    return Example("joined", str(first), "", text)


def growing() -> list[Example]:
    """The texts of which every prefix is tried: the long ones first, they take the longest."""
    return [long_answer(first) for first in (0, 70, 140)] + written()


def long_answers() -> list[str]:
    """Answers joined to texts of several messages."""
    texts = [example.markdown for example in answers()]
    return ["\n\n".join(texts[start : start + 12]) for start in (0, 20, 70, 130)]


def document(seed: int) -> str:
    """A document made at random; the same for the same seed."""
    source = random.Random(seed)
    size = source.choice((3, 8, 20, 60, 200, 600))
    return "".join(source.choice(TOKENS) for _ in range(size))


def random_documents(count: int = 200) -> list[Example]:
    """Documents made at random that every converter can be given: without lone surrogates."""
    texts = (document(seed).replace("\ud800", "\ufffd") for seed in range(count))
    return [Example(CHANCE, str(number), "", text) for number, text in enumerate(texts)]
