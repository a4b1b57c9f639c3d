"""Firmware, application and config onto a board, and what is wrong with it."""
