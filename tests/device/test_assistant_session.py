"""A chat's history on the disk: what a crash may leave of it, how it gets shorter, the request made of it."""

import asyncio
import json
import os

from copepod.assistant import history, request
from copepod.assistant.answer import Answer
from copepod.assistant.calls import Calls
from copepod.assistant.model import Endpoint, Model
from copepod.assistant.window import Connection
from copepod.net import http_connect
from fakes.scratch import scratch

TEXTS = ("hello", 'a "quoted" \\ line\nand another\t', "世界 🦐 Привет", "x" * 3000, "ü" * 700)


def add(session, role, text, more=b""):
    line = session.line()
    line.write(b'{"role":"')
    line.write(role)
    line.write(b'","content":"')
    data = memoryview(text)
    line.write_json(data, 0, len(data))
    line.write(b'"')
    for at in range(0, len(more), 100):
        line.write(more[at : at + 100])
    line.write(b"}")
    session.complete(line)


def messages(session):
    with open(session.path) as file:
        return [json.loads(line) for line in file]


@scratch
def test_lines_are_there_when_it_is_opened_again(folder):
    session = history.session(folder, -100123)
    for text in TEXTS:
        add(session, "user", text)
    again = history.session(folder, -100123)
    assert again.end == session.end
    assert [message["content"] for message in messages(again)] == list(TEXTS)


@scratch
def test_what_is_left_of_a_line_is_written_over(folder):
    whole = history.session(folder, 1)
    add(whole, "user", "first")
    add(whole, "assistant", "second, a longer line than the first")
    with open(whole.path, "rb") as file:
        data = file.read()
    first = data.find(b"\n") + 1
    for size in range(len(data)):
        with open(whole.path, "wb") as file:
            file.write(data[:size])
        session = history.session(folder, 1)
        assert session.end == (first if size >= first else 0)
        add(session, "user", "é")
        found = [message["content"] for message in messages(session)]
        assert found == (["first", "é"] if size >= first else ["é"]), (size, found)
        assert history.session(folder, 1).end == session.end


@scratch
def test_a_turn_is_found_again(folder):
    session = history.session(folder, 1)
    assert history.turn(session, 7) is None
    ends = []
    for update_id in range(7, 17):
        ends.append(session.end)
        history.begin_turn(session, update_id, 100000)
        assert history.turn(session, update_id) == (session.end, session.end)
        add(session, "user", "q%d" % update_id)
        add(session, "assistant", "a%d" % update_id)
    again = history.session(folder, 1)
    assert history.turn(again, 16) == (ends[9], again.end)
    assert history.turn(again, 15) == (ends[8], ends[9])
    assert history.turn(again, 12) == (ends[5], ends[6])
    assert history.turn(again, 11) is None


@scratch
def test_the_history_is_bounded_and_begins_with_a_question(folder):
    session = history.session(folder, 1)
    for number in range(200):
        history.begin_turn(session, number, 3000)
        add(session, "user", "question %d" % number)
        add(session, "assistant", "answer %d " % number + "x" * 100)
        assert session.end - session.first <= 3000 + 200
        again = history.session(folder, 1)
        assert (again.first, again.skip) == (session.first, session.skip)
        with open(session.path, "rb") as file:
            file.seek(session.first)
            assert file.read(14) == b'{"role":"user"'
    assert session.skip == [m["content"] for m in messages(session)].index(
        messages(session)[session.skip]["content"]
    )


@scratch
def test_what_is_left_out_is_to_be_summed_up_once(folder):
    session = history.session(folder, 1)
    summed = []
    for number in range(60):
        history.begin_turn(session, number, 100000, 8)
        add(session, "user", "question %d" % number)
        add(session, "assistant", "answer %d" % number)
        again = history.session(folder, 1)
        assert (again.summed, again.first) == (session.summed, session.first)
        with open(session.path, "rb") as file:
            file.seek(session.first)
            assert len(file.read().split(b"\n")) - 1 <= 8 + 2
        if number % 3 == 0 and session.summed < session.first:  # the others have failed
            summed.append((session.summed, session.first))
            session.summed = session.first
            history.store(session)
    for at in range(1, len(summed)):
        assert summed[at][0] == summed[at - 1][1]
    assert len(summed) > 5 and summed[0][0] == 0
    history.begin_turn(session, 60, 100000)
    assert session.summed == session.first  # it is not asked for any more


@scratch
def test_what_no_model_is_told_any_more_is_dropped_in_time(folder):
    session = history.session(folder, 1)
    for number in range(100):
        end = session.end
        history.begin_turn(session, number, 5000)
        assert session.turns[-1] == (number, session.end)
        moved = session.end < end
        add(session, "user", "question %d" % number + "x" * 1000)
        if moved:
            break
    assert moved and number > 60
    again = history.session(folder, 1)
    assert (again.first, again.end) == (session.first, session.end)
    assert again.end < 5000
    assert [m["content"].rstrip("x") for m in messages(again)][-1] == "question %d" % number
    assert history.turn(again, number) is not None and history.turn(again, number - 4) is None


@scratch
def test_moving_is_finished_after_a_crash(folder):
    session = history.session(folder, 1)
    history.begin_turn(session, 1, 100)
    add(session, "user", "old")
    begin = session.end
    history.begin_turn(session, 2, 100000)
    add(session, "user", "kept")
    session.first = begin
    with open(session.path, "rb") as file:
        file.seek(begin)
        rest = file.read()
    # the copy was complete and the meta file written, then the power went
    with open(session.path + ".new", "wb") as file:
        file.write(rest)
    with open(folder + "/telegram_1.meta.json", "w") as file:
        json.dump({"moving": True, "first": 0, "skip": 0, "turns": [[2, 0]]}, file)
    again = history.session(folder, 1)
    assert messages(again) == [{"role": "user", "content": "kept"}]
    assert history.turn(again, 2) == (0, again.end)
    assert history.turn(history.session(folder, 1), 2) == (0, again.end)


