"""What the config says about models. Memory: an object, and one for each model; config.py is dropped."""

from copepod.once import forget


class Endpoint:
    """One model of the list: where it is asked, and how; `key` goes nowhere but into requests."""

    label: str  # the config's name for it
    name: str  # as the server knows it
    host: str
    port: int
    tls: bool
    path: bytes  # of the one call, b"/v1/chat/completions"
    key: str
    headers: "list | tuple"  # more lines for a request's head
    ca: str  # path of the file with the root that its host's chain ends in
    max_tokens_field: str
    request_timeout_s: int  # for one answer; 0: as long as the turn's time goes
    fallbacks: "list | tuple"  # of Endpoint: who is asked when this one fails, in this order
    with_usage = True  # the server takes `stream_options`
    with_tools = True  # and `tools`
    failed_s = 0  # when it failed last, by time(); see fallback.py


class Model:
    """Whom to ask, and within which limits."""

    endpoint: Endpoint  # which is asked first
    endpoints: list  # all that may be asked
    default: str  # the label of the one that the config names
    tls: bool  # all of them are asked over TLS
    max_tokens: int
    temperature: "str | None"
    max_tool_iterations: int  # rounds of a turn
    summarize_message_threshold: int  # lines of a history from which on it is summed up; 0: never
    workspace: str  # folder, without a slash at its end
    pins: dict  # name -> (number, mode), and a third: the data line of an I2C bus, the lights of a strip
    switched_off: tuple  # names of tools that are not offered
    confirmed: tuple  # names of tools that a person is asked about before each call
    hosts: tuple  # that http_get may ask, "name" or "name:port"
    hosts_ca: str  # path of the file with their roots
    turns_per_hour: int
    turns_per_day: int
    tokens_per_day: int
    history_tokens: int
    heartbeat_s: int  # between two; 0: none
    turn_s: int
    silence_s: int
    begun = (
        False  # a question has: its TLS session is the one that there is room for: Telegram waits
    )

    draft: "Any" = None  # of the answer, see drafts.py; False while that is sent
    drafts = True  # Telegram's server takes them

    def put(self):
        """Have it answer what no handler of bot.py takes: to be called once, after bot.py was loaded."""
        from copepod.assistant import assembly

        forget("copepod.assistant.assembly")
        assembly.put(self)
