"""What browsers and apps ask: it knows the others and nothing else."""

from __future__ import annotations

from shop.serve import call, run


def home(request):
    """A page of the catalogue, by name or by price."""
    page = int(request.get("page", 0))
    listing = call("catalog", f"/browse?page={page}&order={request.get('order', 'name')}")
    return {"items": listing["items"], "next": page + 1 if page + 1 < listing["pages"] else None}


def article(request):
    """One article, and what goes with it."""
    item = call("catalog", f"/item?id={request['id']}")
    others = [number for number in (item["id"] - 1, item["id"] + 1) if number > 0]
    near = call("catalog", "/items?ids=" + ",".join(str(number) for number in others))
    return {"item": item, "near": near["items"]}


def put(request):
    """Puts an article into a cart."""
    return call("cart", "/add", {"cart": request["cart"], "article": request["article"], "count": 1})


def basket(request):
    """What is in a cart, and what it would cost."""
    lines = call("cart", f"/show?cart={request['cart']}")["lines"]
    return {"lines": lines, "costs": call("checkout", f"/quote?cart={request['cart']}")}


def buy(request):
    """Pays for a cart."""
    return call("checkout", "/order", {"cart": request["cart"]})


ROUTES = {"/": home, "/article": article, "/put": put, "/basket": basket, "/buy": buy}

if __name__ == "__main__":
    run(ROUTES)
