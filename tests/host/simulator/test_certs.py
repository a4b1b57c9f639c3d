"""The simulator's certificates: their form, their sizes, and that an authority stays the same."""

import subprocess
import sys
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.errors import UserError
from host_tools.simulator import Simulator, keys
from host_tools.simulator.certs import CHAINS, WRONG, Authority


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


def test_the_default_chain_is_telegrams_in_form_and_size():
    with Simulator() as sim:
        authority = sim.authority
        sent = authority.certificates()
    assert [len(der(each)) for each in sent] == [1553, 1270, 1250, 1250]
    assert len(sim.ca_der) == 1200
    for each in sent:
        assert isinstance(each.public_key(), rsa.RSAPublicKey)
        assert each.public_key().key_size == 2048
    _, secure, cross_signed, class_2 = sent
    for below, above in zip(sent, [*sent[1:], class_2], strict=True):
        below.verify_directly_issued_by(above)
    trusted = x509.load_der_x509_certificate(sim.ca_der)
    trusted.verify_directly_issued_by(trusted)
    secure.verify_directly_issued_by(trusted)
    assert trusted.public_key() == cross_signed.public_key()
    assert trusted.subject == cross_signed.subject
    assert trusted.issuer != cross_signed.issuer


@pytest.mark.parametrize("kind", ["right", *WRONG])
@pytest.mark.parametrize("names", [("localhost",), ("localhost", "10.0.2.2", "board.example")])
def test_the_sizes_do_not_depend_on_the_names(kind, names):
    sizes = [len(der(each)) for each in Authority(names).certificates(kind)]
    assert sizes[0] == 1553
    assert 5200 < sum(sizes) < 5400


def test_the_other_chain_is_one_small_certificate():
    authority = Authority(chain="ec")
    (leaf,) = authority.certificates()
    assert len(der(leaf)) < 700
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(authority.der))


@pytest.mark.parametrize("chain", CHAINS)
def test_an_authority_is_the_same_again_in_another_process(chain, tmp_path):
    code = (
        "import sys; from pathlib import Path; from host_tools.simulator.certs import Authority;"
        f"sys.stdout.buffer.write(Authority(chain={chain!r}, folder=Path({str(tmp_path)!r})).der)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)
    ]
    first, second = (process.communicate()[0] for process in started)
    assert len(first) > 300
    assert first == second == Authority(chain=chain, folder=tmp_path).der
    assert first != Authority(chain=chain).der  # a folder's authority is its own
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_keys_are_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("COPEPOD_CACHE", str(tmp_path))
    Authority().context()
    keys._read_or_make.cache_clear()  # as in another process
    monkeypatch.setattr(keys, "_make", None)
    Authority().context()


def test_a_key_file_that_is_none_is_named(tmp_path):
    path = tmp_path / "rsa-root.key"
    path.write_text("no key")
    with pytest.raises(UserError, match="rsa-root.key: not a private key in PEM; delete it"):
        Authority(folder=tmp_path)


def test_a_folder_that_keeps_nothing_is_named():
    with pytest.raises(UserError, match="/proc/ca/rsa-root.key: "):
        Authority(folder=keys.Path("/proc/ca"))


def test_an_unknown_chain_is_refused():
    with pytest.raises(ValueError, match="no chain 'dsa'; there are rsa, ec"):
        Authority(chain="dsa")


def test_a_simulator_starts_in_no_time():
    Authority().context()
    began = time.process_time()
    for _ in range(10):
        Authority().context()
    assert time.process_time() - began < 1
