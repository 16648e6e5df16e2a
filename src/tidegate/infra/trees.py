"""The trees of a change, under the name that readers of infrastructure know."""

from tidegate.change.trees import LARGEST_BYTES, GitTree, Given, Pair, Tree, Trees, given

__all__ = ["LARGEST_BYTES", "GitTree", "Given", "Pair", "Tree", "Trees", "given"]