@scratch
def test_a_history_of_picoclaws_begins_where_it_says(folder):
    with open(folder + "/telegram_1.jsonl", "w") as file:
        for number in range(5):
            file.write(json.dumps({"role": "user", "content": "%d" % number}) + "\n")
    with open(folder + "/telegram_1.meta.json", "w") as file:
        file.write('{"key":"telegram:1","summary":"about numbers","skip":3,"count":5}')
    session = history.session(folder, 1)
    assert session.summary == "about numbers"
    with open(session.path, "rb") as file:
        file.seek(session.first)
        assert json.loads(file.readline())["content"] == "3"


@scratch
def test_halving_and_clearing(folder):
    session = history.session(folder, 1)
    for number in range(10):
        add(session, "user", "q%d" % number)
        add(session, "assistant", "a%d" % number)
    at = session.end
    history.begin_turn(session, 1, 100000)
    add(session, "user", "now")
    steps = []
    while history.halve(session, at):
        steps.append(session.first)
    assert steps[-1] == at and len(steps) > 2 and steps == sorted(set(steps)), steps
    history.clear(session)
    assert session.first == session.end == history.session(folder, 1).first


def model_in(folder):
    model = Model()
    model.endpoint = endpoint = Endpoint()
    endpoint.name = "m"
    endpoint.key = "k" * 300
    endpoint.headers = ["X-Title: Copepod"]
    endpoint.host = "localhost"
    endpoint.port = 8080
    endpoint.path = b"/v1/chat/completions"
    endpoint.max_tokens_field = "max_tokens"
    model.max_tokens = 100
    model.temperature = "0.5"
    model.workspace = folder
    model.pins = {"lamp": (2, "out")}
    return model


class Wire:
    """Takes what is sent, in odd amounts."""

    def __init__(self):
        self.sent = b""

    def write(self, buffer, at, size):
        size = min(size, 97)
        self.sent += bytes(buffer[at : at + size])
        return size


def sent(folder, session, tools=True):
    """The request's head and its document."""
    model = model_in(folder)
    http = Connection()
    http_connect.prepare(http, "localhost", 8080)
    count = request.Count(http)
    request.write(count, model, model.endpoint, session, tools)
    http._socket = wire = Wire()
    http._primed = 0
    request.head(http, model.endpoint, count.total_b())
    request.write(http, model, model.endpoint, session, tools)
    http.sent()
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert ("Content-Length: %d\r\n" % len(body)).encode() in head, head
    return head, json.loads(body)


@scratch
def test_the_request_is_a_sum_of_files(folder):
    session = history.session(folder, 1)
    session.summary = 'short "story"'
    for text in TEXTS:
        add(session, "user", text)
        add(session, "assistant", text)
    os.mkdir(folder + "/state")
    with open(folder + "/state/tools.json", "w") as file:
        file.write('[{"type":"function"}]')
    with open(folder + "/AGENT.md", "w") as file:
        file.write("You are *new*.\n" + "é" * 600)
    try:
        head, body = sent(folder, session)
        assert head.startswith(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:8080\r\n"
        ), head
        assert b"Authorization: Bearer " + b"k" * 300 + b"\r\nX-Title: Copepod" in head
        assert body["model"] == "m" and body["stream"] is True and body["max_tokens"] == 100
        assert body["temperature"] == 0.5
        assert body["tools"] == [{"type": "function"}]
        assert [m["content"] for m in body["messages"][1:]] == [t for t in TEXTS for _ in range(2)]
        system = body["messages"][0]["content"]
        assert (
            "You are *new*.\n" + "é" * 600 in system
            and "lamp (out)" in system
            and 'short "story"' in system
        )
        assert "tools" not in sent(folder, session, False)[1]
    finally:
        os.remove(folder + "/state/tools.json")
        os.rmdir(folder + "/state")


@scratch
def test_calls_are_read_back_one_at_a_time(folder):
    session = history.session(folder, 1)
    add(session, "user", "q")
    at = session.end
    arguments = json.dumps({"text": "x" * 900 + '"é'})
    more = json.dumps(
        [
            {"id": "a", "type": "function", "function": {"name": "one", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "two", "arguments": arguments}},
        ]
    )
    add(session, "assistant", "text", (',"tool_calls":' + more).encode())
    calls = Calls()
    with open(session.path, "rb") as file:
        assert calls.at(file, 0) == at and calls.role == "user" and calls.count == 0
        assert calls.at(file, at, 1) == session.end
        assert (calls.role, calls.count, calls.call_id, calls.name) == ("assistant", 2, "b", "two")
        assert json.loads(calls.arguments) == json.loads(arguments)
        calls.at(file, at, 0)
        assert (calls.call_id, calls.name, bytes(calls.arguments)) == ("a", "one", b"{}")


@scratch
def test_an_answer_comes_in_whole_characters(folder):
    session = history.session(folder, 1)
    for text in TEXTS + ("🦐" * 2000, "a" + "é世🦐" * 500):
        at = session.end
        add(session, "assistant", text)

        async def read():
            parts = []
            async for part in Answer(session.path, at):
                assert part
                parts.append(part)
            return "".join(parts)

        assert asyncio.run(read()) == text
