-- Points spent on orders, and their holds.

-- Spendings with points of several accounts, one of which is among some profiles.
-- name: shared
select sh.spend_id
from points_shares as sh
where sh.profile_id = any($1::uuid[])
union
select sh.spend_id
from points_shares as sh
inner join points_spends as s on sh.spend_id = s.spend_id
where s.profile_id = any($1::uuid[]);

-- What refunds of the orders gave back.
-- name: refunded
select
    spend_id,
    event_key,
    points,
    returned_at
from points_refunded
where spend_id = any($1::uuid[]);

-- name: forget_refunded
delete from points_refunded
where spend_id = any($1::uuid[]);

-- name: members
select
    profile_id,
    member_id
from profiles
where profile_id = any($1::uuid[]);

-- Lock what was spent on these orders, in the order of their ids; when the first event of each was
-- received. One that has parked events alone has no row yet.
-- name: lock
with locked as (
    select
        spend_id,
        first_received_at
    from points_spends
    where spend_id = any($1::uuid[])
    order by spend_id
    for update
),

known as (
    select
        spend_id,
        first_received_at
    from locked
    union all
    select
        entity_key as spend_id,
        received_at as first_received_at
    from parked
    where entity_key = any($1::uuid[])
)

select
    spend_id,
    min(first_received_at) as first_received_at
from known
group by spend_id;
