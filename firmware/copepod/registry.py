"""The handlers of bot.py, registered by handlers.py. Memory: what is registered."""

commands: dict = {}  # name -> (handler, one line of help); what every Copepod knows is in builtin.py
edits: list = []  # handlers of texts that their senders have edited
texts: list = []  # handlers of plain text; after the last that returns False comes the echo
buttons: dict = {}  # the data of a button, or its beginning up to a ":" -> handler
gateway: "Any" = None  # once it is made
state: "Any" = None  # of the bot, once it has asked for it: see state.py
settings: "Any" = None  # of the gateway, see config.py; None where bot.py is tried without one
starts: list = []  # what is called once when the first poll has succeeded
