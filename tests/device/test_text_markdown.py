"""The formatter's pieces as Markdown, where a server takes that: each stands alone, and together they are the text."""

from fakes.formatted import FMT, messages, taken
from fakes.golden import JOINED

PURE = True


def rich(text, fmt=FMT):
    """All the pieces of a text as Markdown, each made twice, and as it was given."""
    data = text.encode()
    fmt.begin()
    at = 0
    found = []
    given = []
    while True:
        at += fmt.feed(data, at)
        if at == len(data):
            fmt.finish()
        if fmt.ready():
            found.append(taken(fmt.write_markdown))
            assert taken(fmt.write_markdown) == found[-1]
            given.append(taken(fmt.write_plain))
            fmt.drop()
        elif fmt.done():
            assert "".join(given) == text
            return found


def test_markdown_of_a_piece_stands_alone():
    line = "x = 1  # %s\n" % ("long " * 7)
    found = rich("Look:\n\n~~~~py\n" + line * 200 + "~~~~\n\nafter")
    assert len(found) == 3
    assert found[0].startswith("Look:\n\n~~~~py\nx = 1") and found[2].endswith("\n~~~~\n\nafter")
    assert all(m.startswith("~~~~py\nx = 1") for m in found[1:])
    assert all(m.endswith("\n~~~~") and not m.endswith("\n\n~~~~") for m in found[:2])
    found = rich("```\n" + "word " * 1500)  # in the middle of a line, and nobody closes it
    assert len(found) == 2
    assert all(m.startswith("```\nword ") and m.endswith("word \n```") for m in found)
    found = rich("7) > 1. `a`\n   >\n   >    ```c\n" + ("   >    " + line) * 200 + "   >    ```\n")
    assert all(m.startswith("7)\n   > 1.\n   >    ```c\n   >    x") for m in found[1:])
    assert all(m.endswith("\n   >    ```") for m in found[:-1])
    found = rich("99. a\n1. b\n   ```\n" + ("   " + line) * 200)  # the hundredth, where two digits were
    assert all(m.startswith(" -\n   ```\n   x") for m in found[1:])
    found = rich("    " + "word " * 1500)  # indented code
    assert len(found) == 2 and found[1].startswith("    word")


def test_markdown_of_tables_items_and_text_that_goes_on():
    row = "| a | %s | b |\n" % ("word " * 8)
    found = rich("|A|B|C|\n|-|:-:|-:|\n" + row * 100 + "# after")
    assert len(found) == 2
    assert found[1].startswith("| | | |\n|-|:-:|-:|\n| a | word")
    found = rich("> |A|B|C|\n> |-|:-:|-:|\n" + ("> " + row) * 200 + "# after")
    assert len(found) > 2
    assert all(m.startswith("> | | | |\n> |-|:-:|-:|\n> | a | word") for m in found[1:])
    found = rich("|" + "A|" * 16 + "\n|" + "-|" * 16 + "\n" + ("|" + "long|" * 16 + "\n") * 200)
    assert found[1].startswith("|long|")  # there may have been more columns than are known
    found = rich("- a\n" + "    - b %s\n" % ("word " * 7) * 300)
    assert all(m.startswith("-\n    - b word") for m in found[1:])  # not code
    found = rich("- a\n" + "  - b %s\n" % ("word " * 7) * 300)
    assert all(m.startswith("  - b word") for m in found[1:])
    found = rich("> ```\n" + "> %s\n" % ("word " * 7) * 100 + "text " * 150)  # the code ends where the quote does
    assert found[1].startswith("text ")
    for text in ("**" + "word " * 2000 + "**", "# " + "word " * 2000, "- " + "word " * 2000, "> " + "word " * 2000):
        assert "".join(rich(text)) == text


def test_markdown_and_html_of_a_piece_do_not_disturb_each_other():
    text = (JOINED + "\n\n") * 6 + "```py\n" + "x = 1\n" * 1200
    whole = messages(text)
    FMT.begin()
    at = 0
    found = []
    while not FMT.done():
        at += FMT.feed(text.encode(), at)
        if at == len(text.encode()):
            FMT.finish()
        while FMT.ready():
            if len(found) & 1:
                taken(FMT.write_markdown)
            found.append(taken(FMT.write))
            assert taken(FMT.write_markdown) and taken(FMT.write) == found[-1]
            if len(found) & 2:
                taken(FMT.write_markdown)
            FMT.drop()
    assert found == whole
