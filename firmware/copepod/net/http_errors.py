"""What is seldom in a request or an answer, for http.py. Memory: dropped after use."""


def broken(cut):
    """Raise ValueError: the answer is none, or (`cut`) it ends too early."""
    if cut:
        raise ValueError("the connection ends before the answer does")
    raise ValueError("not an HTTP answer")


def too_long(head):
    """Raise ValueError: the answer's head, or a piece that was to be sent, is longer than it may be."""
    raise ValueError("too long for the window: %s" % ("the head of the answer" if head else "a piece"))


def pass_over(client):
    """Drop a line of the head that fills the window: none that matters is so long; an x stands for it."""
    client._head_b += client.WINDOW_B - 1
    if not client._status or client._head_b > client.HEAD_B:
        too_long(True)
    client.buffer[0] = 120
    return 1


def older(client):
    """Take HTTP/1.0; raise ValueError for anything else."""
    if not client._named(b"http/1.0"):
        broken(False)


def header(client):
    """Take a header of an answer that is not 200."""
    if client._named(b"retry-after:"):
        try:
            client.retry_after_s = client._number(10)
        except ValueError:
            pass  # a date


def write_control(tx, n, c):
    """Write a control character of a JSON string, after its backslash."""
    tx[n - 1 : n + 4] = b"u0000"
    tx[n + 2] += c >> 4
    tx[n + 3] = b"0123456789abcdef"[c & 15]
