{#
    How the marts follow the hub, losing nothing.

    Each row of schema hub carries changed_xid, the transaction that wrote it last. Transactions
    commit in another order than they begin, so "newer than the last row seen" would lose rows.
    Instead each build keeps bound_xid = pg_snapshot_xmin of the snapshot it read: all below it
    had ended, and was read. The next build reads changed_xid >= that bound. What lies above it and
    was visible is read twice, which changes nothing: a row that is as it was stays as it is.

    All marts of one run read one snapshot, where the caller exports one (HUB_DBT_SNAPSHOT): so an
    order and its lines, a balance and its ledger always fit each other, under load too. What a mart
    of the run wrote is not in that snapshot: a mart either reads staging and intermediate models,
    or is made of other marts alone, reads their candidates and takes over their bound. Such a
    mart's increment starts from the rows in which theirs differ from what readers see, old and new,
    and from its own (macros/checks.sql): a build that came to no good leaves nothing behind.
    Without it each mart reads its own snapshot; nothing is lost, but marts may be some
    milliseconds apart.

    Another generation (a replay took rows away, or a backup was restored elsewhere) makes old
    bounds meaningless: all rows are compared. Other code (after an upgrade) makes old rows wrong:
    the mart gets a new table, named after its code. Where rows are kept: macros/mart_rows.sql.
#}

{# The snapshot that all marts of a run read. Rendered only when it runs, so that another snapshot
   does not make dbt parse the project again. #}
{% macro read_run_snapshot() -%}
    rollback; -- of the questions dbt asked before: a snapshot comes before any query
    begin isolation level repeatable read;
    set transaction snapshot '{{ env_var("HUB_DBT_SNAPSHOT") }}'
{%- endmacro %}

{# First statement after the snapshot. A hook, so that each mart depends on the model. #}
{% macro read_generation() -%}
    create temporary table hub_generation on commit drop as
    select generation from {{ ref('stg_hub__generation') }}
{%- endmacro %}

{# Note from where on this build reads changes, and up to where the next need not. #}
{% macro note_bounds(rows, build) -%}
    insert into mart_rows.marts as known
        (mart, rows_table, generation, since_xid, bound_xid, build, first_build, built_at)
    select
        '{{ this.name }}',
        '{{ rows.identifier }}',
        generation,
        '0',
        {{ bound_of_run() }},
        {{ build }},
        {{ build }},
        clock_timestamp()
    from hub_generation
    on conflict (mart) do update set
        rows_table = excluded.rows_table,
        generation = excluded.generation,
        since_xid = case
            when
                known.generation = excluded.generation
                and known.rows_table = excluded.rows_table
                then known.bound_xid
            else '0'::xid8
        end,
        bound_xid = excluded.bound_xid,
        build = excluded.build,
        first_build = case
            when known.rows_table = excluded.rows_table then known.first_build
            else excluded.build
        end,
        built_at = excluded.built_at
{%- endmacro %}

{# All below this transaction is in what the mart reads. #}
{% macro bound_of_run() -%}
    {% if marts_behind() -%}
        (
            select min(behind.bound_xid) from mart_rows.marts as behind
            where behind.mart in ('{{ marts_behind() | join("', '") }}')
        )
    {%- else -%}
        pg_snapshot_xmin(pg_current_snapshot())
    {%- endif %}
{%- endmacro %}

{# Digest of all that decides how a mart's rows are computed: its own code and columns, the views
   it may read, and our macros as they render. #}
{% macro code_of_mart() -%}
    {% set parts = [quantity('x'), business_date('x'), discount_minor('x')] %}
    {% set nodes = graph.nodes.values() if execute else [] %}
    {% for node in nodes | sort(attribute='unique_id') -%}
        {% if node.unique_id == model.unique_id or node.schema in ('staging', 'intermediate')
            or node.unique_id in model.depends_on.nodes | default([]) -%}
            {% do parts.append(node.raw_code ~ node.columns) %}
        {%- endif %}
    {%- endfor %}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro %}

{# Keep the keys of all rows that may have changed (`meta.touched_by`): those of the changed rows of
   `meta.touched`, or, in a mart made of marts, of the rows in which these differ from what readers
   see (`meta.touched`: of each mart, the key's names there), and its own. Counted, since Postgres
   takes the best way only if it knows how many they are. #}
{% macro keep_touched() -%}
    {% set meta = config.get('meta', {}) %}
    {% set key = meta['touched_by'] %}
    create temporary table touched on commit drop as
    {% if meta['touched'] is string -%}
    select distinct {{ key }} from {{ ref(meta['touched']) }}
    where {{ is_changed() }} and {{ key }} is not null
    {%- else -%}
    select {{ key }} from {{ changed_rows(rows_of_mart().identifier, columns_of_mart()) }}
    {% for name, names in meta['touched'].items() -%}
    union
    select {{ names }} from {{ changed_of(name) }}
    {% endfor -%}
    {%- endif -%};
    analyze touched
{%- endmacro %}

{# In place of dbt's macro of this name: whether only what changed is read. #}
{% macro is_incremental() -%}
    {% if not execute or model.resource_type != 'model' or flags.FULL_REFRESH -%}
        {{ return(false) }}
    {%- endif %}
    {{ return(has_table(rows_of_mart())) }}
{%- endmacro %}

{# Condition: the row was written since this mart's last build. #}
{% macro is_changed() -%}
    changed_xid >= (select since_xid from mart_rows.marts where mart = '{{ this.name }}')
{%- endmacro %}

{# Condition: the row's key was touched. As an array, since it then is looked up by index first: a
   join would come after the laterals of intermediate models. #}
{% macro is_touched(key) -%}
    {{ key }} = any(array(select touched.{{ key.split('.')[-1] }} from touched))
{%- endmacro %}
