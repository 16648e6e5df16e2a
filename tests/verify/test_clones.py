"""Added lines that do what other lines do already: tokens, the index, and whole changes in real repositories."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.settings import Settings
from tidegate.verify.clones import check as clones
from tidegate.verify.clones.align import align
from tidegate.verify.clones.index import Listing, bring_up_to_date, index_tree, read_sources
from tidegate.verify.clones.languages import FAMILIES
from tidegate.verify.clones.prints import GRAM, WINDOW, hash_grams, winnow
from tidegate.verify.clones.segment import read_segment, segment_bytes
from tidegate.verify.clones.store import open_store
from tidegate.verify.clones.tokens import Reader, holds_tests, shape_of
from tidegate.verify.values import Part, Subject

DISCOUNT = '''
import decimal

def price_with_discount(order, customer, today):
    """What a customer pays."""
    total = decimal.Decimal(0)
    for line in order.lines:
        if line.cancelled:
            continue
        total += line.amount * line.price
    if customer.loyal and total > 100:
        total -= total * customer.share / 100
    if today.weekday() == 4:
        total = total.quantize(decimal.Decimal("0.05"))
    return max(total, order.smallest_total)
'''
RENAMED = (
    DISCOUNT.replace("price_with_discount", "sum_of_basket")
    .replace("total ", "amount_due ")
    .replace("total)", "amount_due)")
    .replace("total.", "amount_due.")
    .replace("(total,", "(amount_due,")
    .replace("customer", "buyer")
    .replace("100", "250")
    .replace("    ", "  ")
)
GAPPED = RENAMED.replace("    if line.cancelled:\n      continue\n", "    log.debug('a line', line)\n    count += 1\n")
OTHER = """
def read_ports(text):
    found = {}
    for number, row in enumerate(text.splitlines(), start=1):
        name, _, rest = row.partition("=")
        try:
            found[name.strip()] = int(rest, 0)
        except ValueError as error:
            raise SystemExit(f"line {number}: {error}") from error
    return sorted(found.items(), key=lambda item: item[1])
"""
GO = """
package shop

import "fmt"

