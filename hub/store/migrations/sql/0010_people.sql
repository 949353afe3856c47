-- Schema hub: what members and coupons gained after the spine.

-- Which coupons of one use a person an account has used.
create index coupon_redemptions_profile on coupon_redemptions (profile_id)
where profile_id is not null;

-- What the buyers of coupons got back: of those that were refunded before, what had not been used.
alter table coupons add column refunded_minor bigint not null default 0;
update coupons as c
set
    refunded_minor = coalesce(c.paid_minor, 0) - coalesce(
        (
            select sum(r.revenue_minor)
            from coupon_redemptions as r
            where r.coupon_id = c.coupon_id
        ),
        0
    ),
    changed_xid = pg_current_xact_id()
where
    c.status = 'refunded'
    and c.kind in ('exchange', 'times');
