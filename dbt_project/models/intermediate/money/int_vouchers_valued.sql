with

coupons as (
    select * from {{ ref('stg_hub__coupons') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

-- A discount is no money, and what a platform sold the platform owes.
valued as (
    select
        coupons.*,
        used.earned_minor,
        used.last_earned_at,
        coupons.paid_minor - coupons.owed_minor - used.earned_minor as rest_minor
    from coupons
    left join lateral (
        select
            coalesce(sum(redemptions.revenue_minor), 0)::bigint as earned_minor,
            max(redemptions.redeemed_at) as last_earned_at
        from redemptions
        where
            redemptions.coupon_id = coupons.coupon_id
            and redemptions.revenue_minor != 0
    ) as used on true
    where
        coupons.kind in ('exchange', 'times')
        and coupons.paid_minor > 0
),

final as (
    select
        coupon_id,
        code,
        kind,
        template,
        channel,
        shop,
        order_number,
        profile_id,
        status,
        currency,
        paid_minor as sold_minor,
        owed_minor,
        earned_minor,
        case when status = 'expired' then rest_minor else 0 end as lapsed_minor,
        case when status != 'expired' then rest_minor else 0 end as returned_minor,
        issued_at as sold_at,
        {{ business_date('issued_at') }} as sold_date,
        valid_until,
        last_earned_at,
        ended_at,
        {{ business_date('ended_at') }} as ended_date,
        changed_xid
    from valued
)

select * from final
