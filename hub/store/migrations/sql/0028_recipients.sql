-- Schema hub: a coupon whose recipient was erased is still for somebody.
alter table coupons add column recipient_forgotten boolean not null default false;
comment on column coupons.recipient_forgotten is
'whom it was for was erased: who knows its code has no right to it by that';
