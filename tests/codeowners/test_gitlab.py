"""CODEOWNERS as GitLab reads it: docs.gitlab.com "Syntax of CODEOWNERS file" and "Advanced CODEOWNERS"."""

from __future__ import annotations

import pytest

from tidegate.change.codeowners import Owners, parse_codeowners


def read(text: str) -> Owners:
    return parse_codeowners(text.encode(), "gitlab", ".gitlab/CODEOWNERS")


def owners_of(owners: Owners, path: str) -> dict[str, tuple[str, ...]]:
    return {o.section: o.owners for o in owners.owners_of(path.encode())}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "deep/down/.hidden", True),
        ("README.md", "README.md", True),
        ("README.md", "app/lib/README.md", True),
        ("README.md", "README.md/inside", False),
        ("internal/README.md", "internal/README.md", True),
        ("internal/README.md", "docs/api/internal/README.md", True),
        ("internal/README.md", "internal/x/README.md", False),
        ("/README.md", "README.md", True),
        ("/README.md", "docs/README.md", False),
        ("/docs/README.md", "docs/README.md", True),
        ("/docs/", "docs/a/b", True),
        ("/docs/", "docs", False),
        ("/docs/", "lib/docs/x", False),
        ("docs/", "lib/docs/x/y", True),
        ("/docs", "docs/x", False),
        ("/docs/*", "docs/index.md", True),
        ("/docs/*", "docs/api/index.md", False),
        ("/docs/*", "docs/.hidden", True),
        ("/docs/*.md", "docs/index.md", True),
        ("/docs/*.md", "docs/api/index.md", False),
        ("/docs/index.*", "docs/index.html", True),
        ("/docs/*spec*", "docs/qa_specs.rb", True),
        ("/docs/*spec*", "docs/runtime.spec", True),
        ("/docs/*/README.md", "docs/api/README.md", True),
        ("/docs/*/README.md", "docs/README.md", False),
        ("/docs/*/README.md", "docs/a/b/README.md", False),
        ("/docs/**/index.md", "docs/index.md", True),
        ("/docs/**/index.md", "docs/api/graphql/index.md", True),
        ("**/*.rb", "config/database.rb", True),
        ("**/*.rb", "app/controllers/users/stars_controller.rb", True),
        ("*.rb", "a/b.rb", True),
        ("*.rb", "a.rb/c", False),
        ("/docs/**", "docs/a/b", False),
        ("/docs/**", "docs/a", True),
        ("lib/**/x", "a/lib/b/c/x", True),
        ("[ab].md", "a.md", True),
        ("[ab].md", "c.md", False),
        ("[!a-c].md", "d.md", True),
        ("[^a-c].md", "b.md", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        (r"path\ with\ spaces/*.md", "path with spaces/x.md", True),
        (r"path\ with\ spaces/", "path with spaces/x/y", True),
        (r"\#file_with_pound.rb", "#file_with_pound.rb", True),
        (r"\#file_with_pound.rb", "sub/#file_with_pound.rb", True),
        (r"lit\*eral", "lit*eral", True),
        (r"lit\*eral", "litXeral", False),
        ("{a,b}", "a", False),
        ("A.md", "a.md", False),
    ],
)
def test_a_pattern(pattern: str, path: str, matches: bool) -> None:
    owners = read(f"{pattern} @owner\n")
    assert owners.findings == ()
    assert bool(owners.owners_of(path.encode())) is matches


def test_every_section_speaks_and_the_last_line_of_each_decides() -> None:
    owners = read(
        "* @admin\n"
        "[README Owners]\nREADME.md @user1 @user2\ninternal/README.md @user4\n"
        "[README other owners]\nREADME.md @user3\n"
    )
    assert owners_of(owners, "README.md") == {
        "": ("@admin",),
        "README Owners": ("@user1", "@user2"),
        "README other owners": ("@user3",),
    }
    assert owners_of(owners, "internal/README.md") == {
        "": ("@admin",),
        "README Owners": ("@user4",),
        "README other owners": ("@user3",),
    }


def test_a_line_without_owners_has_those_of_its_section() -> None:
    owners = read(
        "[Documentation] @docs-team\ndocs/\nREADME.md\n"
        "[Database] @database-team @agarcia\nmodel/db/\nconfig/db/database-setup.md @docs-team\n"
    )
    assert owners.findings == ()
    assert owners_of(owners, "docs/a") == {"Documentation": ("@docs-team",)}
    assert owners_of(owners, "model/db/a") == {"Database": ("@database-team", "@agarcia")}
    assert owners_of(owners, "config/db/database-setup.md") == {"Database": ("@docs-team",)}


def test_lines_before_the_first_section_are_not_overridden_by_sections() -> None:
    owners = read(
        "* @general-approvers\n[Documentation] @docs-team\ndocs/\nREADME.md\n*.txt\n"
        "[Database] @database-team\nmodel/db/\nconfig/db/database-setup.md @docs-team\n"
    )
    assert owners_of(owners, "model/db/CHANGELOG.txt") == {
        "": ("@general-approvers",),
        "Documentation": ("@docs-team",),
        "Database": ("@database-team",),
    }


