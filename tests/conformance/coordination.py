"""Work between teams from real trackers: their answers are told, folded, and compared with their own histories.

Every expectation is worked out from the raw JSON, or from what Apache DevLake derived of it, by `jira_histories` and
`lifelines`: neither a connector nor the fold has a part in it. Leadline keeps the second of a change in Jira, so that
all copies of it are one event; the instants of the histories are cut alike.

Known differences, which are not counted as failures: DevLake calls the statuses of a change by their present names,
Leadline as the changelog does, so that DevLake's category of a word is looked up by the second of the change.
DevLake's collection has issues whose own status tells another category than its table of statuses; the table counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from connectors.jira import CONNECTOR as JIRA
from pipeline.events.delivery import Translation
from pipeline.events.types import TicketMoved, TicketUpdated
from tests.conformance import github, gitlab, jira
from tests.conformance.devlake_rows import key_of
from tests.conformance.folded import Folded, Words, folded_under, team_of
from tests.conformance.jira_histories import (
    DEVLAKE,
    Issues,
    devlake_status_rows,
    devlake_words,
    expected,
    expected_edges,
    histories,
    own_words,
    steps,
    us,
)
from tests.conformance.lifelines import UNMAPPED, Episode
from tests.conformance.told import Row, Told, row, same, tell

_FORGE = {"open": "ready", "opened": "ready", "closed": "done"}


def check(root: Path) -> list[Row]:
    """Return (name, checked, failed, note) for each comparison; `root` is the folder of the real data."""
    issues = {item.body["key"]: item for item in jira.tables(root) if item.kind == "rest.issue"}
    own, theirs = own_words(root), devlake_words(root, issues)
    folded, devlake = (folded_under(issues.values(), "jira", words) for words in (own, theirs))
    return [
        _lives("jira histories, statuses by Jira's categories", issues, folded, own),
        _lives("jira histories, statuses by DevLake's categories", issues, devlake, theirs),
        _devlake_history(root, issues, devlake),
        _unknown_words("jira statuses of old that no map knows", issues, folded, own),
        _unknown_words("jira statuses of today that no map knows", issues, devlake, theirs),
        _moves(issues, folded),
        _pushed_reasons(root),
        _edges(issues, folded),
        _stubs(issues, folded),
        _places(issues, folded),
        _apart(issues, own, folded),
        _forge("github issues as work", github.tables(root), "github"),
        _forge("gitlab issues as work", gitlab.tables(root), "gitlab"),
    ]


def _lives(name: str, issues: Issues, folded: Folded, words: Words) -> Row:
    """Intervals, start, finish and the times between them are those of the changelog."""
    mistakes, checked, ends = list[str](), 0, Counter[str]()
    for key, item in issues.items():
        wanted, fact = expected(item, words), folded.tickets[key]
        pairs = {
            "intervals": (folded.lives[key], list(wanted.intervals)),
            "started_at": (fact.started_at, wanted.started_at),
            "finished_at": (fact.finished_at, wanted.finished_at),
            "finish": (fact.finish, wanted.finish),
            "flow_time": (fact.flow_time, wanted.flow),
            "active_time": (fact.active_time, wanted.active),
            "waiting_time": (fact.waiting_time, wanted.waiting),
        }
        checked += len(wanted.intervals) + len(pairs) - 1
        ends[wanted.finish or "open"] += 1
        mistakes += [f"{key}: {each}" for field, pair in pairs.items() for each in same(field, *pair)]
    timed = sum(expected(item, words).flow is not None for item in issues.values())
    return row(name, checked, mistakes, f"{len(issues)} issues, {dict(ends)}; {timed} of them with a flow time")


def _devlake_history(root: Path, issues: Issues, folded: Folded) -> Row:
    """Before and after each change that DevLake lists, the ticket is in the category that DevLake says."""
    keys = {item.body["id"]: key for key, item in issues.items()}
    mistakes, listed = list[str](), devlake_status_rows(root)
    for cells in listed:
        key, at = keys[key_of(cells["issue_id"])], us(cells["created_date"], whole_second=True)
        for instant, column in ((at - 1, "from_value"), (at, "to_value")):
            held = [each for each in folded.lives[key] if each.start <= instant and (each.end or instant + 1) > instant]
            found = [each.status for each in held]
            mistakes += [
                f"{key}: {each}" for each in same(f"{column} at {at}", found, [DEVLAKE.get(cells[column], UNMAPPED)])
            ]
    unsorted = sum(not cells["to_value"] for cells in listed)
    note = f"before and after each change; {unsorted} went to a status without a category of DevLake's: unmapped"
    return row("jira status history as DevLake derives it", 2 * len(listed), mistakes, note)


def _unknown_words(name: str, issues: Issues, folded: Folded, words: Words) -> Row:
    """A status that no map knows is `unmapped`: it is in the history, and who has it now is counted."""
    native = {word for item in issues.values() for step in steps(item) for word in (step.before, step.after) if word}
    unknown = sorted(word for word in native if word.lower() not in words)
    wanted = {
        key for key, item in issues.items() if any(each.status == UNMAPPED for each in expected(item, words).intervals)
    }
    found = {key for key in issues if any(each.status == UNMAPPED for each in folded.lives[key])}
    now = [key for key, item in issues.items() if item.body["fields"]["status"]["name"].lower() not in words]
    mistakes = [f"{key}: unmapped in one reading only" for key in sorted(wanted ^ found)]
    mistakes += same("unmapped now", [key for key in issues if folded.tickets[key].canonical_status == UNMAPPED], now)
    mistakes += same("unmapped_work", folded.unmapped, float(len(now)))
    mistakes += [] if unknown else ["the data has no unknown status any more: choose another"]
    note = f"words that no map knows: {', '.join(unknown)}; {len(found)} issues had one, {len(now)} have one now"
    return row(name, len(issues), mistakes, note)


def _moves(issues: Issues, folded: Folded) -> Row:
    """Each status item is one move, and has a reason where the same entry set a resolution."""
    mistakes, moves, reasoned = list[str](), 0, 0
    for key, item in issues.items():
        steps = [
            any(change["field"] == "resolution" and change["toString"] for change in history["items"])
            for history in histories(item)
            for change in history["items"]
            if change["field"] == "status"
        ]
        fact = folded.tickets[key]
        moves, reasoned = moves + len(steps), reasoned + sum(steps)
        mistakes += [f"{key}: {each}" for each in same("moves", (fact.moves, fact.reasoned), (len(steps), sum(steps)))]
    return row("jira moves and their reasons", moves, mistakes, f"{reasoned} with a reason")


def _pushed_reasons(root: Path) -> Row:
    """A webhook's move has the reason that its changelog has: the resolution that was set with it."""
    mistakes, checked = list[str](), 0
    for item in jira.webhooks(root):
        changes = item.body.get("changelog", {}).get("items", []) if item.kind == "jira:issue_updated" else []
        set_to = [change["toString"] for change in changes if change["field"] == "resolution"]
        wanted = [set_to[0] if set_to else None for change in changes if change["field"] == "status"]
        checked += len(wanted)
        mistakes += same(f"{item.where}: reasons", [move.reason for move in item.data(TicketMoved)], wanted)
    return row("jira moves of webhooks and their reasons", checked, mistakes, "as in the same changelog")


