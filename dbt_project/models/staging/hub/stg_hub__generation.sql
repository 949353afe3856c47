select
    -- The cluster tells a restored backup from its origin, the table a replayed schema from the
    -- one before. regclass is resolved when this view is made, as the other views' tables are.
    (select system_identifier from pg_control_system())::text
    || '/' || '{{ source("hub", "orders") }}'::regclass::oid::text as generation
