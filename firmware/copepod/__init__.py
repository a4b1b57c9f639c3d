"""MicroPython device application: a Telegram gateway in constant memory. Memory: this file keeps a version."""

VERSION = "0.1.0"