// Total sums an order.
func Total(order *Order, rate float64) (float64, error) {
	sum := 0.0
	for _, line := range order.Lines {
		if line.Cancelled {
			continue
		}
		sum += line.Amount * line.Price
	}
	if sum < 0 {
		return 0, fmt.Errorf("negative total of %s", order.Name)
	}
	return sum * (1 + rate), nil
}
"""


def put(repo: Repo, files: dict[str, str | None], message: str = "Change") -> str:
    for name, text in files.items():
        target = repo.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            target.unlink()
        else:
            target.write_text(text)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message)
    return repo.git("rev-parse", "HEAD")


def ask(repo: Repo, change: str = "HEAD") -> Part:
    with open_repository(repo.path) as repository:
        read = read_change(read_ends(Question(change), repository), repository, Settings())
        before, after = (GitTree(repository, tree) for tree in (read.base_tree, read.head_tree))
        kept = repository.common_dir / "tidegate" / "verify"
        return clones.check(Subject(read, Trees(before, after, pairs_of(read)), Settings(), kept=kept))


def repo_with(path: Path, **files: str) -> Repo:
    repo = Repo.init(path)
    put(repo, {name.replace("__", "/") + ".py": text for name, text in files.items()})
    return repo


# Whole changes


def test_a_copy_is_named_with_both_places(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, pricing__discount=DISCOUNT, net__ports=OTHER)
    put(repo, {"shop/basket.py": OTHER.replace("read_ports", "x") + "\n\n" + DISCOUNT})
    part = ask(repo)
    copy, ports = sorted(part.fields["clones"], key=lambda fact: fact.other.path, reverse=True)
    assert (str(copy.other), copy.kind, copy.similarity) == ("pricing/discount.py:4-15", 1, 1.0)
    assert (str(copy.place), copy.lines) == ("shop/basket.py:16-27", 11)
    assert ports.other.path == "net/ports.py"
    finding = next(finding for finding in part.findings if finding.place == copy.place)
    assert finding.message == "these 11 added lines do what pricing/discount.py:4 does already"
    assert (finding.rule, finding.severity) == ("duplicate-logic", "low")
    assert part.fields["cloned_lines"] == copy.lines + ports.lines
    assert not part.unknowns


def test_renamed_and_changed_copies_are_found(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, pricing__discount=DISCOUNT)
    put(repo, {"a.py": RENAMED}, "Copy under other names")
    assert [fact.kind for fact in ask(repo).fields["clones"]] == [2]
    put(repo, {"a.py": GAPPED}, "Change")
    repo.git("checkout", "-q", "HEAD~2")
    put(repo, {"b.py": GAPPED}, "Copy with changes")
    (fact,) = ask(repo).fields["clones"]
    assert fact.kind == 3
    assert 0.7 <= fact.similarity < 1


def test_other_languages_are_read(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    put(repo, {"shop/total.go": GO})
    put(repo, {"web/sum.go": GO.replace("Total(", "Sum(").replace("sum", "result").replace("\t", "    ")})
    (fact,) = ask(repo).fields["clones"]
    assert (fact.other.path, fact.kind) == ("shop/total.go", 2)


def test_what_is_moved_is_no_clone(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, pricing__discount=DISCOUNT + "\n\n" + OTHER)
    put(repo, {"pricing/discount.py": DISCOUNT, "net/ports.py": OTHER})
    assert ask(repo).fields["clones"] == ()


def test_reindented_old_copies_are_no_news(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, one=DISCOUNT, two=DISCOUNT)
    put(repo, {"two.py": "class Prices:\n" + textwrap.indent(DISCOUNT, "    ")})
    assert ask(repo).fields["clones"] == ()


def test_a_copy_inside_one_change_is_said_once(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, net__ports=OTHER)
    put(repo, {"a.py": DISCOUNT, "b.py": DISCOUNT, "c.py": RENAMED})
    facts = ask(repo).fields["clones"]
    assert sorted(fact.place.path for fact in facts) == ["b.py", "c.py"]


def test_a_copy_among_many_comments_is_said_once(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, net__ports=OTHER)
    told = DISCOUNT.replace("\n    total", "\n    # and so on\n" + "\n" * 9 + "    total")
    put(repo, {"a.py": told, "b.py": told})
    assert [fact.place.path for fact in ask(repo).fields["clones"]] == ["b.py"]


def test_tests_are_known_by_what_they_define(tmp_path: Path) -> None:
    cases = {
        "checks.rs": "#[tokio::test]\nasync fn a() {}\n",
        "checks.mjs": "it('does', () => {})\n",
        "checks.cc": "TEST_F(A, B) {}\n",
    }
    assert all(holds_tests(text.encode() * 3) for text in cases.values())
    assert not holds_tests(b"items.map(it => it.test('x'))\ntested('a')\n" * 3)


def test_tables_tests_and_generated_files_are_left_out(tmp_path: Path) -> None:
    table = "COLOURS = {\n" + "".join(f'    "colour{n}": ({n}, {n}, {n}),\n' for n in range(40)) + "}\n"
    options = "".join(f'parser.add_argument("--option-{n}", type=int, default={n}, help="{n}")\n' for n in range(20))
    generated = "# Code generated by maker. DO NOT EDIT.\n" + DISCOUNT
    repo = repo_with(tmp_path, table=table, options=options, tests__test_a=DISCOUNT, made=generated)
    put(repo, {"table2.py": table, "options2.py": options, "tests/test_b.py": DISCOUNT, "new.py": DISCOUNT})
    assert ask(repo).fields["clones"] == ()


def test_few_lines_are_not_enough(tmp_path: Path) -> None:
    short = "\n".join(DISCOUNT.split("\n")[:9])
    repo = repo_with(tmp_path, discount=short)
    put(repo, {"copy.py": short})
    assert ask(repo).fields["clones"] == ()


def test_a_language_without_a_reader_is_unknown(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, a=OTHER)
    put(repo, {"run.pl": "print 1;\n" * 10})
    assert {unknown.path for unknown in ask(repo).unknowns} == {"verification.clones", "verification.cloned_lines"}
    assert "Perl (run.pl)" in ask(repo).unknowns[0].reason


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("X = '" + "x" * 6000 + "'\n", "has lines of more than 5,000 bytes"),
        ("# " + "x" * 90 + "\n", "is larger than 1 MB"),
        ("X = '\0'\n", "has added lines that git does not show"),
    ],
)
def test_added_lines_that_cannot_be_searched_are_unknown_and_elsewhere_counted(
    tmp_path: Path, more: str, why: str
) -> None:
    repo = repo_with(tmp_path, discount=DISCOUNT)
    put(repo, {"copy.py": DISCOUNT + more * (12_000 if "larger" in why else 1)})
    part = ask(repo)
    assert {unknown.path for unknown in part.unknowns} == {"verification.clones", "verification.cloned_lines"}
    assert part.unknowns[0].reason == f"copy.py {why}"
    put(repo, {"new.py": DISCOUNT})
    assert not ask(repo).unknowns
    with open_repository(repo.path) as repository:
        said = str(index_tree(repository, "HEAD", Settings()))
    count = 2  # new.py is the same as discount.py
    assert said.startswith(f"{count} of {count} source files are indexed, 1 of them by name alone")


def test_a_very_large_tree_is_read_by_the_command_and_kept_up_by_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clones, "MOST_IN_PASSING", 2)
    repo = repo_with(tmp_path, discount=DISCOUNT, ports=OTHER)
    (repo.path / "notes").mkdir()
    put(repo, {"copy.py": DISCOUNT, **{f"notes/{n}.txt": f"{n}\n" for n in range(20)}})
    part = ask(repo)
    assert part.unknowns[0].reason == (
        "23 files are too many to be read in passing: tidegate verify index reads them once"
    )
    with open_repository(repo.path) as repository:
        index_tree(repository, "HEAD~1", Settings())
    assert [fact.other.path for fact in ask(repo).fields["clones"]] == ["discount.py"]
    put(repo, {"late.py": OTHER.replace("found", "seen")})
    put(repo, {"again.py": OTHER.replace("found", "seen")})
    part = ask(repo)
    assert not part.unknowns
    assert [fact.other.path for fact in part.fields["clones"]] == ["late.py"]


# What is kept


def test_the_index_is_bounded_goes_on_and_says_what_is_missing(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, **{f"m{n}": OTHER.replace("found", f"found{n}") for n in range(9)})
    with open_repository(repo.path) as repository, open_store(tmp_path / "kept" / "a" / "b" / "c") as none:
        tree = repository.resolve("HEAD", "tree")
        sources = read_sources(repository, Listing(GitTree(repository, tree).oids(), tree), Settings())
        assert not none.usable
        (tmp_path / "kept").mkdir()
        with open_store(tmp_path / "kept" / "a" / "b" / "c") as store:
            first = bring_up_to_date(repository, store, sources, budget=3 * len(OTHER))
            assert (first.files, first.missing) == (9, 6)
            second = bring_up_to_date(repository, store, sources, near=["m8.py"], budget=1 << 20)
            assert (second.files, second.missing, second.kept) == (9, 0, True)
        assert not bring_up_to_date(repository, none, sources).kept
        assert str(index_tree(repository, "HEAD", Settings())) == "9 of 9 source files are indexed"


def test_a_broken_index_is_made_anew(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, discount=DISCOUNT, ports=OTHER)
    put(repo, {"copy.py": DISCOUNT})
    want = ask(repo)
    folder = repo.path / ".git" / "tidegate" / "verify" / "clones"
    (segment,) = [file for file in folder.iterdir() if file.name != "lock"]
    whole = segment.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 30)):
        broken = bytearray(whole)
        broken[at] ^= 0x41
        for file in folder.iterdir():
            file.unlink()
        segment.write_bytes(bytes(broken))
        answer = ask(repo)
        assert answer == want, at
    for content in (b"", b"TGCLONE1", whole[:-1], whole + b"0"):
        for file in folder.iterdir():
            file.unlink()
        segment.write_bytes(content)
        assert ask(repo) == want


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    repo = repo_with(tmp_path / "repo", discount=DISCOUNT)
    put(repo, {"copy.py": DISCOUNT})
    (tmp_path / "elsewhere").mkdir()
    (repo.path / ".git" / "tidegate").mkdir()
    (repo.path / ".git" / "tidegate" / "verify").symlink_to(tmp_path / "elsewhere")
    assert len(ask(repo).fields["clones"]) == 1
    assert not list((tmp_path / "elsewhere").iterdir())


def test_many_commits_leave_few_segments(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, discount=DISCOUNT)
    for number in range(10):
        put(repo, {f"m{number}.py": OTHER.replace("name", f"name{number}")})
        ask(repo)
    names = [file for file in (repo.path / ".git/tidegate/verify/clones").iterdir() if file.name != "lock"]
    assert len(names) < 8
    put(repo, {"copy.py": DISCOUNT})
    assert [fact.other.path for fact in ask(repo).fields["clones"]] == ["discount.py"]


# Tokens, fingerprints, alignment


@given(st.sampled_from(sorted(FAMILIES)), st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_have_tokens_in_order(family: str, content: bytes) -> None:
    tokens = Reader(family).read(content)
    assert len(tokens.codes) == len(tokens.lines)
    assert (np.diff(tokens.lines.astype(int)) >= 0).all()
    assert not len(tokens.lines) or tokens.lines[-1] <= content.count(b"\n") + 1
    segment = read_segment("s", segment_bytes([(bytes(20), tokens)]))
    assert segment is not None
    again = segment.tokens(0)
    assert again is not None
    assert (again.codes == tokens.codes).all()
    assert (again.lines == tokens.lines).all()


def test_layout_and_comments_make_no_difference() -> None:
    reader = Reader("python")
    laid_out = DISCOUNT.replace(" > ", ">").replace("\n    total", "\n    # more\n\n    total")
    assert (reader.read(DISCOUNT.encode()).codes == reader.read(laid_out.encode()).codes).all()
    one, other = (shape_of(reader.read(text.encode()).codes) for text in (DISCOUNT, RENAMED))
    assert (one == other).all()


@given(st.lists(st.integers(0, 5), min_size=GRAM + WINDOW - 1, max_size=60), st.data())
@settings(max_examples=100, deadline=None)
def test_what_two_files_share_leaves_a_common_fingerprint(shared: list[int], data: st.DataObject) -> None:
    around = st.lists(st.integers(0, 5), max_size=30)
    prints = []
    for _ in range(2):
        tokens = np.array([*data.draw(around), *shared, *data.draw(around)], np.uint32)
        hashes = hash_grams(tokens)
        prints.append(set(hashes[winnow(hashes, np.ones(len(hashes), bool))].tolist()))
    assert prints[0] & prints[1]


@given(st.lists(st.integers(0, 9), min_size=5, max_size=60), st.lists(st.integers(0, 9), min_size=5, max_size=60))
@settings(max_examples=200, deadline=None)
def test_blocks_are_equal_and_in_order(left: list[int], right: list[int]) -> None:
    seed = next(((i, j) for i in range(len(left)) for j in range(len(right)) if left[i] == right[j]), None)
    if seed is None:
        return
    at = there = 0
    for block in align(left, right, seed):
        assert block.left >= at
        assert block.right >= there
        at, there = block.left + block.length, block.right + block.length
        assert left[block.left : at] == right[block.right : there]
