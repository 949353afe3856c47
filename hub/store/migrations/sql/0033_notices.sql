-- Schema hub: notices are effects of rules; how often a person was told is asked before each.
create index rule_effects_notices on rule_effects ((result ->> 'profile_id'), ended_at)
where kind = 'notify' and state = 'done';
