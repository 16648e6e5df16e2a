"""Stack traces of five languages, and the files that their frames mean."""

from __future__ import annotations

import string
import time

from hypothesis import given
from hypothesis import strategies as st

from tidegate.operate.frames import Files, place, read_traces
from tidegate.operate.trace_formats import MOST_FRAMES, Trace
from tidegate.operate.values import Frame


def only(text: str) -> Trace:
    (found,) = read_traces(text)
    return found


def innermost(trace: Trace) -> tuple[str, int, str]:
    last = trace.frames[-1]
    return last.file, last.line, last.function


def test_python_with_the_cause_and_what_it_led_to() -> None:
    first, second = read_traces(
        """2026-01-01 ERROR in app
Traceback (most recent call last):
  File "/app/src/shop/basket.py", line 12, in total
    return sum(prices)
           ^^^^^^^^^^^
KeyError: 'price'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/src/shop/views.py", line 40, in show
    basket.total()
shop.errors.Broken: no total
more of the log
"""
    )
    assert (first.kind, first.message, innermost(first)) == (
        "KeyError",
        "'price'",
        ("/app/src/shop/basket.py", 12, "total"),
    )
    assert (second.kind, second.message) == ("shop.errors.Broken", "no total")


def test_python_behind_the_prefix_of_a_log() -> None:
    trace = only(
        'web | Traceback (most recent call last):\nweb |   File "/srv/a.py", line 3, in f\nweb | ValueError: x\n'
    )
    assert (trace.kind, innermost(trace)) == ("ValueError", ("/srv/a.py", 3, "f"))


def test_what_pytest_prints() -> None:
    trace = only(
        "tests/test_a.py:9: in test_it\n    f()\nsrc/a.py:4: in f\n    g()\nE   ZeroDivisionError: division by zero\n"
    )
    assert (trace.kind, trace.message, innermost(trace)) == (
        "ZeroDivisionError",
        "division by zero",
        ("src/a.py", 4, "f"),
    )


def test_javascript_of_both_kinds() -> None:
    v8 = only(
        "TypeError: x is undefined\n    at total (/srv/app/src/basket.js:7:11)\n    at async Promise.all (index 0)\n"
        "    at /srv/app/src/index.js:3:1\n".replace("    at async Promise.all (index 0)\n", "")
    )
    assert (v8.kind, innermost(v8)) == ("TypeError", ("/srv/app/src/basket.js", 7, "total"))
    assert v8.frames[0] == Frame(file="/srv/app/src/index.js", line=3)
    gecko = only(
        "Error: no\ntotal@https://shop.example/static/basket.js:7:11\n@https://shop.example/static/index.js:3:1\n"
    )
    assert innermost(gecko) == ("https://shop.example/static/basket.js", 7, "total")


def test_java_says_which_exception_caused_which() -> None:
    outer, inner = read_traces(
        """Exception in thread "main" java.lang.IllegalStateException: cannot start
\tat com.shop.Main.run(Main.java:20)
\tat com.shop.Main.main(Main.java:8)
Caused by: java.lang.NullPointerException: price
\tat com.shop.basket.Basket$Line.total(Basket.java:31)
\tat app//com.shop.Main.run(Main.java:18)
\t... 1 more
"""
    )
    assert (outer.kind, innermost(outer)) == ("java.lang.IllegalStateException", ("com/shop/Main.java", 20, "Main.run"))
    assert inner.kind == "java.lang.NullPointerException"
    assert innermost(inner) == ("com/shop/basket/Basket.java", 31, "Basket$Line.total")


def test_go_names_the_goroutine_that_panicked() -> None:
    trace = only(
        """panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
shop/basket.Total({0xc000012345, 0x3, 0x3})
\t/build/shop/basket/basket.go:14 +0x1d
main.(*App).Run(0x4)
\t/build/shop/main.go:9 +0x2b
goroutine 7 [sleep]:
shop/idle.Wait()
\t/build/shop/idle/idle.go:3 +0x1d
"""
    )
    assert trace.message.startswith("runtime error: index out of range")
    assert innermost(trace) == ("/build/shop/basket/basket.go", 14, "basket.Total")
    assert [frame.file for frame in trace.frames] == ["/build/shop/main.go", "/build/shop/basket/basket.go"]


def test_ruby_of_old_and_new() -> None:
    trace = only(
        "/app/lib/basket.rb:5:in `total': undefined method `price' for nil (NoMethodError)\n"
        "\tfrom /app/lib/shop.rb:11:in `run'\n"
    )
    assert (trace.kind, innermost(trace)) == ("NoMethodError", ("/app/lib/basket.rb", 5, "total"))
    assert len(trace.frames) == 2


def test_text_without_a_trace_has_none() -> None:
    assert read_traces("nothing is wrong\nat noon\nFile it under x\n") == ()


def test_a_trace_that_recurses_keeps_both_ends() -> None:
    rows = "".join(f'  File "a.py", line {number}, in f\n' for number in range(1, 2000))
    trace = only(f"Traceback (most recent call last):\n{rows}RecursionError: deep\n")
    assert len(trace.frames) == MOST_FRAMES
    assert (trace.frames[0].line, trace.frames[-1].line) == (1, 1999)


@given(st.text(alphabet=string.printable, max_size=400))
def test_any_text_is_read(text: str) -> None:
    for trace in read_traces(f"Traceback (most recent call last):\n{text}\n    at x (y:1:1)\n{text}"):
        assert trace.frames


