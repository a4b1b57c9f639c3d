"""The formatter's pieces: how a text is fed, where it is cut, and what goes on in the next message."""

from copepod.text.markdown import Formatter
from fakes.formatted import FMT, messages, taken
from fakes.golden import JOINED

PURE = True


def test_fed_in_pieces_of_any_size():
    text = (JOINED + "\n\n") * 6
    whole = messages(text)
    assert len(whole) > 1
    for chunk in (1, 2, 3, 7, 64, 1000):
        assert messages(text, chunk) == whole, chunk


def test_a_small_lent_buffer():
    fmt = Formatter(bytearray(1024))
    text = (JOINED + "\n\n") * 3
    found = messages(text, 0, fmt)
    assert len(found) >= 3
    assert messages(text, 5, fmt) == found


def test_piece_dropped_without_being_written():
    text = "**" + "word " * 2000 + "**"
    whole = messages(text)
    FMT.begin()
    FMT.feed(text)
    FMT.finish()
    assert FMT.ready()
    FMT.drop()
    assert FMT.ready()
    assert taken(FMT.write) == whole[1]


def test_styles_and_code_go_on_in_the_next_piece():
    bold = messages("**" + "word " * 1500 + "end**")
    assert len(bold) == 2
    assert all(m.startswith("<b>") and m.endswith("</b>") for m in bold)
    code = messages("```py\n" + "x = 1\n" * 1200 + "```\n\nafter")
    assert len(code) == 2
    assert all(m.startswith('<pre><code class="language-py">x = 1\n') for m in code)
    assert code[0].endswith("x = 1</code></pre>")
    assert code[1].endswith("\n\nafter")
    quote = messages("> " + "word " * 1500)
    assert all(m.startswith("<blockquote expandable>") and m.endswith("</blockquote>") for m in quote)


def test_code_goes_on_in_its_own_language():
    text = "```py\n" + "x = 1\n" * 1200 + "```\n\n```js\n" + "y | 2\n" * 300 + "```\n\n"
    text += "```c\n" + "z | 2\n" * 900 + "```\n"
    for piece in messages(text):
        for language, line in (("py", "x = 1"), ("js", "y | 2"), ("c", "z | 2")):
            assert (line in piece) == ('class="language-%s">%s' % (language, line) in piece), language


def test_item_table_and_code_move_whole():
    for block in ("- item " + "x " * 1000, "```\n" + "code\n" * 300 + "```", "|a|b|\n|-|-|\n" + "|c|d|\n" * 100):
        found = messages("word " * 700 + "\n\n" + block)
        assert len(found) == 2, block[:10]
        assert found[0].strip().endswith("word"), block[:10]


def test_a_long_table_is_a_table_in_every_piece():
    rows = "".join("|%d|%s|\n" % (n, "word " * (1 + n % 9)) for n in range(400))
    for before in ("", "> "):
        text = before + ("|no|what|\n|-:|---|\n" + rows).replace("\n", "\n" + before)
        found = messages(text)
        assert len(found) > 3
        for piece in found:
            for tag in ("<blockquote expandable>", "<blockquote>"):
                piece = piece.replace(tag, "")
            lines = piece.replace("<pre>", "").split("\n")
            assert piece.count("<pre>") == 1 and {line.find("|") for line in lines[:-1]} == {4}, piece


def test_breaks_at_a_paragraph_then_a_line_then_a_sentence_then_a_word():
    sentence = "One sentence is here. "
    for separator, end in (("\n\n", "here."), ("\n", "here.")):
        found = messages((sentence * 10 + separator) * 40)
        assert found[0].endswith(end)
        assert len(found[0]) > 3800
    assert messages(sentence * 300)[0].endswith("here.")
    assert messages("word and " * 700)[0].split()[-1] in ("word", "and")


def test_never_inside_a_character():
    for sign in ("é", "日", "😀", "👨\u200d👩\u200d👧", "🇩🇪", "👍🏽"):
        text = "x" + sign * 5000
        rest = text
        for piece in messages(text):
            assert rest.startswith(piece)
            rest = rest[len(piece) :]
            assert units(piece) <= 4096
            assert (len(piece) - (piece[0] == "x")) % len(sign) == 0, sign
        assert rest == ""


def units(text):
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def test_more_than_a_hundred_entities():
    for unit in ("**a** ", "`a` ", "**a `b` c** ", "[a](http://x.co) ", "> a\n\n", "# a\n\n"):
        found = messages(unit * 250)
        assert len(found) > 2, unit
        for piece in found:
            opened = piece.count("<") - piece.count("</")
            assert opened <= 100, (unit, opened)


def test_spans_longer_than_a_message_become_text():
    for text in ("`" + "a" * 9000 + "`", "[" + "a" * 9000 + "](http://x.co)", "[x](http://x.co/" + "a" * 13000 + ")"):
        found = "".join(messages(text))
        assert found.count("a") >= 9000