@pytest.mark.parametrize(
    ("heading", "name", "approvals", "optional"),
    [
        ("[Docs]", "Docs", 1, False),
        ("^[Docs]", "Docs", 1, True),
        ("[Docs][2]", "Docs", 2, False),
        ("[Docs][5] @a @b", "Docs", 5, False),
        ("^[Docs][3] @a", "Docs", 3, True),
        ("[Two words] @a", "Two words", 1, False),
        ("[Docs] # a remark", "Docs", 1, False),
    ],
)
def test_a_heading(heading: str, name: str, approvals: int, optional: bool) -> None:
    owners = read(f"{heading}\n*.md @x\n")
    assert owners.findings == ()
    (ownership,) = owners.owners_of(b"a.md")
    assert (ownership.section, ownership.approvals, ownership.optional) == (name, approvals, optional)


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5", "99999999"])
def test_a_number_of_approvals_that_is_none_counts_as_one_and_is_a_finding(count: str) -> None:
    owners = read(f"[Docs][{count}]\n*.md @x\n")
    assert [(f.rule, f.place.line) for f in owners.findings] == [("codeowners-invalid-section", 1)]
    assert owners.owners_of(b"a.md")[0].approvals == 1


def test_sections_of_one_name_are_one_whatever_their_case_and_the_stricter_wins() -> None:
    owners = read(
        "[Documentation]\nee/docs/ @docs\ndocs/ @docs\n[Database]\nREADME.md @database\nmodel/db/ @database\n"
        "^[DOCUMENTATION][2]\nREADME.md @docs\n"
    )
    assert [(s.name, s.approvals, s.optional, len(s.rules)) for s in owners.sections] == [
        ("", 1, False, 0),
        ("Documentation", 2, False, 3),
        ("Database", 1, False, 2),
    ]


def test_an_exclusion_takes_a_file_out_of_its_section_for_good() -> None:
    owners = read("* @username\n!pom.xml\n[Ruby]\n*.rb @ruby-team\n!/config/**/*.rb\n/config/routes.rb @ops\n")
    assert owners.findings == ()
    assert owners_of(owners, "pom.xml") == {}
    assert owners_of(owners, "config/routes.rb") == {"": ("@username",)}
    assert owners_of(owners, "app/x.rb") == {"": ("@username",), "Ruby": ("@ruby-team",)}


def test_an_exclusion_holds_wherever_in_its_section_it_stands() -> None:
    owners = read("!*.rb\n* @default-owner\n/special/*.rb @ruby-owner\n")
    assert owners_of(owners, "special/x.rb") == {}
    assert owners_of(owners, "special/x.py") == {"": ("@default-owner",)}


def test_roles_groups_nested_groups_and_addresses_are_owners() -> None:
    owners = read(
        "file.md @@developer @@maintainers @group-x/subgroup-y @group/with-nested/subgroup jane@example.com\n"
    )
    assert owners.findings == ()
    assert len(owners_of(owners, "file.md")[""]) == 5


def test_malformed_owners_are_left_out() -> None:
    owners = read("/path/* @group user_without_at_symbol @user_with_at_symbol\n")
    assert [f.rule for f in owners.findings] == ["codeowners-invalid-owner"]
    assert owners_of(owners, "path/x") == {"": ("@group", "@user_with_at_symbol")}


def test_owners_that_a_remark_names_are_owners_because_gitlab_has_no_remarks_behind_a_line() -> None:
    owners = read("/docs/**/*.md @markdown-docs  # ask @jane in any case\n")
    assert owners.findings == ()
    assert owners_of(owners, "docs/x.md") == {"": ("@markdown-docs", "@jane")}


@pytest.mark.parametrize("text", ["docs/\n", "docs/ nobody\n", "[Docs]\ndocs/\n"])
def test_a_line_without_any_owner_is_a_doubt_where_gitlab_lets_everybody_through(text: str) -> None:
    owners = read(f"* @all\n{text}")
    assert owners.findings
    assert [o.doubt != "" for o in owners.owners_of(b"docs/x")][-1]


def test_a_heading_that_is_not_closed_opens_nothing_and_is_a_finding() -> None:
    owners = read("* @group\n\n[Section name\ndocs/ @docs_group\n")
    assert [(f.rule, f.place.line) for f in owners.findings] == [("codeowners-invalid-section", 3)]
    assert owners_of(owners, "README") == {"": ("@group",)}
    assert owners_of(owners, "docs/x") == {"": ("@docs_group",)}


def test_a_line_that_counted_on_the_owners_of_a_lost_heading_is_in_doubt() -> None:
    owners = read("[Docs] @docs\n*.md\n[Security @security\nauth/\n")
    (ownership,) = owners.owners_of(b"auth/login.py")
    assert ownership.owners == ()
    assert "line 3" in ownership.doubt


@pytest.mark.parametrize("pattern", ["[ab", "a[]b", "x[z-a]", "a[/]b", "a\\/b"])
def test_a_group_that_is_none_leaves_a_doubt(pattern: str) -> None:
    owners = read(f"* @all\nsrc/{pattern} @x\n")
    assert [f.rule for f in owners.findings] == ["codeowners-invalid-pattern"]
    assert owners.owners_of(b"README")[0].doubt
