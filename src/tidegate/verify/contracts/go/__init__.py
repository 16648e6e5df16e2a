"""The exported names of the packages of a Go module, read by tree-sitter.

Rules after golang.org/x/exp/apidiff, as far as names, fields, methods and the written types of parameters go. Nothing
is resolved: a type that embeds another may have its names from there, and is then not called to account for them.
"""
