"""The five services. They never import each other; topics are their only common ground."""
