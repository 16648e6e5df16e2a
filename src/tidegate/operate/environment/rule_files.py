"""Alert rules that a repository holds: rule files of Prometheus, and PrometheusRule objects of its operator."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.change.trees import GitTree
from tidegate.operate.environment.rules import Rule
from tidegate.operate.environment.statements import NotKnown
from tidegate.operate.environment.values import Said
from tidegate.reach.services.texts import TextError, Value, as_list, as_map, as_text, dig, parse_yaml

MOST_FILES = 4000


def read_rule_files(files: GitTree) -> tuple[tuple[Rule, ...], dict[str, str], tuple[NotKnown, ...]]:
    """The alert rules, the recording rules (name to expression), and what could not be read."""
    paths = [path for path in files.paths() if path.endswith((".yml", ".yaml")) and "node_modules/" not in path]
    rules: list[Rule] = []
    recorded: dict[str, str] = {}
    unread: list[NotKnown] = []
    if len(paths) > MOST_FILES:
        unread.append(NotKnown(says=f"of {len(paths)} YAML files {MOST_FILES} were searched for alert rules"))
    for path, content in sorted(files.read(paths[:MOST_FILES]).items()):
        if b"expr:" not in content or (b"alert:" not in content and b"record:" not in content):
            continue
        try:
            documents = parse_yaml(content)
        except TextError as error:
            unread.append(NotKnown(says=f"alert rules in {path} could not be read: {error}"))
            continue
        for document in documents:
            for rule in _rules(document, path):
                if isinstance(rule, Rule):
                    rules.append(rule)
                else:
                    recorded.setdefault(*rule)
    return tuple(rules), recorded, tuple(unread)


# Private


def _rules(document: Value, path: str) -> Iterator[Rule | tuple[str, str]]:
    groups = as_list(dig(document, "groups")) or as_list(dig(document, "spec", "groups"))
    for group in groups:
        for rule in as_list(dig(group, "rules")):
            query = as_text(dig(rule, "expr"))
            name, record = as_text(dig(rule, "alert")), as_text(dig(rule, "record"))
            if name and query:
                labels = {key: as_text(value) for key, value in as_map(dig(rule, "labels")).items()}
                said = Said(source="code", where=path)
                yield Rule(name=name, query=query, said=said, group=as_text(dig(group, "name")), labels=labels)
            elif record and query:
                yield record, query
