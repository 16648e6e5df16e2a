"""Turns a cart into an order: what it costs, with discounts, postage and tax, and the payment."""

from __future__ import annotations

from shop.serve import Refused, call, run

TAX = 19
FREE_POSTAGE_FROM = 5000
POSTAGE = 490


def price_of(line):
    """Cents of a line of the cart, its discount taken off."""
    item = line["item"]
    discount = item.get("discount", 0)
    return line["count"] * item["price"] * (100 - discount) // 100


def postage_of(lines, goods):
    """Cents for sending it; a heavy parcel costs double."""
    if goods >= FREE_POSTAGE_FROM:
        return 0
    weight = sum(line["count"] * line["item"].get("weight", 0) for line in lines)
    return POSTAGE * 2 if weight > 2000 else POSTAGE


def quote(request):
    """What an order would cost."""
    lines = call("cart", "/show?cart=" + request["cart"])["lines"]
    goods = sum(price_of(line) for line in lines)
    postage = postage_of(lines, goods) if lines else 0
    total = goods + postage
    return {"goods": goods, "postage": postage, "tax": total * TAX // (100 + TAX), "total": total}


def order(request):
    """Pays for a cart and empties it."""
    costs = quote(request)
    if not costs["total"]:
        raise Refused(409, "the cart is empty")
    paid = call("payments", "/charge", {"amount": costs["total"], "currency": "EUR", "cart": request["cart"]})
    call("cart", "/clear", {"cart": request["cart"]})
    return {"payment": paid["payment"], **costs}


ROUTES = {"/quote": quote, "/order": order}

if __name__ == "__main__":
    run(ROUTES)
