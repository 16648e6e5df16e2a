"""The same for hundreds of repositories: one function over a list, on one machine or many. One bad one stops nobody."""
