"""Rich messages: each piece is Markdown that stands alone, as a parser of GitHub's Markdown reads it."""

from __future__ import annotations

import random

import pytest
from markdown_it import MarkdownIt

from host_tools.formatting import corpus, device

PARSER = MarkdownIt("gfm-like", {"linkify": False})
LIMIT = 32768
LINES = "".join(f"x = {i}  # {'y ' * (i % 25)}<&>\n" for i in range(400))
# What the first line of the block begins with, and what the others do.
PLACES = (
    ("", ""),
    ("> ", "> "),
    ("> > ", "> > "),
    ("- ", "  "),
    ("*   ", "    "),
    ("  -  ", "     "),
    ("1. ", "   "),
    ("12) ", "    "),
    ("- a\n  - ", "    "),
    ("*   a\n    *   ", "        "),
    ("1. a\n\n   -   ", "       "),
    ("> - ", ">   "),
    ("7. > ", "   > "),
    ("12. > 3.  ", "    >     "),
)


def rich(markdown: str) -> list[str]:
    machine = device.formatter()
    data = markdown.encode()
    pieces: list[str] = []
    at = 0
    while not machine.done():
        at += machine.feed(data, at)
        if at == len(data):
            machine.finish()
        while machine.ready():
            out = bytearray()
            machine.write_markdown(lambda b, start, end, out=out: out.extend(b[start:end]))
            pieces.append(out.decode())
            machine.drop()
    return pieces


def code(markdown: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    return [
        (token.info.strip(), token.content)
        for token in PARSER.parse(markdown)
        if token.type in ("fence", "code_block")
    ]


def inside(first: str, others: str, block: str) -> str:
    return first + "".join(others + line for line in block.splitlines(True))[len(others) :]


@pytest.mark.parametrize(("first", "others"), PLACES)
@pytest.mark.parametrize(
    ("fence", "language"), [("```", "py"), ("~~~~~", ""), (" ```", "c++"), ("   ````", "größe")]
)
def test_code_goes_on_in_each_piece(first, others, fence, language):
    block = f"Before it:\n\n{fence}{language}\n{LINES}{fence}\n\nafter *it*\n"
    text = inside(first, others, block)
    assert code(text) == [(language, LINES)]
    pieces = rich(text)
    assert len(pieces) > 2
    found = [code(piece) for piece in pieces]
    assert [len(blocks) for blocks in found] == [1] * len(pieces)
    assert {blocks[0][0] for blocks in found} == {language}
    assert "".join(blocks[0][1] for blocks in found) == LINES
    assert PARSER.render(pieces[-1]).count("after <em>it</em>") == 1
    assert max(map(len, pieces)) <= LIMIT


def test_a_cut_line_of_code_is_whole_in_two_pieces():
    line = "word " * 2500
    for first, others in PLACES:
        pieces = rich(inside(first, others, f"Before\n\n```sh\n{line}\n```\n"))
        found = [code(piece) for piece in pieces]
        assert all(len(blocks) == 1 and blocks[0][0] == "sh" for blocks in found[1:])
        joined = "".join(content.removesuffix("\n") for blocks in found for _, content in blocks)
        assert joined == line, first


def test_tables_stay_tables():
    rows = "".join(f"| {i} | `{'word ' * 8}` | é |\n" for i in range(90))
    for first, others in PLACES:
        pieces = rich(inside(first, others, "|A|B|C|\n|-|:-:|-:|\n" + rows))
        assert len(pieces) > 1
        for piece in pieces[: 2 if not others else None]:
            tokens = PARSER.parse(piece)
            kinds = [token.type for token in tokens]
            assert kinds.count("table_open") == 1, (first, piece[:200])
            assert "fence" not in kinds
            assert "code_block" not in kinds
            assert [t.attrs.get("style") for t in tokens if t.type == "th_open"] == [
                None,
                "text-align:center",
                "text-align:right",
            ]
            data = [
                t for t, after in zip(tokens, tokens[1:], strict=False) if after.type == "tr_open"
            ]
            assert len(data) > 1


def test_answers_have_the_same_code_in_rich_pieces():
    answers = [example.markdown for example in corpus.answers()]
    chance = random.Random(3)
    cut = 0
    for _ in range(60):
        parts = chance.sample(answers, 4)
        lines = "".join(LINES.splitlines(True)[: chance.randint(90, 400)])
        parts.insert(2, inside(*chance.choice(PLACES), f"```py\n{lines}```"))
        text = "\n\n".join(parts)
        pieces = rich(text)
        whole = "".join(content for _, content in code(text))
        cut += "".join(pieces) != text
        assert "".join(content for piece in pieces for _, content in code(piece)) == whole
        assert max(map(len, pieces)) <= LIMIT
    assert cut
