"""Lines that a change tries to carry to where nobody counts them."""

from __future__ import annotations

import pytest

from tests.attacks.lab import Lab, lab

__all__ = ["lab"]

LOGIN = "".join(f"def check_{n}(user):\n    return user.name == NAMES[{n}]\n" for n in range(30))
SCRIPT = "".join(f"export const price{n} = {n}\n" for n in range(30))


@pytest.mark.parametrize(
    "path", ["README.js", "LICENSE_check.js", "shop/.core/engine.js", ".github/tool.js", "shop/docs.patch.js"]
)
def test_code_counts_as_code_whatever_it_is_called(lab: Lab, path: str) -> None:
    lab.start()
    lab.attack({path: SCRIPT}, "Add it")
    answer = lab.check()
    assert answer.facts["change"]["source_lines_added"] == 30
    assert "annotation-required" in answer.rules


@pytest.mark.parametrize("path", ["tests/login.py", "vendor/login.py", "login.generated.py", "docs/README.py", "a.txt"])
def test_a_renamed_file_stays_what_it_was(lab: Lab, path: str) -> None:
    lab.start({"auth/login.py": LOGIN})
    lab.attack({"auth/login.py": None, path: LOGIN + "let_in = True\n"})
    answer = lab.check()
    (file,) = answer.facts["change"]["files"]
    assert (file["status"], file["kind"], file["critical"]) == ("renamed", "source", True)
    assert answer.facts["change"]["source_lines_added"] == 1
    assert answer.rules == ("critical-lines-verified", "ai-critical-two-humans")


def test_a_file_that_is_deleted_in_a_critical_domain_by_an_agent_needs_two_people(lab: Lab) -> None:
    lab.start({"auth/login.py": LOGIN})
    lab.attack({"auth/login.py": None})
    assert lab.check().rules == ("ai-critical-two-humans",)


def test_lines_that_an_agent_takes_out_of_a_critical_domain_need_two_people(lab: Lab) -> None:
    lab.start({"auth/login.py": LOGIN})
    lab.attack({"auth/login.py": LOGIN[:200]})
    assert lab.check().rules == ("critical-lines-verified", "ai-critical-two-humans")


def test_what_a_person_deletes_there_asks_for_no_more_than_before(lab: Lab) -> None:
    lab.start({"auth/login.py": LOGIN})
    lab.attack({"auth/login.py": LOGIN[: LOGIN.index("def check_9")]}, "Delete old checks\n\nWhy: nobody calls them.")
    assert lab.check().code == 0


@pytest.mark.parametrize("path", ["shop/Auth/guard.php", "src/PAYMENTS/Do.cs", "Infra/Terraform/main.tf"])
def test_capitals_do_not_hide_a_sensitive_folder(lab: Lab, path: str) -> None:
    lab.start()
    lab.attack({path: "x = 1\n"})
    assert lab.check().facts["change"]["critical_domains"]


@pytest.mark.parametrize("text", ["\n", "# nothing\n", "\n\n   # a\n\t\n"])
def test_an_empty_test_is_no_test(lab: Lab, text: str) -> None:
    lab.start()
    lab.attack({"shop/price.js": SCRIPT, "tests/test_price.py": text})
    answer = lab.check()
    assert answer.facts["change"]["test_lines_added"] == 0
    assert answer.rules == ("ai-changes-carry-tests", "ai-changes-prove")


@pytest.mark.parametrize("why", ["\u200b", "\u3164", "\u2800", "..,", "<!-- a reason -->"])
def test_a_reason_that_cannot_be_seen_is_none(lab: Lab, why: str) -> None:
    lab.start()
    lab.attack({"auth/login.py": LOGIN, "tests/test_login.py": "assert login\n"}, f"Add it\n\nWhy: {why}")
    assert "intent-stated" in lab.check().rules


def test_a_zero_byte_does_not_make_code_a_binary_file(lab: Lab) -> None:
    lab.start()
    lab.attack({"shop/price.js": f"// \0\n{SCRIPT}"}, "Add it")
    assert "facts-complete" in lab.check().rules


@pytest.mark.parametrize(
    "text", [SCRIPT.replace("\n", "\r"), SCRIPT.replace("\n", ";") * 20], ids=["bare CR", "one line"]
)
def test_a_line_without_end_is_not_counted_as_one(lab: Lab, text: str) -> None:
    lab.start()
    lab.attack({"shop/price.js": text}, "Add it")
    assert "facts-complete" in lab.check().rules


def test_lines_that_end_in_crlf_are_lines(lab: Lab) -> None:
    lab.start()
    lab.attack({"shop/price.js": SCRIPT[:200].replace("\n", "\r\n")}, "Add it")
    assert lab.check().code == 0


def test_attributes_do_not_make_code_a_binary_file(lab: Lab) -> None:
    lab.start()
    lab.attack({"shop/price.js": SCRIPT, ".gitattributes": "*.js binary -diff\n"}, "Add it")
    assert "annotation-required" in lab.check().rules
