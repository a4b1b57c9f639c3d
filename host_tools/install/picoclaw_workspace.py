"""PicoClaw's workspace in the form that the board reads: prompts, memory, conversations, cron jobs.

A conversation becomes `sessions/telegram_<chat>.jsonl`, finished messages only, one a line; of a
long one the end. What is left out is said in one line each.
"""

from __future__ import annotations

import json
import re
import time
import zoneinfo
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from host_tools import text_files
from host_tools.errors import UserError
from host_tools.install.picoclaw import Taken, device_reads

PROMPTS = ("AGENT.md", "SOUL.md", "USER.md", "memory/MEMORY.md", "HEARTBEAT.md")
_OLD_AGENT = "AGENTS.md"  # what AGENT.md was called
JOBS = "cron/jobs.json"
JOBS_MOST = 16
FILE_MAX_B = 32 << 10  # as the board's own tools write them
SESSION_MAX_B = 32 << 10
_PROMPT_B = 6000  # from here on it is said what a prompt costs
_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
# agent:main:telegram:direct:123, telegram:-100123, telegram_123, and with an account between
_KEY = re.compile(
    r"telegram[:_](?:\w+[:_])??(?:(direct|group|supergroup|channel|forum)[:_])?(-?\d+)([/_]\d+)?$"
)
_MAIN = re.compile(r"agent[:_]\w+[:_]main$")


def add(taken: Taken) -> None:
    """Read the workspace of what was taken, into its files and lines."""
    folder = taken.workspace
    if not folder.is_dir():
        taken.leave("the workspace", f"{folder} does not exist")
        return
    seen = {folder / name for name in (*PROMPTS, JOBS)}
    for name in PROMPTS:
        _prompt(folder / name, name, taken)
    old = folder / _OLD_AGENT
    if old.exists() and "AGENT.md" not in taken.files:
        seen.add(old)
        _prompt(old, "AGENT.md", taken)
    sessions = folder / "sessions"
    _sessions(sessions, taken)
    _jobs(folder / JOBS, taken)
    rest = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in seen and sessions not in path.parents
    ]
    for why, chosen in (
        ("daily notes: the board is told memory/MEMORY.md only", r"memory/"),
        ("skills are instructions for tools that the board has not", r"skills/"),
        ("PicoClaw's own state", r"(state|heartbeat\.log|cron)/?"),
        ("no file that the board reads; copy those that its tools should find", r""),
    ):
        names = [name for name in rest if re.match(chosen, name)]
        rest = [name for name in rest if name not in names]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            taken.leave(", ".join(names[:3]) + more, why)


def _prompt(path: Path, name: str, taken: Taken) -> None:
    if not path.is_file():
        return
    try:
        text = text_files.read(path)
    except UserError as error:
        taken.leave(path.name, str(error))
        return
    if name == "AGENT.md" and (front := _FRONT_MATTER.match(text)):
        text = text[front.end() :].lstrip("\n")
        taken.leave(f"{path.name}'s first part", "the board does not read it (name, tools, model)")
    data = text.encode()
    if len(data) > FILE_MAX_B:
        taken.leave(path.name, f"{len(data)} bytes are more than {FILE_MAX_B}")
        return
    if not data.strip():
        return
    if name == "HEARTBEAT.md" and not device_reads(name):
        taken.leave(name, "the board has no heartbeat yet")
        return
    if len(data) > _PROMPT_B:
        taken.note(f"{name}: {len(data)} bytes go to the model with every question")
    taken.files[name] = data


# Conversations ------------------------------------------------------------------------------


@dataclass
class _Session:
    name: str
    messages: list[dict[str, Any]]
    summary: str
    updated: str  # ISO 8601, or ""
    chat: str | None  # a Telegram chat's id
    why: str = ""  # of no chat


def _sessions(folder: Path, taken: Taken) -> None:
    if not folder.is_dir():
        return
    found = [
        _session(path, taken)
        for path in sorted(folder.iterdir())
        if path.suffix in (".json", ".jsonl") and not path.name.endswith(".meta.json")
    ]
    people = taken.config.get("channels", {}).get("telegram", {}).get("allow_from", [])
    ids = [name.partition("|")[0] for name in people]
    chats: dict[str, list[_Session]] = {}
    for session in found:
        if session is None:
            continue
        if (
            session.chat is None
            and _MAIN.match(session.name)
            and len(ids) == 1
            and ids[0].isdigit()
        ):
            session.chat = ids[0]  # what was shared by all is of the one who is admitted
        if session.chat is None:
            taken.leave(f"session {session.name}", session.why)
        else:
            chats.setdefault(session.chat, []).append(session)
    for chat, several in sorted(chats.items()):
        several.sort(key=lambda each: (bool(each.messages), each.updated), reverse=True)
        for older in several[1:]:
            taken.leave(f"session {older.name}", f"{several[0].name} is the newer one of {chat}")
        _put(chat, several[0], taken)


