"""The one large buffer: what it gives back where a bot's handlers leave too little."""

from copepod import arena

SIZE_B = 12320


def test_the_buffer_gives_what_is_missing_but_keeps_room_for_a_message_in_ascii():
    try:
        assert len(arena.buffer) == SIZE_B
        for missing_b, left_b in ((0, SIZE_B), (1000, SIZE_B - 1000), (5000, SIZE_B - 6000), (99999, 4128)):
            arena.make_room(missing_b)
            assert len(arena.buffer) == left_b
            arena.buffer[left_b - 1] = 1
        assert left_b > 4096
    finally:
        arena.buffer = bytearray(SIZE_B)
