"""A forge on loopback for tests and the demonstration: GitHub's and GitLab's documented shapes, limits and failures
over real HTTP, on real git repositories. What people do there is done by functions (`deeds.py`) or by JSON
(`control.py`). It holds everything in memory and trusts whoever reaches it: never let it be reached from elsewhere.
"""

from demo.forge.server import FakeForge

__all__ = ["FakeForge"]