def _session(path: Path, taken: Taken) -> _Session | None:
    name = path.name.rpartition(".")[0]
    try:
        if path.suffix == ".json":  # the older form
            if path.with_suffix(".jsonl").exists():
                return None
            meta = json.loads(text_files.read(path))
            messages = meta.get("messages") or []
        else:
            beside = path.with_name(name + ".meta.json")
            meta = json.loads(text_files.read(beside)) if beside.exists() else {}
            lines = [line for line in text_files.read(path).splitlines() if line.strip()]
            messages = _messages(lines[int(meta.get("skip") or 0) :], name, taken)
        chat, why = _chat(meta, name)
        summary, updated = str(meta.get("summary") or ""), str(meta.get("updated_at") or "")
        updated = updated or str(meta.get("updated") or "")
    except (ValueError, TypeError, AttributeError):
        taken.leave(f"session {name}", "it can't be read")
        return None
    except UserError as error:
        taken.leave(f"session {name}", str(error))
        return None
    good = [each for each in messages if isinstance(each, dict)]
    return _Session(name, good, summary, updated, chat, why)


def _messages(lines: list[str], name: str, taken: Taken) -> list[Any]:
    found, bad = [], 0
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # a crash in the middle of a line
            bad += 1
    if bad:
        taken.leave(f"session {name}: {bad} lines", "they are no JSON")
    return found


def _chat(meta: dict[str, Any], name: str) -> tuple[str | None, str]:
    """The Telegram chat of a session, or why there is none."""
    scope = meta.get("scope") or {}
    if scope:
        if scope.get("channel") != "telegram":
            return None, f"of the channel {scope.get('channel')}"
        values = scope.get("values") or {}
        if values.get("topic"):
            return None, "one topic of a forum; the board has one conversation a chat"
        text = str(values.get("chat") or values.get("sender") or "")
        text = text.rpartition(":")[2]
        if re.fullmatch(r"-?\d+", text):
            return text, ""
        if "/" in text:
            return None, "one topic of a forum; the board has one conversation a chat"
        return None, "of no one chat"
    for key in (str(meta.get("key") or ""), name, *map(str, meta.get("aliases") or [])):
        if match := _KEY.search(key):
            if match[3]:
                return None, "one topic of a forum; the board has one conversation a chat"
            return match[2], ""
    return None, "of no Telegram chat"


def _put(chat: str, session: _Session, taken: Taken) -> None:
    rows, dropped = _finished(session.messages)
    size, begin = 0, len(rows)
    for at in range(len(rows) - 1, -1, -1):
        size += len(rows[at]) + 1
        if size > SESSION_MAX_B:
            break
        if rows[at].startswith(b'{"role":"user"'):
            begin = at
    if begin:
        taken.leave(
            f"session {session.name}: {begin} older messages", f"over {SESSION_MAX_B} bytes"
        )
    if dropped:
        taken.leave(
            f"session {session.name}: {dropped} messages", "without text, a result or an answer"
        )
    if not rows[begin:] and not session.summary:
        return
    path = f"sessions/telegram_{chat}"
    taken.files[path + ".jsonl"] = b"".join(row + b"\n" for row in rows[begin:])
    meta = {"summary": session.summary, "skip": 0}
    taken.files[path + ".meta.json"] = _dump(meta)


