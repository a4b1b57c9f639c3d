"""What a board's console says about its state: steady, or what is wrong and what to do about it.

The rules are a table: a pattern, how often it must be seen before it is believed without waiting
any longer, what it means, and the remedy. Earlier rows are causes, later ones their consequences,
so at the end the first row that was seen at all is the answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from host_tools.console import frames, serial_io
from host_tools.console.frames import Frame
from host_tools.console.serial_io import LineSplitter, Source

LISTEN_S = 90.0  # Wi-Fi, NTP and a TLS handshake take 10 to 20 s; three refused tries take 45
STEADY = "steady"
_RESETS_OF_A_LOOP = 4
_READ_S = 0.2


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong. `enough`: believed at once when seen that often."""

    id: str
    pattern: re.Pattern[str]
    enough: int
    meaning: str  # {0}: what the pattern's first group caught
    remedy: str


def _rule(id: str, pattern: str, enough: int, meaning: str, remedy: str) -> Rule:
    return Rule(id, re.compile(pattern), enough, meaning, remedy)


RULES = (
    # the boot ROM and the bootloader
    _rule(
        "wrong-chip",
        r"mismatch chip ID, expected \d+, found \d+|Image requires (?:efuse blk|chip) rev",
        2,
        "the firmware is for another chip",
        "`make flash` without BOARD= finds the right one",
    ),
    _rule(
        "invalid-header",
        r"invalid header: 0x|Invalid image block|ets_main\.c \d+|csum err:",
        3,
        "the chip finds no firmware where it looks (invalid header): it lies at a wrong offset",
        "`make flash ARGS=--erase`; BOARD= must name this chip's board",
    ),
    _rule(
        "corrupt-image",
        r"SHA-256 comparison failed|Image hash failed|image corrupt|flash read err|"
        r"[Cc]hecksum failed\. Calculated",
        2,
        "the firmware in flash is damaged, or only half of it was written",
        "`make flash ARGS=--erase`; if it returns, try a lower BAUD=115200 and another cable",
    ),
    _rule(
        "no-app",
        r"No bootable app partitions|[Nn]o bootable app|partition table is empty|"
        r"Failed to verify partition table",
        2,
        "there is a bootloader but no app in flash",
        "`make flash ARGS=--erase` with a whole firmware.bin",
    ),
    _rule(
        "flash-size",
        r"Detected size\((\d+k)\) smaller than the size in the binary image header",
        1,
        "the board has less flash ({0}) than the firmware expects",
        "use a firmware for this size (FIRMWARE=…)",
    ),
    _rule(
        "download-mode",
        r"waiting for download|DOWNLOAD_BOOT|DOWNLOAD\((?:USB|UART|SDIO)",
        1,
        "the board waits in its boot ROM for a download",
        "let go of BOOT and press RESET (or unplug it and plug it in again)",
    ),
    _rule(
        "brownout",
        r"[Bb]rownout detector|BROWN_?OUT_R",
        2,
        "the supply voltage breaks down when Wi-Fi starts (brownout)",
        "another USB port or cable, no hub; a 5 V supply of 500 mA",
    ),
    _rule(
        "psram",
        r"PSRAM ID read error|PSRAM chip not found|Failed to init external RAM",
        2,
        "the firmware wants PSRAM that this board does not have",
        "use the board's firmware without SPIRAM (FIRMWARE=…)",
    ),
    # MicroPython and the app's files
    _rule(
        "filesystem",
        r"filesystem appears to be corrupted",
        1,
        "MicroPython finds a damaged file system",
        "`make flash ARGS=--erase` (save bot.py from the board first if it is your only copy)",
    ),
    _rule(
        "mpy-version",
        r"incompatible \.mpy (?:file|arch)",
        1,
        "the firmware can't load the app's .mpy files: it is of another MicroPython version",
        "`make flash` writes the version that fits",
    ),
    _rule(
        "import",
        r"ImportError: no module named '([\w.]+)'",
        1,
        "a file is missing on the board (module {0})",
        "`make deploy` sends what is missing",
    ),
    _rule(
        "safe-mode",
        r"boot: safe mode: the last error was (.*)",
        1,
        "safe mode after three crashes in a row; the last was: {0}",
        "mend config.json or bot.py, then `make deploy`",
    ),
    _rule(
        "config",
        r"copepod: config: (/?\S+\.json: .*)",
        1,
        "the board can't use its config: {0}",
        "`make provision`, then `copepod config --push`",
    ),
    # memory
    _rule(
        "out-of-memory",
        r"MemoryError|memory allocation failed|ESP_ERR_NO_MEM|_ALLOC_FAILED|"
        r"Failed to allocate|out of memory|esp_wifi_init: 257",
        2,
        "the board runs out of memory",
        "a smaller bot.py, bus.bytes and bus.capacity; `make monitor` shows which heap it is",
    ),
    _rule(
        "tls-memory",
        r"no memory for TLS|no network buffers|could not be checked: \d+ B",
        2,
        "there is no memory left for TLS beside Python's heap",
        "a smaller bot.py and a lower memory.gc_threshold; `make monitor` shows the largest block",
    ),
    # Wi-Fi, clock, Telegram
    _rule(
        "wifi-password",
        r"wifi: not connected to (.*?): .*wrong wifi\.password",
        3,
        "Wi-Fi {0!r} refuses the password",
        "`make provision` (it asks again), then `copepod config --push`",
    ),
    _rule(
        "wifi-absent",
        r"wifi: not connected to (.*?): (?:no access point|the access point went silent|no answer)",
        3,
        "no Wi-Fi called {0!r} is in reach",
        "check the name; these chips know 2.4 GHz only; move closer",
    ),
    _rule(
        "wifi-dhcp",
        r"wifi: not connected to (.*?): associated, but no IP address",
        3,
        "Wi-Fi {0!r} lets the board in but gives it no address (DHCP)",
        "restart the access point, or free an address in its list",
    ),
    _rule(
        "wifi-refused",
        r"wifi: not connected to (.*?): (?!.*wrong wifi\.password)(?!no access point)",
        4,
        "Wi-Fi {0!r} refuses the board",
        "look at the lines above; WPA2 or WPA3 with a password, or open, are what it knows",
    ),
    _rule(
        "clock",
        r"clock (?:is )?not set",
        2,
        "the clock is not set, so certificates can't be checked",
        "let UDP port 123 (NTP) through, or name a network where it is",
    ),
    _rule(
        "token-refused",
        r"telegram: (?:the token is refused|.*\b401\b)",
        1,
        "Telegram refuses the bot token",
        "get it from @BotFather (/token), `make provision`, `copepod config --push`",
    ),
    _rule(
        "conflict",
        r"telegram: .*(?:\(409\)|terminated by other)",
        1,
        "another program is polling with this bot's token",
        "stop it, or make a second bot with @BotFather",
    ),
    _rule(
        "certificate",
        r"telegram: .*(?:certificate|does not speak TLS|ended the TLS handshake)",
        2,
        "the server's certificate is not accepted",
        "check base_url and tls.ca; a proxy that opens TLS can't be used",
    ),
    _rule(
        "dns",
        r"telegram: (?:the server's name is unknown|no name server answered)",
        3,
        "the server's name can't be resolved",
        "check base_url and that this network has internet",
    ),
    _rule(
        "unreachable",
        r"telegram: .*, trying again in",
        4,
        "the Bot API server can't be reached from the board",
        "check that this network has internet and lets port 443 through",
    ),
    # consequences, when no cause was seen
    _rule(
        "panic",
        r"Guru Meditation Error: .*\((.*?)\)|abort\(\) was called",
        2,
        "the firmware crashes ({0})",
        "`make flash ARGS=--erase`; if it returns, report the lines above",
    ),
    _rule(
        "watchdog",
        r"[Tt]ask watchdog got triggered|TG\dWDT|RTC_?WDT|copepod: boot: watchdog",
        2,
        "the watchdog resets the board: something blocked for too long",
        "look for a long loop in bot.py; await asyncio.sleep_ms(0) in it",
    ),
    _rule(
        "app-crash",
        r"copepod: boot: crash \d+ in a row",
        2,
        "the app crashes",
        "the traceback above names the place; `make monitor` shows it again",
    ),
    _rule(
        "not-started",
        r'Type "help\(\)" for more information|copepod: boot: stopped; Ctrl-D|^>>> ?$',
        2,
        "MicroPython is at its prompt, the app is not running",
        "`make deploy`, or press RESET",
    ),
)

