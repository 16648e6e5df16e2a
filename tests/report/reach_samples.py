"""Answers about reach, written by hand, that every format is tried on."""

from __future__ import annotations

from typing import Any

from tests.report.samples import BASE, HEAD, HOSTILE
from tidegate.reach.answer import (
    ChangedSymbol,
    CoChange,
    Completeness,
    EntryPoint,
    Expert,
    Hop,
    ReachAnswer,
    ReachedService,
    ReachedSymbol,
    ReachedTest,
    Service,
    ServiceCall,
    SymbolId,
)


def id_(text: str) -> SymbolId:
    path, _, name = text.partition(":")
    return SymbolId(path, name)


def changed(place: str, what: str, line: int = 1, **more: Any) -> ChangedSymbol:
    known: dict[str, Any] = {"kind": "function", "end_line": line + 9, "side": "head", **more}
    return ChangedSymbol(symbol=id_(place), what=what, line=line, **known)  # type: ignore[arg-type]


def reached(place: str, toward: str, probability: float, distance: int = 1, **more: Any) -> ReachedSymbol:
    known: dict[str, Any] = {
        "kind": "function",
        "line": 10,
        "origin": id_(toward),
        "rule": "call",
        "evidence": "static",
        "via_line": 12,
        **more,
    }
    return ReachedSymbol(symbol=id_(place), toward=id_(toward), probability=probability, distance=distance, **known)


def answer(**more: Any) -> ReachAnswer:
    known: dict[str, Any] = {
        "asked": "main..HEAD",
        "base": BASE,
        "head": HEAD,
        "changed": (),
        "reached": (),
        "tests": (),
        "entry_points": (),
        "services": (),
        "owners": (),
        "experts": (),
        "reviewers": (),
        "co_changes": (),
        "completeness": Completeness(files=120),
        "verdict": "some",
    }
    return ReachAnswer(**{**known, **more})


def small() -> ReachAnswer:
    return answer(
        changed=(changed("shop/pay.py:charge", "body", 12),),
        reached=(
            reached("shop/cart.py:Cart.checkout", "shop/pay.py:charge", 0.99, via_line=88, line=80),
            reached("shop/api.py:post_order", "shop/cart.py:Cart.checkout", 0.97, 2, via_line=31, line=28),
        ),
        tests=(ReachedTest(id_("tests/test_cart.py:TestCart.test_checkout"), 0.95, "static"),),
        entry_points=(
            EntryPoint("http", "POST /orders", "POST", "/orders", "flask", id_("shop/api.py:post_order"), 28, 0.97),
        ),
        owners=("@shop/payments",),
        completeness=Completeness(files=120, calls=900, unresolved=81),
    )


def rich() -> ReachAnswer:
    """Something of everything, more than one screen can hold."""
    api = [
        reached(f"shop/api/orders.py:handler_{number}", "shop/cart.py:Cart.checkout", 0.9 - number / 100, 2)
        for number in range(9)
    ]
    jobs = [
        reached(f"jobs/job_{number}.py:run", "shop/cart.py:Cart.refund", 0.6 - number / 100, 2, rule="name")
        for number in range(30)
    ]
    shop = Service("shop", "dockerfile", "Dockerfile", ("shop",), "@shop/payments", "critical", True, rate=120.0)
    mail = Service("mail", "compose", "compose.yaml", ("mail",), calls=(ServiceCall("shop", "http://shop", 0.8),))
    return answer(
        changed=(
            changed("shop/pay.py:charge", "signature", 12),
            changed("shop/pay.py:refund", "deleted", 41, side="base"),
            changed("shop/pay.py:LIMIT", "constant", 3, kind="constant"),
            changed("shop/money.py:round_up", "renamed", 7, was=id_("shop/util.py:round_up")),
            changed("shop/rates.sql", "file", 4, kind="file"),
            changed("shop/cart.py:Cart", "docs", 4),
            changed("shop/cart.py:Cart.size", "format", 9),
        ),
        reached=(
            reached("shop/cart.py:Cart.checkout", "shop/pay.py:charge", 0.999, via_line=88, evidence="recorded"),
            reached("shop/cart.py:Cart.refund", "shop/pay.py:refund", 0.98, via_line=95),
            *api,
            *jobs,
            reached("shop/plugin.py:Plugin.run", "shop/money.py:round_up", 0.31, rule="getattr-prefix", via_line=5),
        ),
        tests=tuple(
            ReachedTest(
                id_(f"tests/test_cart.py:test_{number}"), 0.95 - number / 50, "recorded" if number < 2 else "static"
            )
            for number in range(9)
        ),
        entry_points=(
            EntryPoint(
                "http", "POST /orders", "POST", "/orders", "flask", id_("shop/api/orders.py:handler_0"), 28, 0.9, 3.456
            ),
            EntryPoint(
                "http", "GET /orders/{id}", "GET", "/orders/{id}", "flask", id_("shop/api/orders.py:handler_1"), 40
            ),
            EntryPoint("command", "shop refund", "", "", "click", id_("shop/cli.py:refund"), 11, 0.8),
            EntryPoint("job", "nightly", "", "", "celery", id_("jobs/job_1.py:run"), 5, 0.59, 12.0),
        ),
        services=(
            ReachedService(shop, 0.99, "built", "shop/pay.py"),
            ReachedService(mail, 0.7, "calls", "calls shop at http://shop"),
        ),
        owners=("@shop/payments", "@shop/platform"),
        experts=(Expert("Alice Smith", 0.62, 83, "2026-04-01", "wrote 62 % of these lines, last on 2026-04-01"),),
        reviewers=("Bob Jones", "@shop/payments"),
        co_changes=(
            CoChange(id_("shop/tax.py:vat"), id_("shop/pay.py:charge"), 14, 17, 0.82, "2026-03-02"),
            CoChange(id_("docs/pay.md"), id_("shop/pay.py"), 9, 17, 0.53, "2026-03-02"),
        ),
        completeness=Completeness(
            files=431,
            unread=(("shop/broken.py", "syntax"),),
            unread_total=1,
            unsupported=(("PHP", 12), ("Perl", 1)),
            calls=9000,
            unresolved=810,
            boundaries=7,
            map_age=41,
        ),
        notes=("the recorded map is of the commit 1a1a1a1",),
    )


