{# Each row fulfils the expression; unknown (null) counts as failing. #}
{% test holds(model, expression) %}
    select *
    from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
