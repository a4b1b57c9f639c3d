"""The Unix port: the record in a file beside the config, files replaced atomically."""

import os

from fakes.garbage import garbage_b
from fakes.scratch import scratch
from fakes.world import forget


def last_error():
    """Return the module of the port that runs now."""
    from copepod.platform import last_error

    return last_error


def begin(folder):
    """Return the port, imported anew as the next process has it, with its files in `folder`."""
    forget()
    from copepod.platform import unix

    lines = []
    unix.log = lambda area, *parts: lines.append(
        area + ": " + "".join([str(part) for part in parts])
    )
    unix.lines = lines
    unix.start(folder + "/config.json")
    return unix


@scratch
def test_the_record_is_a_file(folder):
    port = begin(folder)
    assert os.listdir(folder) == ["config.json.state"]
    assert port.record.last_id_load(7) is None and port.record.crashes_load() == 0
    port.record.last_id_store(895123456, 7)
    assert os.stat(folder + "/config.json.state")[6] == 128
    last_error().store("OSError: [Errno 12] ENOMEM")
    port = begin(folder)
    assert port.record.last_id_load(7) == 895123456
    assert last_error().load() == "OSError: [Errno 12] ENOMEM"
    assert port.lines == []


@scratch
def test_the_file_is_written_in_place_at_once(folder):
    # So that after kill -9 it holds the record before or the record after: never none, never half.
    port = begin(folder)
    port.record.last_id_store(1, 7)
    inode = os.stat(folder + "/config.json.state")[1]
    for update_id in range(2, 50):
        port.record.last_id_store(update_id, 7)
        found = open(folder + "/config.json.state", "rb").read()
        assert len(found) == 128 and found[0] == update_id
    assert os.stat(folder + "/config.json.state")[1] == inode


@scratch
def test_a_foreign_file(folder):
    for content in (b"", b"{}", b"\0" * 128, b"x" * 5000):
        begin(folder)
        with open(folder + "/config.json.state", "wb") as file:
            file.write(content)
        port = begin(folder)
        assert port.record.last_id_load(7) is None and last_error().load() is None
        port.record.last_id_store(3, 7)
        assert begin(folder).record.last_id_load(7) == 3


@scratch
def test_start_twice(folder):
    # main.py starts the port, and so does the gateway.
    port = begin(folder)
    port.record.last_id_store(3, 7)
    port.start(folder + "/config.json")
    assert port.record.last_id_load(7) == 3
    port.record.last_id_store(4, 7)
    assert begin(folder).record.last_id_load(7) == 4


@scratch
def test_nowhere_to_keep_it(folder):
    port = begin(folder)
    port.start(folder + "/no/such/place/config.json")
    assert len(port.lines) == 1 and "can't be kept" in port.lines[0], port.lines
    port.record.last_id_store(5, 7)  # at least until the process ends
    assert port.record.last_id_load(7) == 5


@scratch
def test_storing_allocates_nothing(folder):
    port = begin(folder)
    port.record.last_id_store(895123456, 7)
    grown_b = garbage_b(lambda: port.record.last_id_store(895123456, 7), 50)
    assert grown_b <= 64, grown_b


@scratch
def test_a_private_file(folder):
    begin(folder)
    from copepod.platform import files

    files.write_atomic(folder + "/config.json", b"old")
    files.write_atomic(folder + "/config.json", b"new")
    assert open(folder + "/config.json", "rb").read() == b"new"
    assert os.stat(folder + "/config.json")[0] & 0o777 == 0o600  # the token is in it
    assert sorted(os.listdir(folder)) == ["config.json", "config.json.state"]
    try:
        files.write_atomic(folder + "/no/such/place", b"x")
        raise AssertionError("no error")
    except OSError:
        pass


@scratch
def test_a_path_that_the_shell_would_read(folder):
    begin(folder)
    from copepod.platform import files

    path = folder + '/a "b" $(touch oops); c'
    files.write_atomic(path, b"new")
    assert os.stat(path)[0] & 0o777 == 0o600
    assert len(os.listdir(folder)) == 2, os.listdir(folder)


@scratch
def test_reset_leaves_with_a_status(folder):
    port = begin(folder)
    port.record.crashes_store(1, True)
    try:
        port.reset()
        raise AssertionError("came back")
    except SystemExit as leaving:
        assert leaving.args[0] == 75
    assert port.record.crashes_load() == 1 and not port.record.running()


@scratch
def test_what_unix_can_not_tell(folder):
    port = begin(folder)
    assert list(port.heap()) == [None, None, None]
    assert port.gc_free(12345) == 12345
    assert port.died() is None and port.reset_reason() is None
    port.watchdog_start(1000)
    port.watchdog_feed()
    port.watchdog_rest()
