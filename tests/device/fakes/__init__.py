"""Stand-ins for the ESP32 port's modules (see world.py), and what several test files share."""
