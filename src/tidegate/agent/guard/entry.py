"""What an agent calls before a command: `python -I entry.py`, without the command line's own start."""

import sys

sys.path.insert(0, __file__.rsplit("/", 4)[0])

from tidegate.agent.guard.hook import main  # the folder comes first

main()
