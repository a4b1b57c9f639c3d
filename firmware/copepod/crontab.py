"""Times as people write them, "07:30" and "0 7 * * 1-5", for timers.py. Memory: dropped after bot.py is loaded.

A plan is 19 bytes: a bit for each minute (60 bits from byte 0 on), hour (24 from byte 8), day of the month
(from byte 11), month (from byte 15) and day of the week (byte 17, Sunday is 0) on which it is due; then flags.
"""

from time import gmtime

from micropython import const

_SIZE_B = const(19)
_DAY_MIN = const(1440)
_DAYS_MOST = const(3000)  # eight years, and a 29 February among them
_EITHER_DAY = const(
    1
)  # a day of the month and one of the week are named: any of them will do (POSIX, crontab)
_NAMED_HOUR = const(2)  # see timers.Timers

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# name, first byte of the plan, least, most, names of the values from the least on
_FIELDS = (
    ("minute", 0, 0, 59, ()),
    ("hour", 8, 0, 23, ()),
    ("day-of-month", 11, 1, 31, ()),
    ("month", 15, 1, 12, _MONTHS),
    ("day-of-week", 17, 0, 7, _DAYS),
)


def daily(text):
    """The plan for "HH:MM" of each day; ValueError when it is no time."""
    hour, _, minute = text.partition(":")
    if not (
        _is_number(hour)
        and _is_number(minute)
        and len(minute) == 2
        and int(hour) < 24
        and int(minute) < 60
    ):
        raise ValueError("daily(%r): expected HH:MM, 00:00 to 23:59" % text)
    return cron("%s %s * * *" % (minute, hour))


def cron(text):
    """The plan for five fields: minute, hour, day-of-month, month, day-of-week; ValueError names the wrong one."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            "cron(%r): found %d fields, expected 5: minute hour day-of-month month day-of-week"
            % (text, len(fields))
        )
    plan = bytearray(_SIZE_B)
    for index, field in enumerate(fields):
        name, first, least, most, names = _FIELDS[index]
        try:
            for part in field.lower().split(","):
                _mark(plan, first, part, least, most, names)
        except ValueError as error:
            raise ValueError("cron(%r): %s: %s" % (text, name, error))
    if plan[17] & 0x80:  # Sunday is 0 and 7
        plan[17] = plan[17] & 0x7F | 1
    named_day = fields[2][0] != "*"
    if named_day and fields[4][0] != "*":
        plan[18] |= _EITHER_DAY
    elif named_day and not _comes(plan):
        raise ValueError(
            "cron(%r): day-of-month: %s never comes in month %s" % (text, fields[2], fields[3])
        )
    if fields[1][0] != "*":
        plan[18] |= _NAMED_HOUR
    return bytes(plan)


def following(plan, minute):
    """The first minute after `minute` that is one of the plan, both local, of this port's epoch; ValueError: none."""
    minute += 1
    at = minute % _DAY_MIN
    for day in range(minute // _DAY_MIN, minute // _DAY_MIN + _DAYS_MOST):
        now = gmtime(day * _DAY_MIN * 60)
        if _is_day(plan, now[1], now[2], (now[6] + 1) % 7):
            while at < _DAY_MIN:
                hour = at // 60
                if not plan[8 + (hour >> 3)] >> (hour & 7) & 1:
                    at = hour * 60 + 60
                elif plan[at % 60 >> 3] >> (at % 60 & 7) & 1:
                    return day * _DAY_MIN + at
                else:
                    at += 1
        at = 0
    raise ValueError("cron: it is never due")


def _is_day(plan, month, day, weekday):
    if not plan[15 + (month >> 3)] >> (month & 7) & 1:
        return False
    by_month = plan[11 + (day >> 3)] >> (day & 7) & 1
    by_week = plan[17] >> weekday & 1
    return by_month or by_week if plan[18] & _EITHER_DAY else by_month and by_week


def _mark(plan, first, part, least, most, names):
    # "*", "a", "a-b", and "*/n", "a-b/n"
    span, slash, step = part.partition("/")
    start, dash, end = span.partition("-")
    if span == "*":
        start = least
        end = 6 if most == 7 else most
    else:
        if slash and not dash:
            raise ValueError("a step needs * or a range, found %r" % part)
        start = _value(start, least, most, names)
        end = _value(end, least, most, names) if dash else start
        if dash and end == 0 and names:  # sat-sun
            end = 7
        if end < start:
            raise ValueError("the range %r runs backwards" % span)
    if slash and not (_is_number(step) and int(step)):
        raise ValueError("%r is no step" % step)
    for value in range(start, end + 1, int(step) if slash else 1):
        plan[first + (value >> 3)] |= 1 << (value & 7)


def _value(text, least, most, names):
    if text in names:
        return least + names.index(text)
    if not _is_number(text) or not least <= int(text) <= most:
        raise ValueError(
            "%r is not %d to %d%s"
            % (text, least, most, " or a name such as " + names[1] if names else "")
        )
    return int(text)


def _is_number(text):
    if not 0 < len(text) <= 2:
        return False
    for character in text:
        if not "0" <= character <= "9":
            return False
    return True


def _comes(plan):
    # Whether one of its days of the month is in one of its months.
    for month in range(1, 13):
        if plan[15 + (month >> 3)] >> (month & 7) & 1:
            for day in range(1, _LONGEST[month - 1] + 1):
                if plan[11 + (day >> 3)] >> (day & 7) & 1:
                    return True
    return False
