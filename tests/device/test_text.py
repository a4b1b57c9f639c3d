"""The formatter: what Markdown becomes, how it is fed, written again and cut. Under MicroPython and CPython."""

import sys

from copepod.text.state import BARE, STYLED
from copepod.text.markdown import Formatter

PURE = True

FMT = Formatter()  # made once, as on the device
FMT.keeps_modules = False  # as where the heap is small
OUT = bytearray()


def sink(buf, start, end):
    OUT.extend(bytes(buf[start:end]))


def taken(write):
    global OUT
    OUT = bytearray()
    write(sink)
    return OUT.decode()


def messages(text, chunk=0, fmt=FMT):
    """All the pieces that a text makes, fed whole or in chunks of bytes."""
    data = text.encode() if isinstance(text, str) else text
    fmt.begin()
    at = 0
    found = []
    while True:
        while at < len(data):
            n = fmt.feed(data[at : at + chunk] if chunk else data[at:])
            if not n:
                break
            at += n
        if at >= len(data):
            fmt.finish()
        if fmt.ready():
            found.append(taken(fmt.write))
            fmt.drop()
        elif fmt.done():
            return found


# Markdown, and the one message it makes.
GOLDEN = (
    ("plain", "plain"),
    ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
    ("*a* _b_ **c** __d__ ***e***", "<i>a</i> <i>b</i> <b>c</b> <b>d</b> <i><b>e</b></i>"),
    ("``` c&#43;\\+ &lt;\nx\n```", '<pre><code class="language-c++">x</code></pre>'),
    ("`~~~\n```a`", "<code>~~~ ```a</code>"),
    ("snake_case and other_names", "snake_case and other_names"),
    ("**a _b** c_", "<b>a _b</b> c_"),
    ("*foo**bar*", "<i>foo**bar</i>"),
    ("2 * 3 * 4", "2 * 3 * 4"),
    ("~~gone~~ ~one~ a~b~c", "<s>gone</s> <s>one</s> a~b~c"),
    ("||secret|| a || b", "<tg-spoiler>secret</tg-spoiler> a || b"),
    ("`a` ``b ` c`` `<&`", "<code>a</code> <code>b ` c</code> <code>&lt;&amp;</code>"),
    ("**see `x` now**", "<b>see </b><code>x</code><b> now</b>"),
    ("[a](http://x.co) [b](<http://x.co/a b> 't')", '<a href="http://x.co">a</a> <a href="http://x.co/a b">b</a>'),
    ("[a](http://x.co/(y)?q=\"1\"&r)", '<a href="http://x.co/(y)?q=&quot;1&quot;&amp;r">a</a>'),
    ("[a](b.md) [c](#d) [e](mailto:f@g.hi)", "a c e"),
    ("[see `x`](http://x.co)", '<a href="http://x.co">see x</a>'),
    ("![alt *t*](http://x.co/i.png)", '<a href="http://x.co/i.png">alt t</a>'),
    ("<http://x.co> <a@b.co>", '<a href="http://x.co">http://x.co</a> a@b.co'),
    ("[a] [b][a] [A][]\n\n[a]: http://x.co", '<a href="http://x.co">a</a> <a href="http://x.co">b</a> <a href="http://x.co">A</a>'),
    ("[^1] [x]\n\n[^1]: note", "[^1] [x]\n\n[^1]: note"),
    ("# A *b* #\n\ntext\n===", "<b>A <i>b</i></b>\n\n<b>text</b>"),
    ("> a\n> b\n>> c", "<blockquote>a\nb\n&gt; c</blockquote>"),
    ("- a\n- b\n  - c\n\n1. d\n1. e", "• a\n• b\n    ◦ c\n\n1. d\n2. e"),
    ("- [ ] a\n- [x] b", "☐ a\n☑ b"),
    ("---", "———"),
    ("```py\nx < 1\n```", '<pre><code class="language-py">x &lt; 1</code></pre>'),
    ("~~~\na\n", "<pre>a</pre>"),
    ("```\n```\n\na", "a"),
    ("- a\n\n  ```\n  b\n  ```", "• a\n\n<pre>b</pre>"),
    ("    a\n\n      b", "<pre>a\n\n  b</pre>"),
    ("```\n\ta\n a\tb\n```", "<pre>    a\n a  b</pre>"),
    ("|a|b|\n|-|-:|\n|1|22|\n|日本|`x`|", "<pre>a    |  b\n-----|---\n1    | 22\n日本 |  x</pre>"),
    ("a\\*b\\\nc\\d", "a*b\nc\\d"),
    ("&amp; &lt; &copy; &#65; &#x42; &#0; &nope; &amp", "&amp; &lt; © A B � &amp;nope; &amp;amp"),
    ("<u>a</u> <B>b</B> <div> <!-- c -->", "<u>a</u> <b>b</b> &lt;div&gt; &lt;!-- c --&gt;"),
    ("$a_1 * b_1$ and $$x^*_2*$$, $5 *or* $6", "$a_1 * b_1$ and $$x^*_2*$$, $5 <i>or</i> $6"),
    ("a\0b\x01c\x7fd\te\r\nf\rg", "a�b c d e\nf\ng"),
    ("https://x.co/a_b_c", "https://x.co/a_b_c"),
    ("https://x.co/a/__init__.py. *b*", "https://x.co/a/__init__.py. <i>b</i>"),
    ("**x.co/*a*/_b_** (x.co/_a_(b)_)", "<b>x.co/*a*/_b_</b> (x.co/_a_(b)_)"),
    ("![](http://x.co/a) [](b.md)", '<a href="http://x.co/a">http://x.co/a</a> b.md'),
    ("[![](http://x.co/a)](http://x.co)", '<a href="http://x.co">http://x.co/a</a>'),
    ("|a|b|\n|-|-|\n|c|d|e|*f*|\n|`g \\|\\| h`|", "<pre>a      | b\n-------|--\nc      | d\ng || h | </pre>\ne | f"),
    ("**注意：**请 **「強」**の **A:**b **x.**c", "<b>注意：</b>请 <b>「強」</b>の <b>A:</b>b <b>x.</b>c"),
    ("\\(x_1\\,y\\) \\(a\\) \\[b^2\\] \\(or\\) not \\(this\\)", "\\(x_1\\,y\\) \\(a\\) \\[b^2\\] \\(or\\) not (this)"),
    ("a\n\n\\[\na \\, b\n\\]\n\n$$a_1$$", "a\n\n<code>\\[\na \\, b\n\\]</code>\n\n<code>$$a_1$$</code>"),
    ("**a\n\nb**", "**a\n\nb**"),
)
# All of it as one text; the fence that nobody closes would take in the rest.
JOINED = "\n\n".join(markdown for markdown, _ in GOLDEN if markdown[0] != "~" or "one" in markdown)


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


