"""Case study 3: personas, and prompt attacks seen layer by layer, with a defence."""
