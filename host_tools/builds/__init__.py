"""Builds of MicroPython: where its sources come from, what packages they need, how each is made."""