_RESET = re.compile(r"\brst:0x|^ESP-ROM:|^ets (?:Jun|Jul)")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")

NOTES = (
    (
        re.compile(r"To pair, send this code to the bot: (\S+)"),
        "nobody is admitted yet: send the code {0} to your bot in Telegram to pair",
    ),
    (re.compile(r"bot: bot\.py can't be used: (.*)"), "bot.py can't be used: {0}"),
    (
        re.compile(r"bot: the bot\.py that was sent is given up: (.*)"),
        "the bot.py that was sent is given up: {0}",
    ),
    (re.compile(r"telegram: I am (@\S+)"), "the bot is {0}"),
    (re.compile(r"clock: no NTP server answered"), "no NTP server answers; the clock may drift"),
    (re.compile(r"copepod: config: ([^/\s][^:]*: unknown key.*)"), "config: {0}"),
)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, in one line with its remedy."""

    id: str
    meaning: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.meaning}: {self.remedy}"


@dataclass
class Diagnoser:
    """Reads console lines until it knows."""

    steady: Frame | None = None
    first_frame: Frame | None = None
    notes: list[str] = field(default_factory=list)
    lines: int = 0
    bytes: int = 0
    noise: int = 0  # characters that no console prints
    last_line: str = ""
    _seen: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    _resets: int = 0
    _in_traceback: bool = False

    def feed(self, line: str) -> None:
        """Take one line."""
        self.lines += 1
        self.bytes += len(line) + 1
        self.noise += sum(not c.isprintable() and c not in "\t\r\x1b" for c in line[:500])
        self.noise += line.count("\ufffd")
        try:
            item = frames.parse(line)
        except frames.FrameError:
            return
        if isinstance(item, Frame):
            self.first_frame = self.first_frame or item
            if item.phase == STEADY:
                self.steady = item
        if item is not None or frames.is_human(line) or not line.strip():
            return
        self.last_line = line.strip()
        self._resets += bool(_RESET.search(line))
        self._traceback(line)
        for rule in RULES:
            match = rule.pattern.search(line)
            if match:
                count, _ = self._seen.get(rule.id, (0, ()))
                self._seen[rule.id] = count + 1, tuple(g or "" for g in match.groups())
        for pattern, text in NOTES:
            match = pattern.search(line)
            if match:
                note = text.format(*match.groups())
                if note not in self.notes:
                    self.notes.append(note)

    def _traceback(self, line: str) -> None:
        if _TRACEBACK.search(line):
            self._in_traceback = True
        elif self._in_traceback and not line.startswith(" "):
            self._in_traceback = False
            self._seen["traceback"] = (1, (line.strip(),))

    def certain(self) -> Diagnosis | None:
        """A diagnosis that more listening would not change."""
        for rule in RULES:
            count, groups = self._seen.get(rule.id, (0, ()))
            if count >= rule.enough:
                return _diagnosis(rule, groups)
        return self._boot_loop() if self._resets >= _RESETS_OF_A_LOOP * 2 else None

    def best(self) -> Diagnosis:
        """The best there is to say after listening in vain."""
        for rule in RULES:
            if rule.id in self._seen:
                return _diagnosis(rule, self._seen[rule.id][1])
        if "traceback" in self._seen:
            error = self._seen["traceback"][1][0]
            return Diagnosis("traceback", f"the app stopped with {error}", "see the lines above")
        if self._resets >= _RESETS_OF_A_LOOP:
            return self._boot_loop()
        if self.bytes == 0:
            return Diagnosis(
                "no-output",
                "the board says nothing at all",
                "press RESET; if it stays silent, hold BOOT while plugging it in and flash again",
            )
        if self.noise * 4 > self.bytes:
            return Diagnosis(
                "garbage",
                "what comes is no text",
                "the console's speed is 115200 baud: leave BAUD= unset; try another cable",
            )
        return Diagnosis(
            "not-steady",
            f"the gateway did not become steady; its last line was {self.last_line[:100]!r}",
            "`make monitor` shows what it does",
        )

    def _boot_loop(self) -> Diagnosis:
        return Diagnosis(
            "boot-loop",
            f"the board resets again and again ({self._resets} times)",
            "`make flash ARGS=--erase`; if it returns, try another USB port",
        )


def _diagnosis(rule: Rule, groups: tuple[str, ...]) -> Diagnosis:
    caught = [*groups, ""]
    return Diagnosis(rule.id, rule.meaning.format(*caught).replace(" ()", ""), rule.remedy)


def listen(
    source: Source,
    timeout_s: float = LISTEN_S,
    show: Callable[[str], None] = lambda line: None,
) -> Diagnoser:
    """Listen until the board is steady, is certainly not going to be, or the time is over.

    Whoever calls looks at `.steady`, and if that is None at `.certain()` and `.best()`.
    """
    diagnoser, splitter = Diagnoser(), LineSplitter()
    deadline = time.monotonic() + timeout_s
    while diagnoser.steady is None and diagnoser.certain() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            data = source.read(min(left, _READ_S))
        except EOFError:
            break
        for line in splitter.feed(data):
            diagnoser.feed(line)
            show(serial_io.printable(line))
    if diagnoser.steady is None and splitter.rest():
        diagnoser.feed(splitter.rest())
    return diagnoser
