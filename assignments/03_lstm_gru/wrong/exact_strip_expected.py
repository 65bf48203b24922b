# loses: gru=0.75
"""Looks for a convention that fits the strip to the last digit."""


# grade_id: which
def which_box(x, h, W_xa, W_ha, b_x, b_h):
    """Return reset and update of the convention that fits the recorded states best."""
    gaps = {}
    for reset in ("after", "before"):
        for update in ("keep", "write"):
            # From each recorded state one step: errors of the pen do not pile up.
            gaps[reset, update] = sum(
                np.abs(
                    gru_step(x[:, t], h[:, t], W_xa, W_ha, b_x, b_h, reset, update) - h[:, t + 1]
                ).sum()
                for t in range(x.shape[1])
            )
    return next(names for names, gap in gaps.items() if gap < 1e-9)
