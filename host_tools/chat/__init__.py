"""`make run` and `copepod simulator`: to talk with the bot here."""
