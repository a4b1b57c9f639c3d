"""Finds or builds interpreters and firmware."""
