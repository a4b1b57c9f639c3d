"""The formatter seen from the host: running it, what it is compared with, what it is measured on."""
