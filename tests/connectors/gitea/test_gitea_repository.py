"""Addresses of repositories, also below a relative URL."""

from __future__ import annotations

import pytest

from connectors.gitea.repository import from_url
from pipeline.events.forges import Repository


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://codeberg.org/owner/repo", Repository("https://codeberg.org", "owner/repo")),
        ("https://codeberg.org/owner/repo/pulls/7#issuecomment-9", Repository("https://codeberg.org", "owner/repo")),
        ("http://host:3000/git/owner/repo/issues/7", Repository("http://host:3000/git", "owner/repo")),
        ("https://codeberg.org/owner", None),
        ("owner/repo", None),
        ("", None),
        (None, None),
    ],
)
def test_a_repository_is_found_in_its_addresses(url: str | None, repository: Repository | None) -> None:
    assert from_url(url) == repository
