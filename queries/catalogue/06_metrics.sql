-- Question: which numbers did each snapshot report?
-- Reads:    files.metric, snapshots.
-- Gives:    metric_points_history, metric_points (those of the latest snapshot); rounded(value) and seconds(start, end).

create view metric_points_history as select * from files.metric;

create view metric_points as
select * from metric_points_history where snapshot = (select max(number) from snapshots);

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
