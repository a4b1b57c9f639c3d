"""A model's stream into one line of a file: every form servers have, cut anywhere, what is never kept, its garbage."""

import gc
import json
import os

from copepod.assistant.stream import AnswerStream
from copepod.assistant.window import Line
from fakes.scratch import scratch

TEXT = 'Grüße, 世界! 🦐 "quoted" \\ back\n\tnew'


USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}


def chunk(delta, finish=None):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def events(chunks, end="\n", done=True, between=""):
    out = ""
    for document in chunks:
        out += "data: " + json.dumps(document) + end + end + between
    return (out + ("data: [DONE]" + end + end if done else "")).encode()


def said(text, piece=3, finish="stop"):
    """The chunks of a text."""
    parts = [chunk({"role": "assistant", "content": ""})]
    for at in range(0, len(text), piece):
        parts.append(chunk({"content": text[at : at + piece]}))
    if finish:
        parts.append(chunk({}, finish))
    return parts


def call(index=None, call_id=None, name=None, arguments=None):
    """A part of a call, with what is given."""
    found = {"type": "function", "function": {}}
    if index is not None:
        found["index"] = index
    if call_id is not None:
        found["id"] = call_id
    if name is not None:
        found["function"]["name"] = name
    if arguments is not None:
        found["function"]["arguments"] = arguments
    return chunk({"tool_calls": [found]})


def clean(path):
    try:
        os.remove(path)
    except OSError:
        pass
    return path


