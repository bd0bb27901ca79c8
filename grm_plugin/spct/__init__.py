"""SPCT, how a GRM is trained (section 5 of arXiv:2504.02495): data, rejection, reward, meta RM."""
