-- Question: what is the last word on each fact of a kind: of all snapshots, of those up to one, of those up to an instant?
-- Reads:    ${plural}_history. Run once for each kind, with its plural and the fields of its facts filled in.
-- Gives:    $plural, ${plural}_at(snapshot), ${plural}_as_of(instant), files.${kind}_version.
--           A row is the last word unless a later one `replaces` it, so nothing has to be sorted.

create view $plural as
select * exclude (retracted, replaces) from ${plural}_history as said
where not retracted and not exists (
    from ${plural}_history as later where later.id = said.id and later.replaces = said.snapshot);

create macro ${plural}_at(number) as table
select * exclude (retracted, replaces) from ${plural}_history as said
where snapshot <= number and not retracted and not exists (
    from ${plural}_history as later where later.id = said.id and later.replaces = said.snapshot and later.snapshot <= number);

create macro ${plural}_as_of(instant) as table
select * exclude (retracted, replaces) from ${plural}_history as said
where taken_at <= instant::timestamptz and not retracted and not exists (
    from ${plural}_history as later
    where later.id = said.id and later.replaces = said.snapshot and later.taken_at <= instant::timestamptz);

create view files.${kind}_version as
select '$kind' as kind, id, snapshot, taken_at, retracted, replaces, to_json({$fields}) as fact
from ${plural}_history;
