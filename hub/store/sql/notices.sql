-- What persons allowed, and were told by rules.

-- name: member_of
select member_id
from profiles
where profile_id = $1;

-- The last word of the person, by whichever account; without one, no.
-- name: consent
select coalesce(
    (
        select c.is_granted
        from profiles as p
        inner join profile_consents as c on p.profile_id = c.profile_id
        where
            p.member_id = $1
            and c.purpose = $2
            and c.medium = $3
        order by c.changed_at desc, c.event_key desc
        limit 1
    ),
    false
);

-- name: told_since
select count(*)
from rule_effects as e
where
    e.kind = 'notify'
    and e.state = 'done'
    and e.result ->> 'purpose' = $2
    and e.ended_at >= $3
    and e.result ->> 'profile_id' in (
        select p.profile_id::text
        from profiles as p
        where p.member_id = $1
    );
