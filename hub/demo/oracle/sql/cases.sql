-- The bakery's rule opens cases by hand; nobody else does.
select kind
from marts.cases
where kind <> 'manual'
