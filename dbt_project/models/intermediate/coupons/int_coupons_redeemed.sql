with

coupons as (
    select * from {{ ref('stg_hub__coupons') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

-- Lateral, so that an increment looks up the redemptions of its own coupons only.
final as (
    select
        coupons.coupon_id,
        coupons.code,
        coupons.kind,
        coupons.template,
        coupons.profile_id,
        coupons.status,
        coupons.uses_total,
        coupons.uses_redeemed,
        greatest(coupons.uses_total - coupons.uses_redeemed, 0) as uses_left,
        used.live_count as live_redemption_count,
        used.reversed_count as reversed_redemption_count,
        used.refused_count as refused_redemption_count,
        used.redeemed_minor,
        used.first_redeemed_at,
        used.last_redeemed_at,
        coupons.face_value_minor,
        coupons.currency,
        coupons.issued_at,
        coupons.claimed_at,
        coupons.valid_from,
        coupons.valid_until,
        coupons.order_number
    from coupons
    left join lateral (
        select
            count(*) filter (
                where redemptions.is_accepted and redemptions.reversed_at is null
            )::int as live_count,
            count(*) filter (
                where redemptions.is_accepted and redemptions.reversed_at is not null
            )::int as reversed_count,
            count(*) filter (where not redemptions.is_accepted)::int as refused_count,
            coalesce(
                sum(redemptions.amount_minor) filter (
                    where redemptions.is_accepted and redemptions.reversed_at is null
                ),
                0
            )::bigint as redeemed_minor,
            min(redemptions.redeemed_at) filter (
                where redemptions.is_accepted and redemptions.reversed_at is null
            ) as first_redeemed_at,
            max(redemptions.redeemed_at) filter (
                where redemptions.is_accepted and redemptions.reversed_at is null
            ) as last_redeemed_at
        from redemptions
        where redemptions.coupon_id = coupons.coupon_id
    ) as used on true
)

select * from final
