"""Path building and name checks as two public collections have them; see corpora.py, which also prints the whole table."""

from __future__ import annotations

import ssl

import pytest

from tests.tls.corpora import BETTERTLS, LIMBO, Unservable, bettertls_cases, is_accepted, limbo_cases, ours, standard

needs_limbo = pytest.mark.skipif(not LIMBO.exists(), reason="x509-limbo lies beside the repository, and is not there")
needs_bettertls = pytest.mark.skipif(not BETTERTLS.exists(), reason="BetterTLS lies beside the repository, and is not there")

EVERY = 40  # of the 9,491 cases on name constraints, which take minutes


@needs_limbo
def test_the_verdict_is_openssls_in_every_case_of_limbo():
    verdicts = {}
    for case in limbo_cases():
        try:
            verdicts[case.id] = (is_accepted(case, ours), is_accepted(case, standard), case.is_good)
        except Unservable:
            continue
    assert len(verdicts) >= 170
    assert [id for id, (our, their, _) in verdicts.items() if our != their] == []
    if ssl.create_default_context().verify_flags & ssl.VERIFY_X509_STRICT:
        assert sum(our == good for our, _, good in verdicts.values()) >= 124
    assert verdicts["crl::revoked-certificate-with-crl"][0] is False


@needs_bettertls
def test_no_path_of_bettertls_is_accepted_wrongly():
    cases = [case for case, _ in bettertls_cases("pathbuilding")]
    assert [case.id for case in cases if is_accepted(case, ours) and not case.is_good] == []


@needs_bettertls
def test_name_constraints_are_judged_rightly():
    wrong = []
    for case, _ in bettertls_cases("nameconstraints")[::EVERY]:
        try:
            if is_accepted(case, ours) != case.is_good:
                wrong.append(case.id)
        except Unservable:
            continue
    assert wrong == []
