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

-- How a use of a platform's coupon is verified at the platform.
create table coupon_verifications (
    coupon_id uuid not null,
    channel text not null,
    shop text not null,
    verification_id text not null,
    state text not null,
    verified_at timestamptz,
    called_at timestamptz not null,
    is_answered boolean not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint coupon_verifications_pk primary key (coupon_id, channel, shop, verification_id),
    constraint coupon_verifications_state_known check (
        state in ('prepared', 'unknown', 'verified', 'cancelling', 'cancelled', 'refused', 'new')
    )
);
create index coupon_verifications_unknown on coupon_verifications (called_at)
where state in ('unknown', 'cancelling');
comment on column coupon_verifications.state is
'unknown, cancelling: a call was not answered, and the platform is asked before any other call';
