"""Language models: strict loading, devices, likelihoods and answers, the residual stream and its lenses."""
