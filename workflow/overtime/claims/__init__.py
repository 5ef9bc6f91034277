"""Verdicts: claims of the talk judged against score tables, one module of evidence for each case study."""
