-- Schema hub: what coupons gained after the spine.
create index coupons_usable_until on coupons (usable_until)
where status in ('issued', 'claimed') and kind <> 'platform';
