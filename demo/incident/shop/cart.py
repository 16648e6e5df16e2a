"""What somebody wants to buy, until they buy it."""

from __future__ import annotations

import threading

from shop.serve import call, run

CARTS: dict[str, dict[int, int]] = {}
LOCK = threading.Lock()
MOST_CARTS = 500


def add(request):
    """Puts some of an article into a cart."""
    name, article, count = request["cart"], int(request["article"]), int(request.get("count", 1))
    with LOCK:
        cart = CARTS.setdefault(name, {})
        cart[article] = cart.get(article, 0) + count
        while len(CARTS) > MOST_CARTS:
            CARTS.pop(next(iter(CARTS)))
    return {"articles": len(cart)}


def show(request):
    """What is in a cart, with the articles as the catalogue has them."""
    with LOCK:
        cart = dict(CARTS.get(request["cart"], {}))
    if not cart:
        return {"lines": []}
    found = call("catalog", "/items?ids=" + ",".join(str(article) for article in cart))
    return {"lines": [{"item": item, "count": cart[item["id"]]} for item in found["items"]]}


def clear(request):
    """Empties a cart."""
    with LOCK:
        CARTS.pop(request["cart"], None)
    return {"articles": 0}


ROUTES = {"/add": add, "/show": show, "/clear": clear}

if __name__ == "__main__":
    run(ROUTES)
