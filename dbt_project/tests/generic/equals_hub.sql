{# Invariant I7: below the mart's bound, its rows are the hub's rows, column by column. Rows that
   changed since the build are left out: they are the next build's. #}
{% test equals_hub(model, source, key, columns) %}
    with

    hub as (
        select * from {{ source }}
        {% if not is_whole() -%}
        where
            changed_xid >= '{{ bound_of_readers() }}'::xid8
            or {{ is_of_changed(key | join(', '), [model.identifier]) }}
        {%- endif %}
    ),

    mart as (
        select * from {{ model }}
        {% if not is_whole() -%}
        where ({{ key | join(', ') }}) in (select {{ key | join(', ') }} from hub)
            or {{ is_of_changed(key | join(', '), [model.identifier]) }}
        {%- endif %}
    ),

    build as (
        select bound_xid from mart_rows.marts where mart = '{{ model.identifier }}'
    )

    select
        {%- for column in key %}
        coalesce(hub.{{ column }}, mart.{{ column }}) as {{ column }},
        {%- endfor %}
        hub.changed_xid
    from hub
    full join mart
        on {% for column in key %}hub.{{ column }} = mart.{{ column }}
        {%- if not loop.last %} and {% endif %}{% endfor %}
    where
        coalesce(hub.changed_xid < (select bound_xid from build), true)
        and (
            hub.changed_xid is null
            or mart.{{ key[0] }} is null
            {%- for column in columns %}
            or hub.{{ column }} is distinct from mart.{{ column }}
            {%- endfor %}
        )
{% endtest %}
