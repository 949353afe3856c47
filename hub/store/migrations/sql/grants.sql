-- Run after each migration and each swap of the schema hub.
grant usage on schema hub, log, access to hub_writer, hub_dbt, hub_reader;
grant usage on schema staging, intermediate, marts to hub_reader, hub_writer;
grant select, insert, update, delete on all tables in schema hub, log, access to hub_writer;
grant usage on all sequences in schema hub, log to hub_writer;
grant select on all tables in schema hub to hub_dbt, hub_reader;
-- Only audit_append adds to the chain, and nothing takes away from it.
revoke insert, update, delete, truncate on hub.audit, hub.audit_head from hub_writer;
-- The marts' builds look after statistics that are missing.
do $$
begin
    if current_setting('server_version_num')::int >= 170000 then
        execute 'grant maintain on all tables in schema hub to hub_dbt';
    end if;
end
$$;
grant select on log.inbox, log.offsets, log.writes, log.dead_letters, log.events to hub_dbt;
grant select on log.inbox, log.offsets, log.writes, log.dead_letters, log.events to hub_reader;
grant select on log.erasures to hub_reader;
grant select on access.check_runs, access.replays to hub_dbt, hub_reader;
grant create on database hub to hub_dbt;
alter default privileges for role hub_dbt in schema staging, intermediate, marts
grant select on tables to hub_reader, hub_writer;
-- An analyst reads marts, and nothing else.
grant usage on schema marts to hub_analyst;
alter default privileges for role hub_dbt in schema marts grant select on tables to hub_analyst;
