"""The words by which code asks who is there: what a guard is called, and what only looks like one.

Whoever decides about a route reads these: what holds a place for it (place/) and what a change takes away (verify/).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BODY_LINES = 12
"""How far below its head a handler is searched for the question."""

ASKS = re.compile(
    r"(?i)\b\w*(?:login_?required|permission_?required|requires?_?(?:auth|login|admin|api_?key|role|user|scope|session|logged)\w*|"
    r"auth_required|jwt_required|token_required|api_key_required|user_passes_test|authenticate\w*|authori[sz]e\w*|"
    r"ensure_?(?:auth|logged)\w*|is_?authenticated|is_?logged_?in|logged_?in_?\w*|verify_?(?:token|jwt|api_?key|auth|session)\w*|"
    r"check_?(?:auth|permission|token)\w*|current_?(?:active_?)?(?:super)?user|get_current\w*|IsAuthenticated|"
    r"LoginRequiredMixin|PermissionRequiredMixin|UserPassesTestMixin|get_?server_?session|hasRole|hasAuthority|PreAuthorize|"
    r"RolesAllowed|auth_?(?:middleware|guard)|protect(?:ed)?(?:_?(?:route|procedure))?)\b|"
    r"\bauth\.required\b|\bpassport\.|\bSecurity\s*\(|\bHTTPBearer\b|\bOAuth2\w*Bearer\b|\bDepends\(\s*\w*(?:auth|user|token|admin)\w*|"
    r"@Secured\b|\[Authorize|\bUseGuards\s*\(|\bsession\.get\(\s*[\"']\w*user|\bsession\[[\"':]\w*user|"
    r"\bif\s*\(?\s*!\s*(?:session|req\.user|ctx\.user|user)\b|\bgetSession\s*\(|\bawait auth\(\)"
)
"""A question in any line of code."""

NO_QUESTION = re.compile(
    r"(?i)(?<!passport)\.authenticate\(|optional|AllowAny|skip_before_action|authenticate_or_nothing|"
    r"def authenticate|anonymous|"
    r"@?allow_?unauthenticated"
)
"""What has the words of a question and asks nobody."""

RUBY_ASKS = re.compile(
    r":?(?:require_\w*(?:login|logged|user|admin|auth|moderator|member|session)\w*|authenticate_\w+!|authorize\w*|"
    r"ensure_\w+|login_required|verify_\w*(?:token|user|auth)\w*|doorkeeper_authorize!)"
)
"""What a before_action refuses by. `authenticate_user` without `!` mostly just looks whether somebody is there."""

RUBY_BEFORE = re.compile(r"^\s*(?:prepend_)?before_action\s+(.*)")

OPEN_PATHS = (
    (
        re.compile(
            r"(?i)(?:^|/)(?:health[\w-]*|ready|readyz|live|livez|liveness|readiness|ping|status|up|version|robots\.txt|favicon\w*)/?$"
        ),
        "a health check",
    ),
    (
        re.compile(
            r"(?i)(?:^|[/_-])(?:log_?in|sign_?in|log_?out|sign_?up|register|registration|access-token|token|oauth\w*|callback|password-recovery\w*|forgot\w*|reset\w*|password_resets?|verify-email)(?:[/_-]|$)"
        ),
        "a way to sign in",
    ),
    (re.compile(r"(?i)^/(?:static|assets|public|_next)(?:/|$)"), "files that anybody may have"),
)
"""Paths that nobody expects to ask, with the reason."""


def ruby_statement(lines: Sequence[str], number: int) -> str:
    """A statement of Ruby over as many lines as it has: each but the last ends in a comma or an open bracket."""
    text = ""
    for line in lines[number - 1 : number + 11]:
        text += line.partition(" #")[0].rstrip() + " "
        if not text.rstrip().endswith((",", "[", "(", "\\")) and text.count("[") <= text.count("]"):
            break
    return text


def ruby_covers(statement: str, action: str) -> bool:
    """Whether a before_action runs for this action. One with a condition of its own is not believed."""
    if re.search(r"\b(?:if|unless):|\b(?:if|unless)\s", statement):
        return False
    if re.search(r"\b(?:only|except)\b", statement) and not re.search(
        r"\b(?:only|except):\s*(?:%[iw][\[(]|\[|:)", statement
    ):
        return False
    for word, inside in (("only", True), ("except", False)):
        match = re.search(rf"\b{word}:\s*(%[iw][\[(][^\])]*[\])]|\[[^\]]*\]|:\w+)", statement)
        if match is not None:
            return (action in re.findall(r"\w+", match[1].removeprefix("%i").removeprefix("%w"))) is inside
    return True
