"""WHAT JAVASCRIPT AND TYPESCRIPT SAY: one reader and one layout for both, since their files import each other.

`reader` walks a syntax tree once with a stack of its own, so that no nesting is too deep; `expressions` turns what it
meets into chains, `declarations`, `classes`, `modules` and `assignments` into definitions and bindings, `calls` knows
the calls that mean more than a call (`require`, `Object.assign`, `defineProperty`), `testing` those of test runners.
`layout` says which files a module's name means. Nothing of the foreign code is run.
"""
