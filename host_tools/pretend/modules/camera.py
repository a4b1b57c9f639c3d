"""`camera`, pretended: what micropython-camera-API offers, as far as a bot takes pictures. On no board.

Each picture is the same: a light square in front of a dark floor, 32 x 24.
"""

_PICTURE = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00C\x00"
    b"\x1b\x12\x14\x17\x14\x11\x1b\x17\x16\x17\x1e\x1c\x1b (B+(%%(Q:=0B`Ued_U][jx\x99\x81jq"
    b"\x90s[]\x85\xb5\x86\x90\x9e\xa3\xab\xad\xabg\x80\xbc\xc9\xba\xa6\xc7\x99\xa8\xab\xa4"
    b"\xff\xc0\x00\x0b\x08\x00\x18\x00 \x01\x01\x11\x00\xff\xc4\x00\x18\x00\x00\x03\x01\x01"
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x04\x01\x05\xff\xc4\x00!\x10"
    b"\x00\x02\x02\x01\x02\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x02\x11\x01"
    b"\x04\x12\x1313Br\x81\xc1\xff\xda\x00\x08\x01\x01\x00\x00?\x00\xb0\x00\x00\xafC\xdf"
    b"\xeb\xe8\x9a\xde\xae<I\xce\x10\xebsU|&N\x17\xcfl\xb3\x8b1\x8cce\xb9\x93\x94\xf3Ur\xcd"
    b"\x8a\x7f\xff\xd9"
)


class PixelFormat:
    """Formats of a picture."""

    JPEG = 4


class FrameSize:
    """Sizes of a picture."""

    QVGA = 6
    VGA = 10
    SVGA = 11


class GrabMode:
    """Which picture capture() gives: one that was waiting, or the newest."""

    WHEN_EMPTY = 0
    LATEST = 1


class Camera:
    """Camera(pixel_format=PixelFormat.JPEG, …): capture() gives the picture's bytes, without a copy."""

    def __init__(self, **settings):
        self.settings = settings
        self._on = settings.get("init", True)

    def init(self):
        """Switch it on."""
        self._on = True

    def deinit(self):
        """Switch it off."""
        self._on = False

    def capture(self):
        """Take a picture: a memoryview; None while it is off."""
        return memoryview(_PICTURE) if self._on else None

    def free_buffer(self):
        """The last picture is not needed any more."""
