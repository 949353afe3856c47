"""Who reads the marts: pages, boards and jobs of others, as the ends of the lineage."""
