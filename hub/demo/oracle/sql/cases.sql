select kind
from marts.cases
