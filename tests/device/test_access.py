"""Access fails closed; pairing admits exactly the one who has the code."""

from copepod.access import Access, new_code

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
    assert len(access.code) == 8


def test_ids_and_usernames():
    access = Access(["123", "ann"])
    assert access.code is None
    assert access.admits(Message(123))
    assert access.admits(Message(5, "Ann"))
    assert not access.admits(Message(12))
    assert not access.admits(Message(1234, "anna"))
    assert not access.admits(Message(5, None))
    assert access.owner() == 123


def test_star_is_open():
    assert Access(["*"]).admits(Message(99))


def test_pairing():
    access = Access([])
    code = access.code
    assert not access.pairs(Message(7, text="hello"))
    assert not access.pairs(Message(7, text=code, chat_type="group"))
    assert access.pairs(Message(7, text=" " + code.lower() + "\n"))
    assert access.allow == ["7"]
    assert access.admits(Message(7))
    assert access.code is None
    assert not access.pairs(Message(8, text=code)), "a code is used up"


def test_five_wrong_codes_make_a_new_one():
    access = Access([])
    code = access.code
    for _ in range(5):
        assert not access.guess_limit()
        access.pairs(Message(7, text="no"))
    assert access.guess_limit()
    assert access.code != code
    assert not access.pairs(Message(7, text=code))
    assert not access.guess_limit()


def test_codes_differ():
    codes = set(new_code() for _ in range(50))
    assert len(codes) == 50
