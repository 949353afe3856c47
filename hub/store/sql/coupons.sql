-- Coupons and their redemptions.

-- name: lock
select
    coupon_id,
    first_received_at
from coupons
where coupon_id = any($1::uuid[])
order by coupon_id
for update;
