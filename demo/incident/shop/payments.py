"""Takes money. The bank answers within some milliseconds."""

from __future__ import annotations

import random
import time

from shop.serve import Refused, run

CURRENCIES = ("EUR", "USD")
MOST = 1_000_000
BANK_SECONDS = 0.05


def ask_bank(amount, currency, timeout=BANK_SECONDS):
    """The bank's number of the payment. Raises TimeoutError where it takes longer than `timeout`."""
    takes = min(0.002 + random.expovariate(1 / 0.002), 0.03)
    time.sleep(min(takes, timeout))
    if takes > timeout:
        raise TimeoutError(f"the bank did not answer within {timeout} s")
    if not isinstance(amount, int):
        raise ValueError(f"the bank takes cents, not {amount!r}")
    return f"{currency}-{amount}-{random.randrange(1 << 32):08x}"


def charge(request):
    """Charges an amount in cents."""
    amount, currency = request["amount"], request["currency"]
    if currency not in CURRENCIES:
        raise Refused(422, f"no payments in {currency}")
    if not 0 < amount <= MOST:
        raise Refused(422, f"no payment of {amount}")
    return {"payment": ask_bank(amount, currency)}


ROUTES = {"/charge": charge}

if __name__ == "__main__":
    run(ROUTES)
