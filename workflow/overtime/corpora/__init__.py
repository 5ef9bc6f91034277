"""Text: documents in and out, rewriting by gender, inserting documents, finding and counting entities, the generated world."""