def _finished(messages: list[dict[str, Any]]) -> tuple[list[bytes], int]:
    """The rows that any server takes, each call with its result; how many messages there were beside."""
    rows: list[bytes] = []
    at = used = 0
    while at < len(messages):
        message = messages[at]
        at += 1
        role, text = message.get("role"), message.get("content")
        text = text if isinstance(text, str) else ""
        calls = (
            [_call(call) for call in message.get("tool_calls") or []]
            if role == "assistant"
            else []
        )
        if calls:
            results = {}
            while at < len(messages) and messages[at].get("role") == "tool":
                results[messages[at].get("tool_call_id")] = str(messages[at].get("content") or "")
                at += 1
            if not all(call and call["id"] in results for call in calls):
                continue
            rows.append(_dump({"role": role, "content": text or None, "tool_calls": calls}))
            for call in calls:
                assert call is not None
                result = results[call["id"]]
                row = {"role": "tool", "tool_call_id": call["id"], "content": result}
                rows.append(_dump(row))
            used += 1 + len(results)
        elif role in ("user", "assistant") and text.strip():
            rows.append(_dump({"role": role, "content": text}))
            used += 1
    # A turn that was cut is left out: a conversation ends with an answer.
    while rows and (rows[-1][:20] != b'{"role":"assistant",' or b',"tool_calls":[' in rows[-1]):
        rows.pop()
        used -= 1
    return rows, len(messages) - used


def _call(found: Any) -> dict[str, Any] | None:
    try:
        function = found["function"]
        arguments = json.loads(function.get("arguments") or "{}")
        if not isinstance(arguments, dict) or not found["id"] or not function["name"]:
            return None
        named = {"name": function["name"], "arguments": json.dumps(arguments, ensure_ascii=False)}
        return {"id": found["id"], "type": "function", "function": named}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _dump(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")  # half a surrogate pair is nothing that can be sent


# Cron jobs ----------------------------------------------------------------------------------


def _jobs(path: Path, taken: Taken) -> None:
    if not path.is_file():
        return
    try:
        found = json.loads(text_files.read(path))
        jobs = [job for job in found["jobs"] if isinstance(job, dict)]
    except (ValueError, KeyError, TypeError):
        taken.leave(JOBS, "it can't be read")
        return
    except UserError as error:
        taken.leave(JOBS, str(error))
        return
    if jobs and not device_reads("jobs.json"):
        taken.leave(f"{JOBS}: {len(jobs)} jobs", "the board runs no cron jobs of the model's yet")
        return
    kept = []
    for job in jobs:
        name = str(job.get("name") or job.get("id"))[:40]
        why = _useless(job) if len(kept) < JOBS_MOST else f"the board has {JOBS_MOST} at most"
        if why:
            taken.leave(f"cron job {name!r}", why)
        else:
            kept.append({**job, "state": {}})
    if kept:
        rows = b",\n".join(_dump(job) for job in kept)
        taken.files[JOBS] = b'{"version":1,"jobs":[\n' + rows + b"\n]}\n"
        _zone(kept, taken)


def _useless(job: dict[str, Any]) -> str:
    """Why the board can't run a job; "" when it can."""
    schedule, payload = job.get("schedule"), job.get("payload")
    if not isinstance(schedule, dict) or not isinstance(payload, dict):
        return "it can't be read"
    kind = schedule.get("kind")
    if not job.get("enabled"):
        return "it is not enabled"
    if payload.get("command"):
        return "it runs a command of a shell"
    if payload.get("channel") not in (None, "", "telegram"):
        return f"it is for the channel {payload['channel']}"
    if kind == "at" and int(schedule.get("atMs") or 0) <= time.time() * 1000:
        return "its time is over"
    if kind == "cron" and len(str(schedule.get("expr") or "").split()) != 5:
        return "its times have not five fields"
    return "" if kind in ("at", "every", "cron") else f"a schedule of the kind {kind!r}"


def _zone(jobs: list[dict[str, Any]], taken: Taken) -> None:
    """The board has one time zone, in POSIX form: that of the first job that names one."""
    for job in jobs:
        name = str(job["schedule"].get("tz") or "")
        if not name:
            continue
        posix = posix_zone(name)
        if not posix:
            taken.note(f"cron job {job.get('name')!r}: its zone {name} is not known: see `tz`")
        elif taken.config.setdefault("tz", posix) != posix:
            taken.note(
                f"cron job {job.get('name')!r}: it goes by {taken.config['tz']}, not {name}"
            )


def posix_zone(name: str) -> str:
    """`Europe/Berlin` as `CET-1CEST,M3.5.0,M10.5.0/3`, from the last line of its file; "" if there is none."""
    try:
        zoneinfo.ZoneInfo(name)
        places = [Path(base) / name for base in zoneinfo.TZPATH]
        path = next((place for place in places if place.is_file()), None)
        data = (
            path.read_bytes() if path else (resources.files("tzdata.zoneinfo") / name).read_bytes()
        )
    except (OSError, ValueError, ModuleNotFoundError, zoneinfo.ZoneInfoNotFoundError):
        return ""
    return data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "ignore")
