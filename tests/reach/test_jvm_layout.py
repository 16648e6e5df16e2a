"""Packages of Java and Kotlin: which files they are made of, and what a file sees without an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import process_time

from tidegate.reach.languages.interface import Layout
from tidegate.reach.languages.java import JAVA
from tidegate.reach.languages.kotlin import KOTLIN


class Contents:
    """Files by path, and which of them were asked for."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = files or {}
        self.asked: list[str] = []

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        self.asked += paths
        return {path: self.files[path] for path in paths if path in self.files}


def java(packages: Mapping[str, str], others: Sequence[str] = (), contents: Contents | None = None) -> Layout:
    return JAVA.read_layout(packages, [*packages, *others], (contents or Contents()).read)


def test_a_package_is_found_in_every_source_root() -> None:
    layout = java(
        {
            "core/src/main/java/com/acme/A.java": "com.acme",
            "web/src/main/java/com/acme/B.java": "com.acme",
            "web/src/main/java/com/acme/web/C.java": "com.acme.web",
        }
    )
    both = ("core/src/main/java/com/acme/A.java", "web/src/main/java/com/acme/B.java")
    assert layout.find("com.acme", "web/src/main/java/com/acme/web/C.java") == both
    assert layout.visible(both[0]) == (both[1],)
    assert layout.find("com.nobody", both[0]) == ()


def test_only_tests_see_tests() -> None:
    main, test = "src/main/java/com/acme/A.java", "src/test/java/com/acme/ATest.java"
    layout = java({main: "com.acme", test: "com.acme"})
    assert layout.visible(main) == ()
    assert layout.visible(test) == (main,)
    assert layout.find("com.acme", main) == (main,)
    assert layout.find("com.acme", test) == (main, test)


def test_the_other_language_s_files_follow_from_source_roots() -> None:
    contents = Contents()
    layout = java(
        {"app/java/com/acme/A.java": "com.acme", "app/java/com/acme/sub/B.java": "com.acme.sub"},
        ["app/java/com/acme/K.kt", "app/java/com/acme/sub/deep/L.kt", "app/README.md"],
        contents,
    )
    assert layout.visible("app/java/com/acme/A.java") == ("app/java/com/acme/K.kt",)
    assert layout.visible("app/java/com/acme/K.kt") == ("app/java/com/acme/A.java",)
    assert layout.find("com.acme.sub.deep", "app/java/com/acme/A.java") == ("app/java/com/acme/sub/deep/L.kt",)
    assert contents.asked == []


def test_customary_roots_need_no_known_file() -> None:
    layout = KOTLIN.read_layout(
        {"src/test/kotlin/com/acme/KTest.kt": "com.acme"},
        ["src/test/kotlin/com/acme/KTest.kt", "src/main/java/com/acme/A.java", "src/main/java/com/acme/web/B.java"],
        Contents().read,
    )
    assert layout.visible("src/test/kotlin/com/acme/KTest.kt") == ("src/main/java/com/acme/A.java",)
    assert layout.find("com.acme.web", "src/test/kotlin/com/acme/KTest.kt") == ("src/main/java/com/acme/web/B.java",)


def test_a_kotlin_root_that_leaves_out_the_prefix_is_asked_once_a_folder() -> None:
    contents = Contents({"src/main/kotlin/web/A.kt": b"// x\n@file:Y\npackage com.acme.web\n"})
    layout = java(
        {"src/main/java/com/acme/Main.java": "com.acme"},
        ["src/main/kotlin/web/A.kt", "src/main/kotlin/web/B.kt"],
        contents,
    )
    files = ("src/main/kotlin/web/A.kt", "src/main/kotlin/web/B.kt")
    assert layout.find("com.acme.web", "src/main/java/com/acme/Main.java") == files
    assert contents.asked == ["src/main/kotlin/web/A.kt"]


def test_the_nameless_package_is_that_of_one_folder() -> None:
    layout = java({"a/A.java": "", "a/B.java": "", "b/C.java": ""})
    assert layout.visible("a/A.java") == ("a/B.java",)


def test_a_type_written_small_is_found_by_its_file() -> None:
    layout = java({"src/main/java/com/acme/tool.java": "com.acme", "src/main/java/com/acme/A.java": "com.acme"})
    assert layout.find("com.acme.tool", "src/main/java/com/acme/A.java") == ("src/main/java/com/acme/tool.java",)


def test_scripts_are_seen_by_nobody() -> None:
    layout = KOTLIN.read_layout(
        {"build.gradle.kts": "", "Main.kt": ""}, ["build.gradle.kts", "Main.kt"], Contents().read
    )
    assert layout.visible("Main.kt") == ()
    assert layout.visible("build.gradle.kts") == ()


def test_three_thousand_files_take_no_time() -> None:
    packages = {
        f"m{module}/src/main/java/com/acme/m{module}/p{package}/C{number}.java": f"com.acme.m{module}.p{package}"
        for module in range(10)
        for package in range(10)
        for number in range(20)
    }
    others = [path.replace("/C", "/K").removesuffix("java") + "kt" for path in packages if path.endswith("0.java")]
    best = 1.0
    for _ in range(5):
        start = process_time()
        layout = JAVA.read_layout(packages, [*packages, *others], Contents().read)
        best = min(best, process_time() - start)
    assert len(layout.find("com.acme.m1.p1", "")) == 22
    assert best < 0.03