def _edges(issues: Issues, folded: Folded) -> Row:
    """Each dependency is a wait since its link was made, and until it was taken away."""
    wanted = expected_edges(issues)
    found = {
        Episode(wait.subject, wait.on or "", wait.opened_at, wait.ended_at if wait.end == "withdrawn" else None)
        for wait in folded.waits
        if wait.kind == "dependency"
    }
    mistakes = [f"{each} is in one reading only" for each in sorted(wanted ^ found, key=str)]
    removed = sum(each.removed is not None for each in wanted)
    return row("jira dependencies since and until when", len(wanted), mistakes, f"{removed} of them taken away")


def _stubs(issues: Issues, folded: Folded) -> Row:
    """A dependency on an item that was never seen is kept, as a stub; such an item is no ticket."""
    waits = [wait for wait in folded.waits if wait.kind == "dependency"]
    mistakes = [f"{wait.id}: stub is {wait.stub}" for wait in waits if wait.stub != (wait.on not in issues)]
    unseen = {end for wait in waits for end in (wait.subject, wait.on or "") if end not in issues}
    mistakes += [f"{key} was never seen and is a ticket" for key in sorted(unseen & set(folded.tickets))]
    mistakes += [] if unseen else ["the data has no unseen item any more: choose another"]
    return row(
        "jira dependencies on items never seen", len(waits), mistakes, f"never seen: {', '.join(sorted(unseen))}"
    )


