-- Question: which numbers did each snapshot report?
-- Reads:    files.metric, snapshots.
-- Gives:    metric_points_history, metric_points (those of the latest snapshot); moment(instant), windows(instant), rounded(value),
--           seconds(start, end), quantile_of(spans, share), day_of(instant) and duration(text).

create view metric_points_history as select * from files.metric;

create view metric_points as
select * from metric_points_history where snapshot = (select max(number) from snapshots);

-- The UTC day of an instant.
create macro day_of(instant) as (instant at time zone 'UTC')::date;

-- A span as people write it in the contract: a whole number and one of s, m, h, d, w; null: it is none.
create macro duration(text) as to_seconds(try_cast(left(text, -1) as bigint)
    * case right(text, 1) when 's' then 1 when 'm' then 60 when 'h' then 3600 when 'd' then 86400 when 'w' then 604800 end);

-- What was open before the latest instant is no longer known.
create macro moment(wanted) as table
select instant, day_of(instant) as day, coalesce(instant >= latest, true) as knows_open
from (select coalesce(wanted, latest) as instant, latest from (select max_by(as_of, number) as latest from snapshots));

create macro windows(wanted) as table
select window_days, day - window_days + 1 as first_day, day as last_day
from moment(wanted), (values (7), (28), (90)) as length(window_days);

-- Nine decimals, half to even on the exact binary value: the number that every other surface shows.
create macro rounded(value) as format('{:.9f}', value)::double;

-- A span in seconds, cut to whole milliseconds.
create macro seconds(start, finish) as floor((epoch_us(finish) - epoch_us(start)) / 1000) / 1000;

-- The linearly interpolated quantile of a sorted list of spans in seconds, from whole milliseconds as the fold takes it.
create macro quantile_of(ordered, share) as (
    with place as (
        select list_transform(ordered, lambda span: round(span * 1000)::bigint) as ms,
            (len(ordered) - 1)::double * share::double as place
    )
    select (ms[floor(place)::bigint + 1]::double
        + (ms[least(floor(place)::bigint + 2, len(ms))] - ms[floor(place)::bigint + 1])::double * (place - floor(place)))
        / 1000::double
    from place
);
