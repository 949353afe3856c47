-- Schema hub: what members and coupons gained after the spine.

-- Which coupons of one use a person an account has used.
create index coupon_redemptions_profile on coupon_redemptions (profile_id)
where profile_id is not null;
