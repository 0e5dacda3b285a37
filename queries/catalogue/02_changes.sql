-- Question: what was said about each change, by which snapshot?
-- Reads:    files.change, commits.
-- Gives:    changes_history. A commit that is a change by itself gets the first line of its message as its title.

create view changes_history as
select change.* replace (case when change.kind = 'commit' and change.title = '' then coalesce(commits.title, '')
                              else change.title end as title)
from files.change as change
left join commits
    on change.kind = 'commit' and commits.repo = change.repo and commits.sha = split_part(change.id, '@', -1);
