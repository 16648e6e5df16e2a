"""HOW FAR a change reaches: from changed lines to symbols, tests, entry points, services, owners and users.

Files are parsed once per blob into facts of the file alone (`symbols`, by one reader per language); facts are linked
into a graph whose edges have a rule and a probability (`link`, `graph`); a question walks that graph backwards from
what changed (`search`). What ran is better evidence than what could run: recorded maps sharpen the answer. Writes the
section `reach` of the facts. It must never call a change harmless because something could not be read: what was not
read, not resolved or not covered is counted in the completeness of every answer.
"""
