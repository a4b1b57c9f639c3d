"""Room of the device application; see the files. Memory: empty."""
