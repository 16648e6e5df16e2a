"""Text that wants out: a hypothesis strategy of everything that has ever meant something to a sink."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = (
    "\x1b[31m", "\x1b]8;;http://evil.test\x07", "\x9b2J", "\x07", "\x08", "\r", "\n", "\r\n", "\t", "\x00", "\x7f",
    "\x85", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\u200f", "\ufeff",
    "\U000e0041", "\U000e0001", "\u3164", "\u2800", "\ufe0f", "\u0301", "\u0489", "\u00a0", "\u3000", "\u00ad",
    "\ud800", "\udce9", "::error::x", "::set-output name=x::y", "::stop-commands::x", "##[error]x", "##[add-mask]x",
    "##vso[x]", "##teamcity[x]", "@octocat", "@org/team", "me@evil.test", "#1", "GH-12", "owner/repo#3", "!4", "&5",
    "~label", "%milestone", "$6", "$x$", "http://evil.test", "https://evil.test/a?b=c", "HTTPS://EVIL.TEST",
    "ftp://evil.test", "www.evil.test", "mailto:x@y.zz", "<script>alert(1)</script>", "<img src=x onerror=y>",
    "<!--", "-->", "<!-- tidegate:check -->", "</details>", "</summary>", "<details>", "<https://evil.test>",
    "&lt;", "&#64;", "&amp;", "[x](http://evil.test)", "![x](y)", "[x][y]", "[x]: http://evil.test", "[^1]", "`",
    "``", "```", "~~~", "*", "**", "_", "__", "~~", "# ", "## ", "> ", "- ", "+ ", "1. ", "1) ", "---", "===", "|",
    "\\|", "\\", "\\\\", "    ", "- [ ] ", ":smile:", ":+1:", "/close", "{0}", "{{0}}", "](", "$(id)", "`id`", "; ",
    "; tidegate x", "tidegate x", "git x", "%0A", "%25", "%", ",", ":", "::", "=", "漢字", "é", "👩‍💻", "a", " ",
    "word", "../..", "/etc/passwd", "x" * 300,
)  # fmt: skip

hostile_text = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(alphabet=st.characters(), max_size=6)), max_size=12
).map("".join)