def nothing() -> ReachAnswer:
    return answer(
        changed=(changed("shop/pay.py:charge", "docs", 12), changed("shop/pay.py:refund", "format", 40)),
        verdict="none",
        completeness=Completeness(files=120, calls=900, map_age=0),
    )


def unknown() -> ReachAnswer:
    return answer(
        changed=(changed("shop/pay.php", "file", 1, kind="file"),),
        verdict="unknown",
        completeness=Completeness(
            files=120, unsupported=(("PHP", 12),), tests_known=False, truncated="more than 60 s of work"
        ),
    )


def asked() -> ReachAnswer:
    return answer(
        asked="shop/pay.py:charge",
        base="",
        changed=(changed("shop/pay.py:charge", "asked", 12),),
        reached=(reached("shop/cart.py:Cart.checkout", "shop/pay.py:charge", 0.99, via_line=88),),
    )


def graph(total: int, *, files: int = 0, roots: int = 2) -> ReachAnswer:
    """Many symbols in several files and folders, each a step further out; always the same ones."""
    files = files or max(2, total // 8)
    symbols: list[ReachedSymbol] = []
    origins = [changed(f"core/base_{n}.py:Base{n}.run", "body", 10 + n) for n in range(roots)]
    for number in range(total):
        if number < max(3, total // 12):
            parent, distance, probability = str(origins[number % roots].symbol), 1, 0.99
        else:
            # Knuth's multiplicative hash: spread, and the same on every run.
            above = symbols[(number * 2654435761 % 2**32) % max(1, number * 2 // 3)]
            parent, distance, probability = str(above.symbol), above.distance + 1, above.probability * 0.93
        file = (number * 7) % files
        folder = ("api", "jobs/nightly", "shop/cart", "admin", "lib/text")[file % 5]
        symbols.append(
            reached(
                f"{folder}/module_{file}.py:Class{number % 5}.method_{number}",
                parent,
                round(probability, 4),
                distance,
                origin=origins[0].symbol,
                rule=("call", "dispatch", "name", "import")[number % 4],
                evidence="recorded" if number % 5 == 0 else "static",
                via_line=number + 1,
            )
        )
    symbols.sort(key=lambda symbol: (-symbol.probability, symbol.symbol))
    entries = tuple(
        EntryPoint("http", f"GET /thing/{n}", "GET", f"/thing/{n}", "flask", s.symbol, s.line, s.probability)
        for n, s in enumerate(symbols[3 :: max(4, total // 12)])
    )
    return answer(
        changed=tuple(origins),
        reached=tuple(symbols),
        entry_points=entries[:14],
        completeness=Completeness(files=files + 40, calls=total * 9, unresolved=total),
    )


def hostile(text: str = HOSTILE) -> ReachAnswer:
    """Every text of an answer is foreign."""
    symbol, other = SymbolId(f"a/{text}.py", text), SymbolId(f"b/{text}", f"{text}2")
    service = Service(text, text, text, (text,), text, calls=(ServiceCall(text, text, 1.0),), hosts=(text,))
    return answer(
        asked=text,
        base=text,
        head=text,
        changed=(
            ChangedSymbol(symbol, text, "renamed", 1, 2, "head", other),
            ChangedSymbol(SymbolId(text, ""), "file", "file", 1, 2, "head"),
        ),
        reached=(
            ReachedSymbol(other, text, 3, 0.5, 1, symbol, symbol, text, "static", 4),
            *(
                ReachedSymbol(SymbolId(f"c{n}/{text}", text), text, 3, 0.4, 2, symbol, other, text, "recorded", 4)
                for n in range(4)
            ),
        ),
        tests=(ReachedTest(symbol, 0.5, "static"), ReachedTest(SymbolId("-x.py", "t"), 0.5, "static")),
        entry_points=(EntryPoint("http", text, text, text, text, other, 3, 0.5, 1.5, (text,)),),
        services=(ReachedService(service, 0.5, "built", text),),
        owners=(text,),
        experts=(Expert(text, 0.5, 3, text, text),),
        reviewers=(f"{text}!",),
        co_changes=(CoChange(other, symbol, 3, 4, 0.75, text),),
        completeness=Completeness(
            files=1, unread=((text, text),), unread_total=1, unsupported=((text, 1),), calls=2, unresolved=1,
            truncated=text,
        ),
        notes=(text,),
    )  # fmt: skip


def paths() -> tuple[tuple[Hop, ...], ...]:
    test, api, cart, pay = (
        id_("tests/test_api.py:test_order"),
        id_("shop/api.py:post_order"),
        id_("shop/cart.py:Cart.checkout"),
        id_("shop/pay.py:charge"),
    )
    return (
        (
            Hop(test, api, "call", 0.9, "recorded", 14),
            Hop(api, cart, "call", 1.0, "static", 31),
            Hop(cart, pay, "dispatch", 0.8, "static", 88),
        ),
        (Hop(test, pay, "name", 0.2, "static", 15),),
    )
