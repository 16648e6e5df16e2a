"""Resolvers of GraphQL, where decorators say so: strawberry, ariadne, type-graphql, Nest, Spring and DGS."""

from __future__ import annotations

from tidegate.reach.entries.chains import words
from tidegate.reach.entries.tables import JVM, PYTHON, SCRIPT, Row, finder

_SCRIPTS = words("type-graphql @nestjs/graphql")
_SPRING = words("org.springframework com.netflix")
_ROWS = (
    Row("rpc", "strawberry", words("field mutation subscription"), words("strawberry"), PYTHON, ("name",)),
    Row("rpc", "ariadne", words("field"), words("ariadne"), PYTHON, (0,)),
    Row("rpc", "graphql", words("Query"), _SCRIPTS, SCRIPT, ("name",), prefix="query "),
    Row("rpc", "graphql", words("Mutation"), _SCRIPTS, SCRIPT, ("name",), prefix="mutation "),
    Row("rpc", "graphql", words("Subscription"), _SCRIPTS, SCRIPT, ("name",), prefix="subscription "),
    Row(
        "rpc", "graphql", words("ResolveField FieldResolver ResolveReference"), _SCRIPTS, SCRIPT, (0,), prefix="field "
    ),
    Row("rpc", "graphql", words("QueryMapping DgsQuery"), _SPRING, JVM, ("name", "value", 0), prefix="query "),
    Row("rpc", "graphql", words("MutationMapping DgsMutation"), _SPRING, JVM, ("name", "value", 0), prefix="mutation "),
    Row("rpc", "graphql", words("SubscriptionMapping SchemaMapping DgsData"), _SPRING, JVM, ("field", "value", 0)),
)
FINDERS = (finder("graphql", _ROWS),)
