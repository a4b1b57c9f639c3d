"""A time zone's rule in POSIX form: from its text to a tuple, and the offset at a time. Memory: dropped after use.

    UTC0   <+0530>-5:30   CET-1CEST,M3.5.0,M10.5.0/3

The tuple is (standard_s,) or (standard_s, daylight_s, begin, end): seconds to add to UTC, and when daylight
saving begins and ends. A day is (month, week, weekday, second of that day), week 5 is the last one and weekday 0
is Sunday; or, with month 0, (0, number, kind, second): day 1 to 365 of a year whose 29 February is not counted
(kind 0), or day 0 to 365 (kind 1).
"""

from time import gmtime

_LAST = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_SECONDS = 86400
_FAR_S = 300000000  # when to ask again about an offset that never changes


def parse(text):
    """The tuple for `text`; ValueError says what is wrong with it."""
    at = _name(text, 0)
    standard_s, at = _offset(text, at)
    if at == len(text):
        return (standard_s,)
    at = _name(text, at)
    daylight_s = standard_s + 3600
    if at < len(text) and text[at] != ",":
        daylight_s, at = _offset(text, at)
    begin, at = _day(text, at, "begins")
    end, at = _day(text, at, "ends")
    if at != len(text):
        raise ValueError("nothing may follow the rule, found %r" % text[at:])
    return (standard_s, daylight_s, begin, end)


def span(zone, at_s):
    """(from_s, until_s, offset_s): the offset at `at_s`, and from when until when it holds.

    Seconds of this port's epoch, UTC; `until_s` is the first that it does not hold for.
    """
    if len(zone) == 1:
        return at_s, at_s + _FAR_S, zone[0]
    standard_s, daylight_s, begin, end = zone
    year = gmtime(at_s)[0]
    changes = []
    for number in (year - 1, year, year + 1):
        changes.append((_second(begin, number) - standard_s, daylight_s))
        changes.append((_second(end, number) - daylight_s, standard_s))
    changes.sort()
    index = 1
    while index < 5 and changes[index][0] <= at_s:
        index += 1
    return changes[index - 1][0], changes[index][0], changes[index - 1][1]


def _second(day, year):
    # When that day's second comes in `year`, as if its local time were UTC.
    month, week, weekday, second = day
    number = (year - 1970) * 365 + (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month:
        for index in range(month - 1):
            number += _LAST[index] + (leap and index == 1)
        length = _LAST[month - 1] + (leap and month == 2)
        to_go = (weekday - number - 4) % 7 + (week - 1) * 7  # 1970-01-01 was a Thursday
        number += to_go if to_go < length else to_go - 7
    else:
        number += week if weekday else week - 1 + (leap and week > 59)
    if gmtime(0)[0] == 2000:  # the epoch of ESP32
        number -= 10957
    return number * _DAY_SECONDS + second


def _name(text, at):
    # The place behind the name of a time: three letters or more, or anything in <>.
    end = at
    if text[at : at + 1] == "<":
        end = text.find(">", at)
        if end - at < 4:
            raise ValueError("a name in <> needs three characters and a >")
        return end + 1
    while end < len(text) and text[end].isalpha():
        end += 1
    if end - at < 3:
        raise ValueError("a name of three letters or more is missing at %r" % text[at:])
    return end


def _offset(text, at):
    # POSIX counts westwards.
    sign = text[at : at + 1]
    if sign == "-" or sign == "+":
        at += 1
    seconds, at = _clock(text, at, 24)
    return (seconds if sign == "-" else -seconds), at


def _clock(text, at, most):
    # hh[:mm[:ss]] in seconds.
    hours, at = _number(text, at, 0, most)
    seconds = hours * 3600
    for unit_s in (60, 1):
        if text[at : at + 1] != ":":
            break
        count, at = _number(text, at + 1, 0, 59)
        seconds += count * unit_s
    return seconds, at


def _day(text, at, what):
    if text[at : at + 1] != ",":
        raise ValueError("when daylight saving %s is missing, such as ,M3.5.0" % what)
    at += 1
    kind = text[at : at + 1]
    if kind == "M":
        month, at = _number(text, at + 1, 1, 12)
        week, at = _number(text, _dot(text, at), 1, 5)
        weekday, at = _number(text, _dot(text, at), 0, 6)
    else:
        month = 0
        weekday = 0 if kind == "J" else 1
        week, at = _number(text, at + 1 - weekday, 1 - weekday, 365)
    second = 7200
    if text[at : at + 1] == "/":
        at += 1
        sign = text[at : at + 1]
        if sign == "-" or sign == "+":
            at += 1
        second, at = _clock(text, at, 167)
        if sign == "-":
            second = -second
    return (month, week, weekday, second), at


def _dot(text, at):
    if text[at : at + 1] != ".":
        raise ValueError("a day is Mmonth.week.weekday, Jnumber or a number, found %r" % text[at:])
    return at + 1


def _number(text, at, least, most):
    end = at
    while end < len(text) and "0" <= text[end] <= "9":
        end += 1
    if end == at:
        raise ValueError("a number is missing at %r" % text[at:])
    value = int(text[at:end])
    if not least <= value <= most:
        raise ValueError("%d is not %d to %d" % (value, least, most))
    return value, end
