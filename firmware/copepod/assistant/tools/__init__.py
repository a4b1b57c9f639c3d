"""What the model can do: a file each, imported when it is called and dropped after it. Memory: nothing.

A tool is the function run(gateway, …): its docstring, argument names, annotations and defaults are its schema, which
the build writes (host_tools/app/schemas.py). What it returns is told to the model, and so is what it raises.
"""
