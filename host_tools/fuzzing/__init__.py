"""What comes from outside, mutated, against the device's code: updates, answers of the Bot API, configs.

seeds.py      what the mutations start from
mutate.py     how a document is changed: its values, its keys, its bytes
runner.py     the cases through a MicroPython that runs a firmware/bench/fuzz_….py
command.py    `copepod fuzz` (`make fuzz`)
"""
