"""What comes from outside: the ledger of pinned files, the Hugging Face Hub, released measurements, GGUF weights."""
