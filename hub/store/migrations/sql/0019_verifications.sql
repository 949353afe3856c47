-- Which call of a verification was the last, so that one which nobody waits for can be answered.
alter table coupon_verifications
add column call_id text not null default '';

create index coupon_verifications_in_flight on coupon_verifications (called_at)
where not is_answered;
