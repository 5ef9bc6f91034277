"""Case study 2: rare facts, inserting documents, retrieval."""
