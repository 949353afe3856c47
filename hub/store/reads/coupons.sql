-- name: get
-- Coupon $3, where the viewer may see it: its channel issued or holds it, reported an event of it
-- or saw it redeemed; or the viewer sees members whole and the holder has a profile in its channel.
select
    c.coupon_id,
    c.code,
    c.kind,
    c.template,
    p.member_id,
    c.status,
    c.uses_total,
    c.uses_redeemed,
    c.face_value_minor,
    c.refunded_minor,
    c.currency,
    c.issued_at,
    c.claimed_at,
    c.valid_from,
    c.valid_until
from hub.coupons as c
left join hub.profiles as p on c.profile_id = p.profile_id
where
    c.coupon_id = $3
    and (
        $1::text is null
        or c.channel = $1
        or p.channel = $1
        or exists (
            select 1 from log.events as e
            where e.entity_key = c.coupon_id and split_part(e.source, '/', 3) = $1
        )
        or exists (
            select 1 from hub.coupon_redemptions as r
            where r.coupon_id = c.coupon_id and r.channel = $1
        )
        or (
            $2::boolean
            and exists (
                select 1 from hub.profiles as own
                where own.member_id = p.member_id and own.channel = $1
            )
        )
    );

-- name: redemptions
-- The redemptions of coupon $3; those of another channel only for who sees members whole.
select
    r.redemption_id,
    r.channel,
    r.shop,
    r.place,
    r.order_number,
    r.amount_minor,
    r.currency,
    r.redeemed_at,
    r.reversed_at,
    r.is_accepted,
    r.refusal
from hub.coupon_redemptions as r
where r.coupon_id = $3 and ($1::text is null or $2::boolean or r.channel = $1)
order by r.redeemed_at, r.redemption_id
limit 1000;

-- name: of_profiles
-- The coupons that profiles $1 hold, and those meant for a phone or e-mail that one of them has
-- verified; newest first.
with verified as (
    select
        i.identifier_type,
        i.value_hmac
    from hub.profile_identifiers as i
    where
        i.profile_id = any($1::uuid [])
        and i.proof = 'verified'
        and i.valid_to is null
),

found as (
    select
        c.coupon_id,
        false as is_claimable
    from hub.coupons as c
    where c.profile_id = any($1::uuid [])
    union distinct
    select
        c.coupon_id,
        true as is_claimable
    from verified as v
    inner join hub.coupons as c on v.value_hmac = c.recipient_phone
    where v.identifier_type = 'phone' and c.profile_id is null and c.status = 'issued'
    union distinct
    select
        c.coupon_id,
        true as is_claimable
    from verified as v
    inner join hub.coupons as c on v.value_hmac = c.recipient_email
    where v.identifier_type = 'email' and c.profile_id is null and c.status = 'issued'
)

select
    c.coupon_id,
    c.code,
    c.kind,
    c.template,
    c.status,
    found.is_claimable,
    c.uses_total,
    c.uses_redeemed,
    c.face_value_minor,
    c.refunded_minor,
    c.currency,
    c.issued_at,
    c.claimed_at,
    c.valid_from,
    c.valid_until,
    coalesce(c.issued_at, c.first_received_at) as listed_at
from found
inner join hub.coupons as c on found.coupon_id = c.coupon_id
where
    $2::timestamptz is null
    or (coalesce(c.issued_at, c.first_received_at), c.coupon_id) < ($2, $3::uuid)
order by listed_at desc, c.coupon_id desc
limit $4;

-- name: wallet
-- Codes of the coupons that profiles $1 hold and may still use, those that end first before others.
select c.code
from hub.coupons as c
where
    c.profile_id = any($1::uuid [])
    and c.status in ('issued', 'claimed')
order by c.valid_until asc nulls last, c.coupon_id
limit $2;
