"""The common way of working: a new TLS connection for every call. Memory: whatever comes, whole.

What a Telegram library over a `requests`-like HTTP client does on MicroPython: each call resolves
the host, connects, shakes hands (the certificate unverified, as is usual there), sends, reads the
whole answer, parses it into dicts and closes. `copepod compare` measures the gateway beside it.

    from bench import fresh_connections
    fresh_connections.run("localhost", 8443, "<token>", 100)
"""

import json
import socket
import ssl


def _post(host, port, path, data):
    # One call, as a small HTTP client makes it: nothing is kept for the next one.
    body = json.dumps(data)
    address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    connection = socket.socket(address[0], address[1], address[2])
    try:
        connection.connect(address[-1])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_NONE
        connection = context.wrap_socket(connection, server_hostname=host)
        connection.write(
            (
                "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % (path, host, len(body.encode()))
            ).encode()
        )
        connection.write(body.encode())
        status = int(connection.readline().split(None, 2)[1])
        while True:
            line = connection.readline()
            if not line or line == b"\r\n":
                break
        answer = json.loads(connection.read())
    finally:
        connection.close()
    if status != 200:
        raise OSError(answer["description"])
    return answer["result"]


def run(host, port, token, count):
    """Answer `count` messages with their own text."""
    path = "/bot" + token + "/"
    offset = 0
    while count:
        ask = {"offset": offset, "limit": 1, "timeout": 10, "allowed_updates": ["message"]}
        for update in _post(host, port, path + "getUpdates", ask):
            offset = update["update_id"] + 1
            message = update["message"]
            answer = {"chat_id": message["chat"]["id"], "text": message["text"]}
            _post(host, port, path + "sendMessage", answer)
            count -= 1
