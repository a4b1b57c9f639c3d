"""Tests of one's own bot: a pytest plugin whose fixture `bot` is the real gateway with that bot.py."""
