"""The formatter: what Markdown becomes in one message. Under MicroPython and CPython, like its other files."""

import sys

from copepod.text.markdown import Formatter
from copepod.text.state import BARE, STYLED
from fakes.formatted import FMT, messages, taken
from fakes.golden import GOLDEN

PURE = True


def test_golden():
    for markdown, html in GOLDEN:
        found = messages(markdown)
        assert found == [html], (markdown, found, html)


def test_a_bare_text_is_what_the_walk_over_it_writes():
    characters = "aZ9 .,;:!?()-+='\"%\n\n#@^{}/*é漢\u3000\u200b😀"
    found = _compared(characters, 4000, 19)
    assert 250 < found[BARE] < 2000, found
    for text in ("The lamp is on.", "Warm today: 21.5 °C (or 70 °F)\n\nWindow open, door shut!", "注意：请确认"):
        assert messages(text) == [text]
        assert not any(name.startswith("copepod.text.blocks") for name in sys.modules), text


def test_a_styled_text_is_what_the_walk_over_it_writes():
    found = _compared(("a", "B", "9", " ", " ", "*", "**", "_", "__", "`", "``", ".", ",", "\n", "é", "漢"), 4000, 12)
    assert found[STYLED] > 3, found
    words = ("a ", "*b*", "**c**", "_d_", "__e__", "`f`", " ", ". ", "\n", "\n\n", "(", ")", "*g h*", "`* i`", "é")
    found = _compared(words + ("**",), 3000, 9)  # noqa: RUF005
    assert found[STYLED] > 150, found
    text = "The **lamp** is _on_: `21.5`\n\n*all* is __well__"
    assert messages(text) == ["The <b>lamp</b> is <i>on</i>: <code>21.5</code>\n\n<i>all</i> is <b>well</b>"]
    assert not any(name.startswith("copepod.text.blocks") for name in sys.modules)


def _compared(parts, cases, most):
    # How many of each kind there were among texts of up to `most` of the parts.
    found = {0: 0, BARE: 0, STYLED: 0}
    FMT.keeps_modules = FMT.keeps_blocks = True
    seed = 0
    for case in range(cases):
        text = ""
        for _ in range(case % most + 1):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            text += parts[(seed >> 8) % len(parts)]
        FMT.begin()
        FMT.feed(text.encode())
        FMT.finish()
        if FMT.ready():
            kind = FMT.state.bare
            found[kind] += 1
            if kind:
                short = taken(FMT.write)
                FMT.state.bare = 0
                walked = taken(FMT.write)
                assert short == walked, (text, short, walked)
    FMT.keeps_modules = FMT.keeps_blocks = False
    FMT.begin()
    FMT.forget_modules()
    return found


def test_nothing_to_show_makes_no_message():
    for text in ("", " ", "\n\n", "\u200b\n\u00a0", "```\n```", "[a]: http://x.co", ">", "#"):
        assert messages(text) == [], text


def test_a_definition_begins_no_line_of_a_paragraph():
    text = "a[2][3]\n\nSources:\n[2]: https://a.example/2\n[3]: https://a.example/3\n"
    assert messages(text) == [text.strip()]
    assert messages("- [x] ") == ["• [x]"]


def test_any_str():
    for text in ("\ud800", "a\udfffb", "\ud83d\ude00", "\u0085", "\ufeff x"):
        FMT.begin()
        FMT.feed(text)
        FMT.finish()
        while FMT.ready():
            taken(FMT.write).encode("utf-8")
            FMT.drop()


def test_one_formatter_for_many_texts():
    texts = ("\ud800", "\ud7ff\ud800 \u00a0\u0085", "日本 **語**", "a\x01b", "x\ty\0", "plain")
    for text in texts:
        data = text.encode("utf-8", "surrogatepass") if sys.implementation.name == "cpython" else text.encode()
        whole = messages(data, 0, Formatter())
        assert messages(data, 1) == whole, text
        assert messages(data) == whole, text


def test_nothing_adopted():
    FMT.begin()
    FMT.adopt(0)
    FMT.finish()
    assert FMT.done()
