"""What published npm packages export, followed from their entry files by tree-sitter.

A package is published if its package.json has a name and is not private. Its entries are what `exports`, `main`,
`module` and `types` say, each looked for in the sources it is built from. Types are not compared.
"""
