"""Access fails closed."""

from copepod.access import Access

PURE = True


class Message:
    def __init__(self, sender_id, username=None, text="", chat_type="private"):
        self.sender_id = sender_id
        self.username = username
        self.text = text
        self.chat_type = chat_type


def test_empty_list_admits_nobody():
    access = Access([])
    assert not access.admits(Message(1, "bob"))
    assert access.owner() is None


def test_ids_and_usernames():
    access = Access(["123", "ann"])
    assert access.admits(Message(123))
    assert access.admits(Message(5, "Ann"))
    assert not access.admits(Message(12))
    assert not access.admits(Message(1234, "anna"))
    assert not access.admits(Message(5, None))
    assert access.owner() == 123


def test_star_is_open():
    assert Access(["*"]).admits(Message(99))
