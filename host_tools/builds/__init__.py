"""Builds of MicroPython: where its sources come from, what they need, how each is made."""