def test_fed_in_pieces_of_any_size():
    text = (JOINED + "\n\n") * 6
    whole = messages(text)
    assert len(whole) > 1
    for chunk in (1, 2, 3, 7, 64, 1000):
        assert messages(text, chunk) == whole, chunk


def test_written_again_it_is_the_same_and_plain_is_the_markdown():
    text = "# T\n\n**a** `b` [c](http://d.ef)\n\n- [x] e\\*\n\n|a|b|\n|-|-|\n|*1*|~2~|\n\n<u>u</u> ||s|| ![i](j)\n"
    FMT.begin()
    assert FMT.feed(text) == len(text)
    assert not FMT.ready()
    FMT.finish()
    assert FMT.ready()
    first = taken(FMT.write)
    assert taken(FMT.write_plain) == text
    assert taken(FMT.write) == first
    FMT.drop()
    assert FMT.done()


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


def test_a_small_lent_buffer():
    fmt = Formatter(bytearray(1024))
    text = (JOINED + "\n\n") * 3
    found = messages(text, 0, fmt)
    assert len(found) >= 3
    assert messages(text, 5, fmt) == found


def test_any_str():
    for text in ("\ud800", "a\udfffb", "\ud83d\ude00", "\u0085", "\ufeff x"):
        FMT.begin()
        FMT.feed(text)
        FMT.finish()
        while FMT.ready():
            taken(FMT.write).encode("utf-8")
            FMT.drop()


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


def test_garbage_per_message():
    if sys.implementation.name != "micropython":
        return
    import gc

    def nothing(buf, start, end):
        pass

    def whole(text):
        FMT.begin()
        FMT.feed(text)
        FMT.finish()
        while FMT.ready():
            FMT.write(nothing)
            FMT.drop()

    FMT.keeps_modules = True  # what it takes to load them is no garbage of the text
    word_b = 8 if sys.maxsize > 1 << 32 else 4
    for text, limit_b in (
        ("Hello, **world**! This is a test of `code` and _more_ words.", 400),
        ("The quick brown fox jumps over the lazy dog. " * 91, 400),
        ("敏捷的棕色狐狸跳过了懒狗。" * 315, 500),
        ("# Title\n\n- **item** `code`\n- [link](http://x.co)\n\n" * 20, 800),
    ):
        whole(text)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        whole(text)
        used = gc.mem_alloc() - before
        gc.enable()
        assert used <= limit_b * word_b // 4, (text[:20], used)
    FMT.keeps_modules = False


def test_written_again_after_it_failed():
    text = "1. one\n2. two **bold**\n\n" + "> quote `code` and more\n" * 400
    whole = messages(text)
    assert len(whole) > 1
    FMT.begin()
    at = FMT.feed(text)
    for html in whole:
        if at == len(text):
            FMT.finish()
        assert FMT.ready()
        room = [20]

        def breaks(buf, start, end, room=room):
            room[0] -= 1
            if not room[0]:
                raise OSError

        try:
            FMT.write(breaks)
        except OSError:
            pass
        if html is whole[0]:
            assert taken(FMT.write) == html
        FMT.drop()
        at += FMT.feed(text[at:])
    FMT.finish()
    assert FMT.done()


