"""Schemas of GraphQL in its definition language (SDL), changed files of one schema taken together.

Rules: GraphQL.js `findBreakingChanges` (https://github.com/graphql/graphql-js, utilities), without directives. What
GraphQL.js calls dangerous (a new value of an enum, a new member of a union) is silent, as all additions are.
"""
