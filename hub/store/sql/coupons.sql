-- Coupons and their redemptions.

-- name: lock
select
    coupon_id,
    first_received_at
from coupons
where coupon_id = any($1::uuid[])
order by coupon_id
for update;

-- Coupons as a decision and a quote need them, and where account $2 stands to each.
-- name: standing
select
    c.coupon_id,
    c.channel,
    c.shop,
    c.code,
    c.kind,
    c.template,
    c.status,
    c.face_value_minor,
    c.currency,
    c.terms,
    c.valid_from,
    c.usable_until,
    c.paid_minor,
    c.uses_total,
    c.uses_redeemed,
    c.uses_total - c.uses_redeemed as uses_left,
    (
        select count(*)
        from coupon_reservations as r
        where
            r.coupon_id = c.coupon_id
            and r.ended_at is null
            and r.expires_at > clock_timestamp()
    ) as uses_reserved,
    clock_timestamp() as now,
    c.profile_id as holder_id,
    c.profile_id is not null as is_held,
    coalesce(holder.member_id = asker.member_id, false) as is_holder,
    c.recipient_phone is not null
    or c.recipient_email is not null
    or c.recipient_forgotten as has_recipient,
    (
        select i.identifier_type
        from profiles as p
        inner join profile_identifiers as i on p.profile_id = i.profile_id
        where
            p.member_id = asker.member_id
            and i.proof = 'verified'
            and i.valid_to is null
            and (
                (i.identifier_type = 'phone' and i.value_hmac = c.recipient_phone)
                or (i.identifier_type = 'email' and i.value_hmac = c.recipient_email)
            )
        order by i.identifier_type desc
        limit 1
    ) as proof
from coupons as c
left join profiles as holder on c.profile_id = holder.profile_id
left join profiles as asker on asker.profile_id = $2
where c.coupon_id = any($1::uuid[]);

-- name: is_redeemed
select true
from coupon_redemptions
where
    coupon_id = $1
    and channel = $2
    and shop = $3
    and redemption_id = $4
    and is_accepted
    and reversed_at is null;

-- name: head
select
    coupon_id,
    code,
    kind,
    template,
    status,
    uses_total,
    uses_redeemed,
    face_value_minor,
    refunded_minor,
    currency,
    issued_at,
    claimed_at,
    valid_from,
    valid_until
from coupons
where coupon_id = $1;

-- Coupons whose validity is over and that may be due; which are is for still_overdue to say. In no
-- order: those that cannot end, however many, do not stand before the others for ever.
-- name: overdue
select c.coupon_id
from coupons as c
where
    c.status in ('issued', 'claimed')
    and c.kind <> 'platform'
    and c.usable_until <= clock_timestamp()
    and not exists (
        select 1
        from coupon_reservations as r
        where
            r.coupon_id = c.coupon_id
            and r.ended_at is null
            and r.expires_at > clock_timestamp()
    )
order by random()
limit $1;

-- Those of them that are due once they are claimed, and since when: from the end of their validity,
-- unless a checkout kept a use beyond it or a use was undone after it.
-- name: still_overdue
with ended as (
    select
        c.coupon_id,
        c.code,
        c.channel,
        c.shop,
        greatest(
            c.usable_until,
            (
                select max(coalesce(r.ended_at, r.expires_at))
                from coupon_reservations as r
                where r.coupon_id = c.coupon_id and r.ending is distinct from 'refused'
            ),
            (
                select max(u.reversed_at)
                from coupon_redemptions as u
                where u.coupon_id = c.coupon_id and u.is_accepted
            )
        ) as overdue_at
    from coupons as c
    where
        c.coupon_id = any($1::uuid[])
        and c.status in ('issued', 'claimed')
        and c.usable_until <= clock_timestamp()
)

select
    code,
    channel,
    shop,
    overdue_at
from ended
where overdue_at <= clock_timestamp()
order by coupon_id;

-- The coupons that were used on these orders.
-- name: used_on
select distinct r.coupon_id
from coupon_redemptions as r
inner join unnest($1::text[], $2::text[], $3::text[]) as o (channel, shop, order_number)
    on
        r.channel = o.channel
        and r.shop = o.shop
        and r.order_number = o.order_number;

-- name: orders_over
select
    order_id,
    over_at
from orders_over
where order_id = any($1::uuid[]);

-- The coupons of one use a person that these profiles used, now or once: by the account that a use
-- names, otherwise by who holds the coupon.
-- name: used_by_persons
with uses as (
    select
        r.profile_id,
        r.coupon_id,
        r.is_accepted and r.reversed_at is null as is_live
    from coupon_redemptions as r
    where r.profile_id = any($1::uuid[])
    union all
    select
        c.profile_id,
        c.coupon_id,
        r.is_accepted and r.reversed_at is null as is_live
    from coupons as c
    inner join coupon_redemptions as r on c.coupon_id = r.coupon_id
    where
        c.profile_id = any($1::uuid[])
        and r.profile_id is null
)

select
    u.profile_id,
    u.coupon_id,
    c.template,
    bool_or(u.is_live) as is_live
from uses as u
inner join coupons as c on u.coupon_id = c.coupon_id
where
    c.template is not null
    and c.terms @> '{"once_per_person": true}'
group by u.profile_id, u.coupon_id, c.template
order by u.profile_id, u.coupon_id;

-- name: verification
select
    state,
    verified_at
from coupon_verifications
where
    coupon_id = $1
    and channel = $2
    and shop = $3
    and verification_id = $4;

-- Calls to platforms that nobody waits for any more, whose answers were never kept.
-- name: unanswered
select
    v.coupon_id,
    v.channel,
    v.shop,
    v.verification_id,
    v.call_id,
    c.code
from coupon_verifications as v
inner join coupons as c on v.coupon_id = c.coupon_id
where
    not v.is_answered
    and v.call_id <> ''
    and v.called_at <= $1
    and ($3::uuid[] is null or v.coupon_id = any($3))
order by v.called_at, v.coupon_id
limit $2;

-- name: forget_redemption
delete from coupon_redemptions
where
    coupon_id = $1
    and channel = $2
    and shop = $3
    and redemption_id = $4;