def test_nothing_stays_of_what_was_loaded_when_there_is_no_memory_for_more():
    if sys.implementation.name == "cpython":
        return  # what is loaded stays
    import gc

    text = "**a** [x](https://a.example) and `b`\n\n- c\n\n```\nd\n```\n\n|a|b|\n|-|-|\n|1|2|\n" + "e " * 300

    def one(asked):
        calls = [0]

        def need(size_b):
            calls[0] += 1
            if calls[0] == asked:
                raise MemoryError

        FMT.state.need = need
        FMT.begin()
        FMT.feed(text.encode())
        FMT.finish()
        try:
            FMT.ready()
        except MemoryError:
            FMT.give_up()
            taken(FMT.write_plain)
        else:
            taken(FMT.write)
        FMT.drop()
        FMT.state.need = None
        return calls[0] < asked

    one(1)
    one(99)
    gc.collect()
    before = gc.mem_alloc()
    asked = 1
    while not one(asked):
        gc.collect()
        assert gc.mem_alloc() - before < 1500, (asked, gc.mem_alloc() - before)
        asked += 1
    assert asked > 5


def test_one_formatter_for_many_texts():
    texts = ("\ud800", "\ud7ff\ud800 \u00a0\u0085", "日本 **語**", "a\x01b", "x\ty\0", "plain")
    for text in texts:
        data = text.encode("utf-8", "surrogatepass") if sys.implementation.name == "cpython" else text.encode()
        whole = messages(data, 0, Formatter())
        assert messages(data, 1) == whole, text
        assert messages(data) == whole, text


def test_a_definition_begins_no_line_of_a_paragraph():
    text = "a[2][3]\n\nSources:\n[2]: https://a.example/2\n[3]: https://a.example/3\n"
    assert messages(text) == [text.strip()]
    assert messages("- [x] ") == ["• [x]"]


def test_nothing_adopted():
    FMT.begin()
    FMT.adopt(0)
    FMT.finish()
    assert FMT.done()


def test_code_goes_on_in_its_own_language():
    text = "```py\n" + "x = 1\n" * 1200 + "```\n\n```js\n" + "y | 2\n" * 300 + "```\n\n"
    text += "```c\n" + "z | 2\n" * 900 + "```\n"
    for piece in messages(text):
        for language, line in (("py", "x = 1"), ("js", "y | 2"), ("c", "z | 2")):
            assert (line in piece) == ('class="language-%s">%s' % (language, line) in piece), language


def test_given_up_anywhere_nothing_is_lost_and_no_mark_passed_on():
    link = "[a `b c d` e](http://x.co/%s) " % ("y" * 200)
    for text in (
        link * 120,
        "word " * 10 + link * 120,
        "~~s~~ **b** __u__ <u>h</u> \\* `c d` ||e|| $f_g$ <http://x.co/%s>\n\n" % ("y" * 300) * 60,
        "`a\0b c` " + "\0" + link * 30,
    ):
        data = text.encode()
        for turn in (1, 2, 3):  # each piece, each second one, each third one
            FMT.begin()
            at = count = 0
            found = []
            while not FMT.done():
                at += FMT.feed(data, at)
                if at == len(data):
                    FMT.finish()
                while FMT.ready():
                    count += 1
                    html = taken(FMT.write)
                    assert html.count("<b>") == html.count("</b>") and html.count("<a") == html.count("</a>")
                    given = html if count % turn else taken_up()
                    assert min(given.replace("\n", " ").encode()) > 31, (text[:20], given)
                    found.append(given)
                    FMT.drop()
            if turn == 1:
                assert "".join(found) == text.replace("\0", "\ufffd"), text[:20]


def taken_up():
    assert FMT.give_up()
    given = taken(FMT.write_plain)
    assert len(given.encode()) <= 4096
    return given


def test_plain_of_code_with_a_nul():
    FMT.begin()
    FMT.feed("a `b\0c` d")
    FMT.finish()
    assert FMT.ready()
    assert taken(FMT.write) == "a <code>b\ufffdc</code> d"
    assert taken(FMT.write_plain) == "a `b\ufffdc` d"


def test_what_is_done_makes_room_for_what_comes():
    # A heap that has room for code or for links, not for both.
    text = "```\na\n```\n\n[b](https://c.example) `d`\n\n```\ne\n```\n\n[f](https://g.example)"
    wanted = messages(text)
    fmt = Formatter()
    refused = []

    def need(size_b):
        if "copepod.text.fences" in sys.modules or "copepod.text.links" in sys.modules:
            refused.append(size_b)
            raise MemoryError

    fmt.state.need = need
    assert messages(text, 0, fmt) == wanted and refused
    fmt.state.need = None


def test_a_table_goes_on_where_what_is_in_it_had_no_room():
    # Each module that has no room at first has all that may go in turn dropped: not the table that is being measured.
    text = "|a|b|\n|-|-|\n|[c](https://d.example)|`e`|\n|*f*|$g$ &amp; <b>h</b>|\n\n[i](https://j.example)\n"
    wanted = messages(text)
    fmt = Formatter()
    fmt.keeps_modules = False
    asked = []

    def need(size_b):
        asked.append(size_b)
        if len(asked) % 2:
            raise MemoryError

    fmt.state.need = need
    assert messages(text, 0, fmt) == wanted and len(asked) > 4, asked
