-- The level of an account at a channel whose platform decides on tiers, as the platform calls it.
alter table profiles
add column platform_level text,
add column platform_level_until timestamptz,
add column platform_level_at timestamptz;
comment on column profiles.platform_level_at is
'when the platform said so: a level that is null since then is none';
