"""What a board runs at power-on (copepod/boot.py). The board compiles this file itself, so it is short."""

from copepod import boot

boot.main()
