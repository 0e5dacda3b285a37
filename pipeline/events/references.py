"""References: what a text mentions. A mention is a candidate; identity decides later whether such a thing exists.

So a lookalike (`UTF-8`, `KIP-101`) or a typo (`KAKFA-1`) costs nothing but a candidate that resolves to nothing,
and no list of known projects has to be kept here. Coding assistants are the exception: which ones there are, and how
they sign, is the table `ASSISTANTS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.events.types import Ref, RefVia

#: More mentions than this in one text are a pasted list, not a link.
MAX_REFS = 20

# A key is not part of a longer word, path or number: CVE-2026-1234 and v1.ABC-1.2 are none; a tracker's link has one.
_KEY = re.compile(r"(?:(?<![\w./-])|(?<=/browse/))([A-Z][A-Z0-9_]{1,19}-[1-9]\d{0,8})(?![\w-]|\.\d)")
_BRANCH_KEY = re.compile(r"(?:^|[/_-])([A-Za-z][A-Za-z0-9]{1,19}-[1-9]\d{0,8})(?=$|[/_-])")
_NUMBER = re.compile(r"(?<![\w/&])(?:([\w.-]+/[\w.-]+))?#([1-9]\d{0,8})\b")
_GITHUB_URL = re.compile(r"https?://[\w.-]+/([\w.-]+/[\w.-]+)/(?:-/)?issues/([1-9]\d{0,8})\b")
_TRAILER = re.compile(
    r"^[ \t]*(initiative|incident)s?[ \t]*:[ \t]*(\S[^\r\n]{0,199})\r?$", re.IGNORECASE | re.MULTILINE
)
_MAX_TEXT = 20_000


class Assistant(NamedTuple):
    """A coding assistant and the ways in which it signs. Names and addresses are in lower case."""

    name: str
    #: Beginnings of names that mean nothing else, as an alternation of a regular expression.
    names: str = ""
    #: Words that are names of people or things as well; they count where nobody else can be meant.
    words: tuple[str, ...] = ()
    #: Whole addresses, or domains with nothing but the assistant behind them.
    addresses: tuple[str, ...] = ()
    #: Logins of its accounts. A login that a person could have is none, save with the suffix of an app.
    accounts: tuple[str, ...] = ()
    #: Beginnings of the addresses of its sessions, as an alternation.
    links: str = ""


ASSISTANTS: tuple[Assistant, ...] = (
    Assistant(
        "claude",
        names=r"claude[ -](?:code|opus|sonnet|haiku|instant|ai|agent|v?\d)",
        words=("claude",),
        addresses=("noreply@anthropic.com", "anthropic.com"),
        accounts=("claude[bot]", "claude-code[bot]", "claude-ai[bot]"),
        links=r"claude\.(?:ai|com)/(?:claude-)?code\b",
    ),
    Assistant(
        "copilot",
        names=r"github[ -]copilot|copilot[ -](?:swe|agent|workspace|chat|cli)",
        words=("copilot",),
        addresses=("copilot@github.com",),
        accounts=("copilot", "copilot-swe-agent", "copilot-swe-agent[bot]", "copilot-pull-request-reviewer[bot]"),
    ),
    Assistant(
        "cursor",
        names=r"cursor[ -](?:agent|ai|bot)|cursoragent",
        words=("cursor",),
        addresses=("cursoragent@cursor.com", "agent@cursor.com"),
        accounts=("cursor[bot]", "cursoragent"),
        links=r"cursor\.com/(?:background-agent|agents?)\b",
    ),
    Assistant(
        "devin",
        names=r"devin[ -]ai",
        words=("devin",),
        addresses=("devin.ai",),
        accounts=("devin-ai-integration[bot]", "devin-ai[bot]", "devin[bot]"),
        links=r"app\.devin\.ai/sessions/",
    ),
    Assistant("aider", names=r"aider \(", words=("aider",), addresses=("aider.chat",), accounts=("aider[bot]",)),
    Assistant(
        "gemini",
        names=r"(?:google[ -])?gemini[ -](?:code|cli|pro|flash|ultra|\d)|google gemini",
        words=("gemini",),
        addresses=("google.com",),
        accounts=("gemini-code-assist[bot]", "gemini-cli[bot]", "gemini-cli"),
    ),
    Assistant(
        "codex",
        names=r"(?:openai|chatgpt)[ -]codex|codex[ -](?:cli|agent)",
        words=("codex",),
        addresses=("codex@openai.com", "openai.com"),
        accounts=("codex[bot]", "openai-codex[bot]", "chatgpt-codex-connector[bot]"),
        links=r"chatgpt\.com/(?:s/cd_|codex/tasks/)",
    ),
    Assistant("chatgpt", names=r"chat[ -]?gpt|gpt-?\d", addresses=("chatgpt@openai.com",), accounts=("chatgpt[bot]",)),
    Assistant(
        "jules",
        names=r"google[ -](?:labs[ -])?jules",
        words=("jules",),
        accounts=("google-labs-jules[bot]", "google-labs-jules", "jules[bot]"),
        links=r"jules\.google(?:\.com)?/task",
    ),
    Assistant(
        "amp", names=r"amp (?:code|agent)|sourcegraph amp", words=("amp",), addresses=("amp@ampcode.com", "ampcode.com")
    ),
    Assistant("windsurf", words=("windsurf",), addresses=("windsurf.com",), accounts=("windsurf-bot[bot]",)),
    Assistant("cline", words=("cline",), addresses=("cline.bot",), accounts=("cline[bot]",)),
    Assistant("roo", names=r"roo[ -]code", addresses=("roocode.com",), accounts=("roomote[bot]", "roomote-agent")),
    Assistant("openhands", names=r"openhands\b", addresses=("openhands@all-hands.dev",), accounts=("openhands-agent",)),
    Assistant("opencode", words=("opencode",), addresses=("noreply@opencode.ai",), accounts=("opencode-agent[bot]",)),
    Assistant(
        "amazon-q", names=r"amazon[ -]q\b", accounts=("amazon-q-developer[bot]",), addresses=("amazonq@amazon.com",)
    ),
    Assistant("kiro", names=r"kiro[ -](?:agent|cli)", words=("kiro",), addresses=("kiro.dev",)),
    Assistant("junie", names=r"jetbrains[ -]junie", words=("junie",), accounts=("jetbrains-junie[bot]",)),
    Assistant("gitlab-duo", names=r"gitlab[ -]duo", accounts=("gitlabduo", "gitlab-duo")),
    Assistant("rovo-dev", names=r"rovo[ -]dev", accounts=("rovodev[bot]", "rovo-dev[bot]")),
    Assistant("factory", names=r"factory[ -]droid", words=("factory-droid",), accounts=("factory-droid[bot]",)),
    Assistant("sweep", names=r"sweep[ -]ai", accounts=("sweep-ai[bot]", "sweep-ai-deprecated[bot]")),
    Assistant("codegen", accounts=("codegen-sh[bot]",)),
    Assistant("coderabbit", names=r"code[ -]?rabbit(?:ai)?", accounts=("coderabbitai[bot]",)),
)

_ACCOUNTS = {account: each.name for each in ASSISTANTS for account in each.accounts}
_ADDRESSES = {address: each.name for each in ASSISTANTS for address in each.addresses if "@" in address}
_WORDS = {word: each for each in ASSISTANTS for word in each.words}
_NAMES = [(each.name, re.compile(rf"[\W_]*(?:{each.names})", re.IGNORECASE)) for each in ASSISTANTS if each.names]
_LINKS = [(each.name, re.compile(rf"https://(?:www\.)?(?:{each.links})")) for each in ASSISTANTS if each.links]
_FIRST_WORD = re.compile(r"[\W_]*([a-z][a-z-]*?)(?=-?\d|[^\w -]|\s*[^\w\s-]|\s*$)")
#: Local parts behind which no person is, whatever the domain.
_NOBODY = frozenset({"noreply", "no-reply", "bot", "agent"})
_GITHUB_ADDRESS = "users.noreply.github.com"
_HELPED = re.compile(
    r"^[ \t]*(?:(?:ai-)?assisted|(?:ai-)?generated|co-authored|co-developed|authored)-by[ \t]*:[ \t]*([^\r\n]{1,300})",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"(?P<name>[^<]*)(?:<(?P<address>[^<>\s]*)>)?")
_MADE_WITH = re.compile(
    r"^[^\w\n\[]{0,12}(?:(?:auto-?)?generated (?:with|by|using)|(?:created|made|written|built) (?:with|using)) "
    r"(?:\[([^\]\n]{1,60})\]\(|([^\r\n]{1,60}?)[^\w\r\n)]*\r?$)",
    re.IGNORECASE | re.MULTILINE,
)


def in_text(text: str | None, via: RefVia, repo: str | None = None) -> list[Ref]:
    """Return the tickets that a text mentions, and the names in its `Initiative:` and `Incident:` lines.

    `#12` means an issue of `repo` and is left out when `repo` is None. Order is that of the text; each once; at most
    `MAX_REFS`. Reads the first 20,000 characters and the last 2,000, where trailers stand.
    """
    if not text:
        return []
    text = _shortened(text)
    found: dict[Ref, None] = {}
    for kind, names in _TRAILER.findall(text):
        for name in names.split(","):
            if name.strip():
                found[Ref("initiative" if kind.lower() == "initiative" else "incident", name.strip(), "trailer")] = None
    for key in _KEY.findall(text):
        found[Ref("ticket", key, via)] = None
    for other, number in _GITHUB_URL.findall(text):
        found[Ref("ticket", f"{other}#{number}", via)] = None
    for other, number in _NUMBER.findall(text):
        if other or repo:
            found[Ref("ticket", f"{other or repo}#{number}", via)] = None
    return list(found)[:MAX_REFS]


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "\n" + text[-2_000:]


def in_branch(branch: str | None) -> list[Ref]:
    """Return the ticket keys in a branch name, whatever their case: `feature/grow-12-faster` mentions `GROW-12`."""
    if not branch:
        return []
    return [Ref("ticket", key.upper(), "branch") for key in dict.fromkeys(_BRANCH_KEY.findall(branch[:500]))][:MAX_REFS]


def in_labels(labels: Iterable[str]) -> list[Ref]:
    """Return one reference for each label."""
    return [Ref("label", label, "label") for label in dict.fromkeys(labels) if label][:100]


def merge(*groups: Iterable[Ref]) -> list[Ref]:
    """Return all references of `groups`, each once, sorted, so that the same mentions always make the same list."""
    return sorted({ref for group in groups for ref in group})


def assistant_in(text: str | None) -> str | None:
    """Return the coding assistant that a text names as its author or helper, by its product's name (`claude`), or None.

    Read are trailers (`Co-authored-by:`, `Assisted-by:`, `Generated-by:`), a line such as `Generated with [Claude
    Code](...)`, and links to an assistant's session. Of several the one named first in this order counts. A name that
    people bear too (`Co-authored-by: Devin Booker <devin@acme.example>`) is none. As much is read as by `in_text`.
    """
    if not text:
        return None
    text = _shortened(text)
    for signature in _HELPED.findall(text):
        found = _SIGNATURE.match(signature.strip())
        if found and (helper := assistant_signature(found["name"], found["address"])):
            return helper
    for link, line in _MADE_WITH.findall(text):
        if helper := assistant_signature(link or line):
            return helper
    return next((name for name, links in _LINKS if links.search(text)), None)


def assistant_signature(name: str | None, address: str | None = None) -> str | None:
    """Return the coding assistant that signs with a name and an address, or None if it may be a person."""
    address = (address or "").strip().lower()
    local, _, domain = address.partition("@")
    login = local.rpartition("+")[2]
    if address in _ADDRESSES:
        return _ADDRESSES[address]
    if domain == _GITHUB_ADDRESS and (found := assistant_account(login)):
        return found
    named = (name or "").strip().lower()
    certain = next((product for product, names in _NAMES if names.match(named)), None)
    if certain:
        return certain
    word = _FIRST_WORD.match(named)
    product = _WORDS.get(word[1]) if word else None
    if product is None:
        return None
    its_own = domain in product.addresses or (domain == _GITHUB_ADDRESS and login in product.words)
    return product.name if not address or its_own or local in _NOBODY else None


def assistant_account(login: str | None) -> str | None:
    """Return the coding assistant whose account has this login, by its product's name, or None.

    Accounts of other automations (`dependabot[bot]`, `renovate[bot]`, `github-actions[bot]`) are none.
    """
    return _ACCOUNTS.get(login.strip().lower()) if login else None
