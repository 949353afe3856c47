-- name: of_member
-- The member's level in each scheme; the sums behind it are for those who see it whole.
select
    t.scheme,
    t.level,
    t.since_at,
    t.valid_until,
    t.scheme_version,
    case when $1::text is null or $2::boolean then t.value end as value
from hub.member_tiers as t
where t.member_id = $3
order by t.scheme
limit 100;

-- name: changes
-- How the member's levels changed, newest first.
select
    c.scheme,
    c.changed_at,
    c.level_before,
    c.level,
    c.cause,
    c.scheme_version
from hub.tier_changes as c
where c.member_id = $1
order by c.changed_at desc, c.scheme, c.number desc
limit $2;