class Result:
    """What a stream has left in the file."""

    def __init__(self, folder, data, window=512, stop=None):
        self.path = clean(folder + "/line")
        stream = self.stream = AnswerStream(lambda: Line(self.path, 0, 0))
        buffer = bytearray(window)
        for at in range(0, len(data), window):
            part = data[at : at + window]
            buffer[: len(part)] = part
            stream.take(buffer, 0, len(part))
        self.whole = stream.end()
        self.finish()

    def finish(self):
        stream = self.stream
        self.message = None
        if stream.line is not None:
            stream.line.write(b"]}" if stream.calls else b'"}')
            stream.line.complete()
            with open(self.path) as file:
                self.message = json.loads(file.read())

    def text(self):
        return self.message and self.message["content"]

    def calls(self):
        return [
            (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"]))
            for c in self.message["tool_calls"]
        ]


@scratch
def test_every_form_of_a_text_gives_the_text(folder):
    for data in (
        events(said(TEXT)),
        events(said(TEXT), "\r\n"),
        events(said(TEXT), between=": OPENROUTER PROCESSING\n\n"),
        b"event: message\nid: 7\n" + events(said(TEXT, 1000)),
        events(said(TEXT), done=False),
        events(said(TEXT)).replace(b"data: ", b"data:"),
        events(said(TEXT))
        .replace("世".encode(), b"\\u4e16")
        .replace("🦐".encode(), b"\\ud83e\\udd90"),
        events(said(TEXT, finish=None)),
        events(said(TEXT) + [USAGE]),
        json.dumps(
            {
                "choices": [
                    {"message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
                ]
            }
        ).encode(),
    ):
        for window in (512, 37, 1):
            result = Result(folder, data, window)
            assert result.text() == TEXT, (data, window, result.text())
            assert result.whole
            assert not result.stream.failed


@scratch
def test_usage_is_counted(folder):
    result = Result(folder, events(said("a") + [USAGE]))
    assert (result.stream.sent_b, result.stream.received_b) == (5, 7)


@scratch
def test_what_is_thought_is_not_kept(folder):
    for text, kept in (
        ("<think>hm {x} </b> <</think>\n\nYes", "Yes"),
        ("\n <think></think>Yes <think>no</think>", "Yes <think>no</think>"),
        ("<think>a</think> <think>b</think>Yes", "Yes"),
        ("<thin air", "<thin air"),
        ("<b>Yes", "<b>Yes"),
        ("  Yes", "Yes"),
        ("<think>never ends", None),
    ):
        for piece in (1, 2, 5, 100):
            for window in (512, 11):
                result = Result(folder, events(said(text, piece)), window)
                assert result.text() == kept, (text, piece, result.text())
    parts = [chunk({"reasoning_content": "secret"}), chunk({"reasoning": "secret"})] + said("Yes")
    assert Result(folder, events(parts)).text() == "Yes"


@scratch
def test_calls_in_every_form(folder):
    one = {"pin": "lamp", "on": True}
    two = {"text": 'é "x" \\'}
    json_one, json_two = json.dumps(one), json.dumps(two)
    expected = [("a", "gpio_write", one), ("b", "note", two)]
    pieces = [call(0, "a", "gpio_write", "")]
    pieces += [call(0, None, None, json_one[at : at + 3]) for at in range(0, len(json_one), 3)]
    pieces += [call(1, "b", "note", "")]
    pieces += [call(1, None, None, json_two[at : at + 3]) for at in range(0, len(json_two), 3)]
    both = chunk(
        {
            "tool_calls": [
                {"index": 0, "id": "a", "function": {"name": "gpio_write", "arguments": json_one}},
                {"index": 0, "id": "b", "function": {"name": "note", "arguments": json_two}},
            ]
        }
    )
    backwards = (
        b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":%s,"name":"gpio_write"},"id":"a"},'
        b'{"function":{"arguments":%s,"name":"note"},"id":"b"}]}}]}\n\n'
        % (json.dumps(json_one).encode(), json.dumps(json_two).encode())
    )
    for data in (
        events(pieces),
        events([call(0, "a", "gpio_write", json_one), call(0, "b", "note", json_two)]),
        events([call(None, "a", "gpio_write", json_one), call(None, "b", "note", json_two)]),
        events([both]),
        events([both, chunk({}, "stop")], done=False),
        backwards,
        events(
            [
                call(0, "a", "gpio_write", json_one),
                call(0, "a", "gpio_write", ""),
                call(1, "b", "note", json_two),
            ]
        ),
    ):
        for window in (512, 37, 1):
            result = Result(folder, data, window)
            assert result.calls() == expected, (data, window, result.message)
            assert result.message["content"] is None
    result = Result(
        folder, events(said("I look.", finish=None) + pieces + said("and this is dropped"))
    )
    assert result.calls() == expected
    assert result.text() == "I look."


@scratch
def test_calls_without_ids_are_told_apart(folder):
    for parts in (
        [call(0, None, "a", "{}"), call(0, None, "b", '{"x": 1}')],
        [call(0, "", "a", ""), call(1, "", "b", '{"x": 1}')],
        [
            call(None, None, "a", '{"y": 2}'),
            call(None, None, "b", '{"x"'),
            call(None, None, None, ": 1}"),
        ],
    ):
        found = Result(folder, events(parts)).calls()
        assert [name for _, name, _ in found] == ["a", "b"], found
        assert found[1][2] == {"x": 1}
        assert len({call_id for call_id, _, _ in found}) == 2


@scratch
def test_arguments_that_are_none_are_said_to_be_none(folder):
    bad = {"malformed": True}
    for arguments, kept in (
        ("", {}),
        ("{}", {}),
        ('{"a": 1', bad),
        ('{"a": 1}}', bad),
        ('{"a": 1} x', bad),
        ("[1]", bad),
        ("lamp", bad),
        ('{"a": "' + "x" * 1015 + '"}', {"a": "x" * 1015}),
        ('{"a": "' + "x" * 1016 + '"}', bad),
        ('{"a": "' + "x" * 5000 + '"}', bad),
    ):
        for after in ([], [call(1, "z", "note", '{"b": 2}')]):
            parts = [call(0, "a", "t", "")]
            parts += [
                call(0, None, None, arguments[at : at + 100])
                for at in range(0, len(arguments), 100)
            ]
            found = Result(folder, events(parts + after)).calls()
            assert found[0] == ("a", "t", kept), (arguments[:40], found)
            assert found[1:] == ([("z", "note", {"b": 2})] if after else [])


@scratch
def test_more_than_four_calls_are_counted(folder):
    result = Result(folder, events([call(i, "id%d" % i, "t", "{}") for i in range(6)]))
    assert len(result.calls()) == result.stream.calls == 4
    assert result.stream.dropped == 2


@scratch
def test_an_error_in_place_of_the_rest(folder):
    result = Result(
        folder,
        events(said("so far", finish=None) + [{"error": {"message": "on fire", "code": 500}}]),
    )
    assert result.stream.failed
    assert result.stream.error_text() == "on fire"
    assert result.text() == "so far"
    result = Result(folder, b'{"error": {"message": "no such model"}}')
    assert result.stream.failed
    assert result.stream.error_text() == "no such model"
    assert result.message is None


@scratch
def test_cut_after_any_byte_it_is_a_beginning_and_said_to_be_one(folder):
    for chunks, finished in (
        (said(TEXT), b'"stop"'),
        (said("ab", finish=None) + [call(0, "i", "t", '{"a": 1}')], b"[DONE]"),
    ):
        data = events(chunks)
        ends = data.find(b"[DONE") + 1
        if finished == b'"stop"':
            ends = data.find(b"\n", data.find(finished))
        for size in range(len(data)):
            path = clean(folder + "/line")
            stream = AnswerStream(lambda: Line(path, 0, 0))
            head = bytearray(data[:size])
            try:
                stream.take(head, 0, size)
                whole = stream.end()
            except ValueError:
                whole = False
            assert whole == (size >= ends), size
            if stream.line is None:
                continue
            stream.line.write(b"]}" if stream.calls else b'"}')
            stream.line.complete()
            with open(path) as file:
                message = json.loads(file.read())
            assert (TEXT if finished == b'"stop"' else "ab").startswith(
                message["content"] or ""
            ), (size, message)


def test_a_token_leaves_nothing_behind():
    class Nowhere:
        end = 0

        def write(self, data):
            pass

        def write_json(self, buf, start, end):
            pass

    data = bytearray(events(said("word ", 5, None), done=False))
    first = data.find(b"data", 4)
    token = data[first:]
    window = bytearray(512)
    window[: len(token)] = token
    stream = AnswerStream(Nowhere)
    for _ in range(3):
        stream.take(window, 0, len(token))
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(1000):
        stream.take(window, 0, len(token))
    after = gc.mem_alloc()
    gc.enable()
    print("garbage of 1000 tokens:", after - before, "B")
    assert after - before <= 1000, after - before
