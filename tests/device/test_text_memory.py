"""The formatter when not all goes well: written again, given up, without memory for its modules; and its garbage."""

import sys

from copepod.text.markdown import Formatter
from fakes.formatted import FMT, messages, taken

PURE = True


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


def test_plain_of_code_with_a_nul():
    FMT.begin()
    FMT.feed("a `b\0c` d")
    FMT.finish()
    assert FMT.ready()
    assert taken(FMT.write) == "a <code>b\ufffdc</code> d"
    assert taken(FMT.write_plain) == "a `b\ufffdc` d"


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
