"""The whole table: labelled corpus, evasion pairs, speed; with `--peers` checkov and pyrrho on the same changes.

python -m bench.infra [--peers]
"""

from __future__ import annotations

import sys

from bench.infra import corpus, pairs, peers, speed


def main() -> int:
    asked = "--peers" in sys.argv[1:]
    corpus.main([])
    print()
    pairs.main([])
    print()
    speed.main()
    if asked:
        print()
        peers.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
