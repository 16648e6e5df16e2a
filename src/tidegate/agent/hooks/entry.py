"""What tools call: `python -I -S entry.py NAME`. It stays this small because Python compiles it anew at every call."""

import sys

sys.path.insert(0, __file__.rsplit("/", 4)[0])

from tidegate.agent.hooks.calls import main  # the folder comes first

sys.exit(main(sys.argv[1:]))
