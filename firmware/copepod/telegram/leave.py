"""How the channel gets out of a long poll. Memory: dropped after use."""

from copepod.once import forget


def leave_poll(channel):
    """Something is to be sent: do not wait for the end of a long poll. Costs a new connection.

    Nothing is lost: an update that the server sends meanwhile comes again with the next poll.
    """
    if channel.poll.timeout_s:
        from copepod.net import http_connect

        if http_connect.hurry(channel.http):
            channel.poll.left = True
        forget("copepod.net.http_connect")
