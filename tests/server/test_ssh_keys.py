"""An SSH key is registered by whoever holds it, and by nobody who only knows its public half."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.approvals.keys import FileKey
from tests.server.conftest import Made
from tidegate.errors import InputError
from tidegate.ledger import sshsig
from tidegate.server import ssh_keys
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.store import keys


@pytest.fixture
def who(made: Made) -> Who:
    return Who(made.people["approver"], "approver", "approver", None, "0" * 64)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> FileKey:
    return FileKey.make(tmp_path_factory.mktemp("keys") / "key")


def test_whoever_holds_a_key_registers_it_once(made: Made, who: Who, key: FileKey) -> None:
    asked = ssh_keys.question(made.service, who)
    assert asked.text.startswith("I hold this key and register it for approver at http://127.0.0.1:8787 ")
    signature = sshsig.armour(key.sign(asked.text.encode(), asked.namespace))
    added = ssh_keys.add(made.service, who, signature, "desk")
    assert (added.person, added.kind, added.public.decode()) == (who.person, "ssh", key.line)
    with made.service.database.read() as connection:
        assert keys.of_person(connection, who.person) == (added,)
    with pytest.raises(InputError, match="before"):
        ssh_keys.add(made.service, who, signature, "desk")


def test_what_proves_nothing(made: Made, who: Who, key: FileKey) -> None:
    asked = ssh_keys.question(made.service, who)
    text = asked.text.encode()
    others = structs.replace(who, person=made.people["admin"], name="admin"), structs.replace(who, session="1" * 64)
    refused = [
        key.sign(text),  # for the namespace of approvals
        key.sign(text, "file"),
        key.sign(text + b"\n", asked.namespace),
        key.sign(b"", asked.namespace),
        *(key.sign(ssh_keys.question(made.service, other).text.encode(), asked.namespace) for other in others),
    ]
    for signature in refused:
        with pytest.raises(InputError):
            ssh_keys.add(made.service, who, sshsig.armour(signature), "desk")
    for nothing in ("", key.line, "x" * 30_000, sshsig.armour(b"SSHSIG")):
        with pytest.raises(InputError):
            ssh_keys.add(made.service, who, nothing, "desk")
    with pytest.raises(Problem, match="session"):
        ssh_keys.question(made.service, structs.replace(who, session=""))
    with made.service.database.read() as connection:
        assert keys.of_person(connection, who.person) == ()


def test_a_proof_is_no_approval(key: FileKey) -> None:
    """The namespaces differ: what was signed for one is never taken for the other."""
    assert ssh_keys.NAMESPACE != sshsig.NAMESPACE
    proof = key.sign(b"anything", ssh_keys.NAMESPACE)
    with pytest.raises(InputError):
        sshsig.verify(b"anything", proof, sshsig.parse_key(key.line))
