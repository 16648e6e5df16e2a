"""The words of Ruby, Rails, RSpec and minitest that mean more than a call."""

from __future__ import annotations

import re

IMPORTS = frozenset(["require", "require_relative", "load", "require_dependency"])
MIXINS = frozenset(["include", "extend", "prepend"])
ATTRIBUTES = frozenset(
    ["attr_reader", "attr_writer", "attr_accessor", "attr", "cattr_accessor", "mattr_accessor", "class_attribute",
     "cattr_reader", "mattr_reader", "cattr_writer", "mattr_writer", "thread_mattr_accessor", "attribute"]
)  # fmt: skip
VISIBILITIES = frozenset(
    ["private", "public", "protected", "module_function", "private_class_method", "private_constant"]
)
SENDS = frozenset(["send", "public_send", "__send__", "method", "public_method", "instance_method", "try", "try!"])
EVALS = frozenset(["eval", "instance_eval", "class_eval", "module_eval", "instance_exec", "class_exec", "module_exec"])
CONSTANT_READS = frozenset(["const_get", "constantize", "safe_constantize"])
ASSOCIATIONS = frozenset(["has_many", "has_one", "belongs_to", "has_and_belongs_to_many"])
TRANSPARENT = frozenset(
    ["freeze", "dup", "clone", "itself", "tap", "presence", "to_a", "to_ary", "deep_dup", "with_indifferent_access"]
)
SAME_CONTAINER = frozenset(
    ["select", "reject", "filter", "sort", "sort_by", "reverse", "uniq", "compact", "take", "drop", "lazy", "shuffle",
     "take_while", "drop_while", "each", "each_with_index", "where", "order", "limit", "includes", "joins", "not"]
)  # fmt: skip
ELEMENT = frozenset(["first", "last", "detect", "sample", "min_by", "max_by", "pop", "shift", "fetch", "dig", "find"])
ITERATORS = frozenset(
    ["each", "map", "flat_map", "collect", "select", "reject", "filter", "filter_map", "find", "detect", "any?", "all?",
     "none?", "sort_by", "group_by", "partition", "sum", "count", "min_by", "max_by", "each_with_index", "map!",
     "each_with_object", "find_each", "index_by", "reverse_each", "delete_if", "find_index", "each_value", "uniq"]
)  # fmt: skip
FINDERS = frozenset(
    ["find", "find_by", "find_by!", "create", "create!", "find_or_create_by", "find_or_create_by!", "first", "first!",
     "last", "last!", "take", "build", "find_or_initialize_by", "instance", "allocate"]
)  # fmt: skip
RELATIONS = frozenset(["where", "all", "order", "includes", "joins", "limit", "not", "preload", "left_joins"])
PLAIN_RESULTS = {
    "to_s": "%str", "to_i": "%int", "to_f": "%float", "size": "%int", "length": "%int", "count": "%int",
    "join": "%str", "inspect": "%str", "to_sym": "%str", "to_h": "%dict", "keys": "%list", "name": "?",
}  # fmt: skip
GROUPS = frozenset(["describe", "context", "feature", "shared_examples", "shared_context", "shared_examples_for",
                    "fdescribe", "xdescribe", "fcontext", "xcontext"])  # fmt: skip
EXAMPLES = frozenset(["it", "specify", "example", "scenario", "test", "should", "its", "fit", "xit"])
SET_UPS = frozenset(["before", "after", "around", "setup", "teardown", "prepend_before", "append_after"])
LETS = frozenset(["let", "let!", "subject", "subject!"])
CLASS_MAKERS = frozenset(["Struct", "Class", "Module", "Data"])
HOOKED = re.compile(
    r"(?:(?:prepend|append|skip)_)?(?:before|after|around)(?:_\w+)?|validate|helper_method|set_callback|rescue_from"
    r"|register|hook|define_callbacks|on|callback|layout|default_scope|memoize|deprecate|ruby2_keywords|public_class_method"
).fullmatch
HOOK_OPTIONS = frozenset(["if", "unless", "with", "before", "after", "on_error", "handler", "action", "extend"])
SET_UP_METHODS = ("setup", "teardown", "before_setup", "after_teardown")
SPECIAL = frozenset(
    ["to_s", "to_str", "to_a", "to_ary", "to_h", "to_hash", "to_proc", "to_i", "to_sym", "inspect", "each", "call",
     "hash", "eql?", "coerce", "method_missing", "respond_to_missing?", "inherited", "included", "extended",
     "prepended", "method_added", "const_missing", "initialize_copy", "initialize_dup", "marshal_dump", "exit",
     "marshal_load", "to_json", "as_json", "to_enum", "write", "read", "close", "message", "deconstruct", "encode_with",
     "deconstruct_keys", "perform", "run", "init_with"]
)  # fmt: skip


def singular(word: str) -> str:
    """The singular of an English plural, well enough for the names of associations."""
    for end, other in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("uses", "us")):
        if word.endswith(end):
            return word[: -len(end)] + other
    known = {"people": "person", "children": "child", "men": "man", "data": "datum"}
    for plural, one in known.items():
        if word == plural or word.endswith("_" + plural):
            return word[: -len(plural)] + one
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def camelized(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in word.split("_"))