def _places(issues: Issues, folded: Folded) -> Row:
    """Parent, project and team are those of the issue's own fields; a project is the team that lists its key."""
    mistakes, parents = list[str](), 0
    for key, item in issues.items():
        fields, fact = item.body["fields"], folded.tickets[key]
        above = (fields.get("parent") or fields.get("epic") or {}).get("key") or fields.get("customfield_10014")
        parents += above is not None
        found = fact.parent, fact.project, fact.team
        wanted = above, fields["project"]["key"], team_of(fields["project"]["key"])
        mistakes += [f"{key}: {each}" for each in same("parent, project, team", found, wanted)]
    note = f"{parents} with a parent; no issue of the data changed its team or project"
    return row("jira parents and teams", 3 * len(issues), mistakes, note)


def _apart(issues: Issues, words: Words, whole: Folded) -> Row:
    """Issues without their history and pages of the changelog give, in any order, what they give together."""
    told = list[Told]()
    for key, item in issues.items():
        bare = {**item.body, "changelog": {"histories": []}}
        told.append(tell(JIRA, key, "rest.issue", json.dumps(bare).encode()))
        pages = [{"values": [history]} for history in histories(item)]
        settings = {"base_url": item.events[0].source}
        told += [
            tell(JIRA, key, "rest.changelog", json.dumps(page).encode(), {"x-leadline-issue": key}, settings)
            for page in pages
        ]
    mistakes = [f"{each.where}: {each.outcome}" for each in told if not isinstance(each.outcome, Translation)]
    for deliveries, size in ((told, None), (told[::-1], 1)):
        found = folded_under(deliveries, "jira", words, size)
        mistakes += [f"{key} differs" for key, fact in whole.tickets.items() if found.tickets.get(key) != fact]
        mistakes += same("waits", {wait.id: wait for wait in found.waits}, {wait.id: wait for wait in whole.waits})
    note = f"{len(told)} deliveries forwards at once, and backwards one by one"
    return row("jira snapshots and changelogs told apart", len(whole.tickets) + len(whole.waits), mistakes, note)


def _forge(name: str, told: Iterable[Told], tracker: str) -> Row:
    """An issue of a forge ends when it says that it was closed, by one move; it has no time of work."""
    kept = [item for item in told if item.kind in {"rest.issues", "rest.issue_events"}]
    folded = folded_under(kept, tracker, _FORGE)
    issues = [item for item in kept if item.kind == "rest.issues" and item.data(TicketUpdated)]
    mistakes, closed = list[str](), 0
    for item in issues:
        (looks,) = item.data(TicketUpdated)
        fact, at = folded.tickets[looks.ticket], item.body["closed_at"]
        closed += at is not None
        ended = us(at, whole_second=True) if at else None
        found = fact.finished_at, fact.finish, fact.moves, fact.started_at
        wanted = ended, "done" if at else None, 1 if at else 0, None
        mistakes += [f"{looks.ticket}: {each}" for each in same("finish, moves, start", found, wanted)]
    return row(name, 4 * len(issues), mistakes, f"{len(issues)} issues, {closed} closed; no links in this data")
