"""Functions that a cloud runs: serverless.yml, AWS SAM and CloudFormation.

serverless.com/framework/docs, docs.aws.amazon.com "AWS::Serverless::Function" and "AWS::Lambda::Function".
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.mentions import mentions_in
from tidegate.reach.services.texts import Value, as_map, as_text, dig
from tidegate.reach.services.tree import Tree, folder_of, join_path, name_of

# Private

_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")


def _wants(path: str) -> bool:
    return path.endswith((".yaml", ".yml")) or name_of(path) in ("template.json", "serverless.json")


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if name_of(path).startswith("serverless."):
        for document in tree.documents(path):
            yield from _serverless(path, document)
        return
    content = tree.content(path)
    if b"Resources" in content and any(kind.encode() in content for kind in _TYPES):
        for document in tree.documents(path):
            yield from _cloudformation(path, document, tree)


def _serverless(path: str, document: Value) -> Iterator[Claim]:
    functions = as_map(dig(document, "functions"))
    name = as_text(dig(document, "service")) or as_text(dig(document, "service", "name"))
    if not functions:
        return
    folder = folder_of(path)
    values = [as_map(dig(f, "environment")) for f in (dig(document, "provider"), *functions.values())]
    pairs = [(key, as_text(value)) for each in values for key, value in each.items()]
    yield Claim(
        provider="functions",
        role="deploy",
        source=path,
        name=name or name_of(folder) or "functions",
        kind="function",
        folder=folder,
        paths=(folder,),
        deploys=(path,),
        built=True,
        mentions=tuple(mentions_in(pairs, path)),
    )


def _cloudformation(path: str, document: Value, tree: Tree) -> Iterator[Claim]:
    shared = dig(document, "Globals", "Function")
    for logical, resource in as_map(dig(document, "Resources")).items():
        if dig(resource, "Type") not in _TYPES:
            continue
        properties = dig(resource, "Properties")
        code = as_text(dig(properties, "CodeUri")) or as_text(dig(properties, "Code"))
        code = code or as_text(dig(shared, "CodeUri")) or as_text(dig(resource, "Metadata", "DockerContext"))
        folder = join_path(folder_of(path), code) if code and "://" not in code else None
        known = folder is not None and tree.exists(folder)
        environment = as_map(dig(properties, "Environment", "Variables")).items()
        named = as_text(dig(properties, "FunctionName"))
        yield Claim(
            provider="functions",
            role="deploy",
            source=path,
            name=logical if not named or "$" in named else named,
            kind="function",
            folder=folder or "",
            paths=(folder,) if known and folder is not None else (),
            deploys=(path,),
            built=known,
            mentions=tuple(mentions_in([(key, as_text(value)) for key, value in environment], path)),
        )


FUNCTIONS = Provider("functions", _wants, _read)
