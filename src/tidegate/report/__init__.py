"""HOW WE SAY IT: terminal, JSON, SARIF, GitHub, GitLab, Markdown. One escaping function per sink.

Every renderer is a pure function of facts and verdict. Text from commits, paths and people is data: it cannot break
out of the sink that it is written to.
"""
