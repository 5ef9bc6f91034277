"""What only the workflow needs: settings, the frame of a step, code hashes, preflight, costs, the bundle."""