@given(st.lists(st.sampled_from(("app", "srv", "usr/src", "home/ci/build-7")), max_size=3))
def test_the_folder_in_front_does_not_matter(folders: list[str]) -> None:
    files = Files(["src/shop/basket.py", "src/shop/views.py", "tools/basket.py"])
    found = files.place(Frame(file="/" + "/".join([*folders, "src/shop/basket.py"]), line=3))
    assert found.path == "src/shop/basket.py"


def test_what_cannot_be_placed_says_why() -> None:
    files = ("a/util.py", "b/util.py", "src/com/shop/Main.java", "lib/x.py")
    frames = [
        "/x/util.py",
        "/usr/lib/python3/site-packages/click/util.py",
        "/usr/lib/python3/site-packages/a/util.py",
        "com/shop/Main.java",
        "other.py",
        "/etc/y/x.py",
        "",
    ]
    told = [(one.path, one.reason) for one in place([Frame(file=f, line=1) for f in frames], files)]
    assert told == [
        ("", "2 files could be meant, a/util.py among them"),
        ("", "code of the platform or of a package"),
        ("a/util.py", ""),
        ("src/com/shop/Main.java", ""),
        ("", "no file of this revision has that name"),
        ("", "only the name is that of lib/x.py, its folder is not"),
        ("", "the frame names no file"),
    ]


def test_a_part_of_a_python_trace_is_one() -> None:
    trace = only(
        'log:\n  File "/venv/lib/python3.9/site-packages/shop/core.py", line 25, in total\n    x\nKeyError: k\n'
    )
    assert (trace.kind, trace.message, trace.frames[0].line) == ("KeyError", "k", 25)
    assert read_traces('  File "x.py", line 3\n') == ()


def test_java_as_crash_reporters_print_it() -> None:
    console = (
        "java.lang.IllegalStateException: no\n  at shop.ws.Socket.run (Socket.java:39)\n  at shop.Main.go (Main.java)\n"
    )
    bare = "Fatal Exception: shop.Broken\nshop.ws.Socket.run + 39(Socket.java:39)\nshop.Main.go (Main.java)\n"
    for text in (console, bare):
        trace = only(text)
        assert innermost(trace) == ("shop/ws/Socket.java", 39, "Socket.run")
        assert trace.frames[0] == Frame(file="shop/Main.java", line=0, function="Main.go")
    placed = Files(["core/src/main/java/shop/ws/Socket.kt"]).place(only(bare).frames[-1])
    assert placed.path == "core/src/main/java/shop/ws/Socket.kt"


def test_ruby_as_rails_rspec_and_old_terminals_print_it() -> None:
    rails = only("NoMethodError (undefined method `a' for nil:NilClass):\n  \nrack (2.2.0) lib/rack/x.rb:6:in `call'\n")
    assert (rails.kind, innermost(rails)) == ("NoMethodError", ("lib/rack/x.rb", 6, "call"))
    rspec = only("build\t15:03:35\t  # ./lib/rack/x.rb:6:in `call'\nbuild\t15:03:35\t  # ./lib/y.rb:7:in `z'\n")
    assert innermost(rspec) == ("./lib/rack/x.rb", 6, "call")
    counted = only(
        "Traceback (most recent call last):\n\t2: from a.rb:9:in `<main>'\n\t1: from b.rb:5:in `x'\n"
        "c.rb:1:in `y': no y (NameError)\n"
    )
    assert (counted.kind, counted.message, innermost(counted)) == ("NameError", "no y", ("c.rb", 1, "y"))
    assert [frame.file for frame in counted.frames] == ["a.rb", "b.rb", "c.rb"]


def test_what_a_go_server_says_before_its_goroutine() -> None:
    trace = only(
        "http: panic serving 10.0.0.1:5: no price\ngoroutine 24 [running]:\nmain.f()\n\t/go/src/app/a.go:3 +0x1\n"
    )
    assert trace.message == "no price"


def test_code_of_packages_and_of_the_platform_is_not_ours() -> None:
    files = Files(["context.go", "lib/send.js", "decoder.py", "a/b.rb"], packages=("acme", "a", "github.com/acme/gin"))
    foreign = (
        "/usr/local/go/src/context/context.go",
        "/usr/lib/go-1.15/src/net/context.go",
        "/go/pkg/mod/github.com/other/gin@v1.7.3/context.go",
        "github.com/other/gin@v1.7.3/context.go",
        "/usr/lib/python3.11/json/decoder.py",
        "/srv/node_modules/other/lib/send.js",
        "/gems/other-1.2/a/b.rb",
    )
    assert [files.place(Frame(file=file, line=1)).path for file in foreign] == [""] * len(foreign)
    own = {
        "/go/src/app/context.go": "context.go",
        "/go/pkg/mod/github.com/acme/gin@v1.7.3/context.go": "context.go",
        "github.com/acme/gin@v1.7.3-rc.1/context.go": "context.go",
        "/srv/node_modules/acme/lib/send.js": "lib/send.js",
        "/gems/a-1.2.0.rc1/a/b.rb": "a/b.rb",
    }
    assert {file: files.place(Frame(file=file, line=1)).path for file in own} == own
    (v8,) = read_traces("Error: x\n    at Server.emit (events.js:214:7)\n")
    assert not v8.frames[0].own


def test_a_text_of_beginnings_is_read_once() -> None:
    began = time.process_time()
    for line in ("panic: x\n", "goroutine 1 [running]:\n", "Traceback (most recent call last):\n", "a.b(" * 400 + "\n"):
        assert read_traces(line * 10_000) == ()
    assert time.process_time() - began < 3
