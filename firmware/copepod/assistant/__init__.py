"""An assistant: a model behind the gateway. Memory: nothing, unless the config has a model; see handler.py."""
