"""Access fails closed, and admits people."""

from copepod import parts
from copepod.messages import InboundMessage

PURE = True

GROUP = -1002147483647


def sender(sender_id, username=None, is_bot=False, sender_chat_id=None):
    msg = InboundMessage()
    msg.sender_id = sender_id
    msg.username = username
    msg.is_bot = is_bot
    msg.sender_chat_id = sender_chat_id
    return msg


def test_empty_list_admits_nobody():
    access = parts.access([])
    assert not access.admits(sender(1, "bob"))
    assert access.ids == []


def test_ids_and_usernames():
    access = parts.access(["123", "ann"])
    assert access.admits(sender(123))
    assert access.admits(sender(5, "Ann"))
    assert not access.admits(sender(12))
    assert not access.admits(sender(1234, "anna"))
    assert not access.admits(sender(5, None))
    assert not access.admits(sender(5, ""))
    assert not access.admits(sender(5, "123"))  # an id is no username
    assert access.ids == [123]


def test_star_is_open_for_people():
    access = parts.access(["*"])
    assert access.admits(sender(99))
    assert access.admits(sender(99, "ann"))
    assert access.admits(sender(1087968824, "GroupAnonymousBot", True, GROUP))


def test_a_bot_is_not_answered_unless_its_id_is_listed():
    for allow in (["*"], ["helper_bot"], ["5"], []):
        assert not parts.access(allow).admits(sender(99, "helper_bot", True)), allow
    for allow in (["99"], ["*", "99"]):
        assert parts.access(allow).admits(sender(99, "helper_bot", True)), allow


def test_who_writes_in_the_name_of_a_chat_is_not_known():
    for allow in ([], ["5", "ann"], ["groupanonymousbot"]):
        assert not parts.access(allow).admits(sender(1087968824, "GroupAnonymousBot", True, GROUP))
        assert not parts.access(allow).admits(sender(136817688, "Channel_Bot", True, -1001))
        assert not parts.access(allow).admits(sender(777000, None, False, -1001))
