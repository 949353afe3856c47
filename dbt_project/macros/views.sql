{#
    Views are made once. Some sixty of them, made anew with every build of five minutes, would be
    most of what a small build costs, and bloat Postgres's catalog.
#}

{# In place of dbt's materialization of this name. #}
{% materialization view, adapter='postgres' -%}
    {% set view = this.incorporate(type='view') %}
    {% set code = local_md5(sql) %}
    {% set is_current = is_view_of(view, code) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {% if is_current -%}
        select 1
        {%- else -%}
        drop view if exists {{ view }} cascade;
        create view {{ view }} as {{ sql }};
        comment on view {{ view }} is '{{ code }}'
        {%- endif %}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [view]}) }}
{%- endmaterialization %}

{# Whether the view is there, made by this code, and reads the relations that have the names now: a
   view keeps to a table that was renamed. #}
{% macro is_view_of(view, code) -%}
    {% set behind = [] %}
    {% for id in model.depends_on.nodes -%}
        {% set node = graph.nodes.get(id) or graph.sources[id] %}
        {% do behind.append(node.schema ~ '.' ~ (node.identifier or node.alias)) %}
    {%- endfor %}
    {% set names = "'" ~ behind | join("', '") ~ "'" if behind else '' %}
    {% set found = run_query(
        "select obj_description(to_regclass('" ~ view ~ "'), 'pg_class') = '" ~ code ~ "'"
        " and not exists (select 1 from unnest(array[" ~ names ~ "]::text[]) as name"
        " where not exists (select 1 from pg_depend as d"
        " join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid"
        " where r.ev_class = to_regclass('" ~ view ~ "') and d.refobjid = to_regclass(name)))"
    ) %}
    {{ return(found.rows[0][0] or false) }}
{%- endmacro %}
