-- name: of_member
-- The member's level in each scheme with what it brings by the scheme's version; the sums behind it
-- are for those who see it whole.
with versions as (
    select
        c.name as scheme,
        c.document,
        row_number() over (
            partition by c.name
            order by c.valid_from, c.published_at, c.event_key
        ) as version
    from hub.configs as c
    where c.kind = 'tier_scheme'
),

levels as (
    select
        v.scheme,
        v.version,
        one.level
    from versions as v
    cross join lateral jsonb_array_elements(v.document -> 'levels') as one (level)
)

select
    t.scheme,
    t.level,
    t.since_at,
    t.valid_until,
    t.scheme_version,
    case when $1::text is null or $2::boolean then t.value end as value,
    l.level ->> 'price_list' as price_list,
    coalesce((l.level ->> 'points_factor_milli')::int, 1000) as points_factor_milli,
    coalesce(l.level -> 'platform_levels', '{}') as platform_levels
from hub.member_tiers as t
left join levels as l
    on
        t.scheme = l.scheme
        and t.scheme_version = l.version
        and t.level = l.level ->> 'name'
where t.member_id = $3
order by t.scheme
limit 100;

-- name: reported
-- Levels of the member's accounts at channels whose platform decides on them: those of the viewer's
-- channel, of all for those who see it whole. By scheme what the level is called in it today.
with schemes as (
    select distinct on (c.name)
        c.name,
        c.document
    from hub.configs as c
    where
        c.kind = 'tier_scheme'
        and c.valid_from <= now()
    order by c.name, c.valid_from desc, c.published_at desc, c.event_key desc
)

select
    p.channel,
    p.account,
    p.platform_level as level,
    p.platform_level_until as valid_until,
    p.platform_level_at as reported_at,
    coalesce(
        (
            select jsonb_object_agg(s.name, l.level ->> 'name')
            from schemes as s
            cross join lateral jsonb_array_elements(s.document -> 'levels') as l (level)
            where l.level -> 'platform_levels' ->> p.channel = p.platform_level
        ),
        '{}'
    ) as levels
from hub.profiles as p
where
    p.member_id = $3
    and p.platform_level_at is not null
    and ($1::text is null or $2::boolean or p.channel = $1)
order by p.channel, p.account
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
