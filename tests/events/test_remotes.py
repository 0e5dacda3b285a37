from __future__ import annotations

import pytest

from pipeline.events.remotes import commit, image_tag, repository

SHA = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop/", "acme/shop"),
        ("https://user:pass@gitlab.example.com/group/sub/shop.git", "group/sub/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("github.com:acme/shop", "acme/shop"),
        ("ssh://git@host.example.com:7999/proj/shop.git", "proj/shop"),
        ("https://bitbucket.example.com/scm/proj/shop.git", "proj/shop"),
        ("https://dev.azure.com/org/Fiber/_git/shop", "Fiber/shop"),
        ("https://org@dev.azure.com/org/Fiber/_git/shop", "Fiber/shop"),
        ("https://org.visualstudio.com/_git/shop", "shop/shop"),
        ("https://dev.azure.com/org/DefaultCollection/_git/shop", "shop/shop"),
        ("git@ssh.dev.azure.com:v3/org/Fiber/shop", "Fiber/shop"),
        ("acme/shop", "acme/shop"),
        ("shop", None),
        ("oci://ghcr.io/acme/shop", None),
        ("file:///srv/git/shop.git", None),
        ("", None),
        (None, None),
    ],
)
def test_one_repository_has_one_name(remote: str | None, name: str | None) -> None:
    assert repository(remote) == name


@pytest.mark.parametrize(
    ("revision", "sha"),
    [
        (SHA, SHA),
        (f"main@sha1:{SHA}", SHA),
        (f"main/{SHA}", SHA),
        (f"build-{SHA}", SHA),
        ("731f7ea", None),
        ("sha256:" + "a" * 64, None),
        ("6.5.4", None),
        (None, None),
    ],
)
def test_a_commit_is_a_full_sha(revision: str | None, sha: str | None) -> None:
    assert commit(revision) == sha


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("nginx:1.19-alpine", "1.19-alpine"),
        ("registry.example.com:5000/acme/shop:1.4.2@sha256:abc", "1.4.2"),
        ("registry.example.com:5000/acme/shop", None),
        (None, None),
    ],
)
def test_tag_of_an_image(image: str | None, tag: str | None) -> None:
    assert image_tag(image) == tag
