"""Goals of the attention-map demo: each can be reached by dragging, and none is at the start."""

from course_lib.demos._state import Goal

SHARP, FLAT = 0.9, 0.02


def open_goals(state, weights):
    """Return the goals that the state does not meet yet; one key alone leaves none open."""
    opts, S = state["opts"], weights.shape[1]
    lookups = len({int(row.argmax()) for row in weights if row.max() > SHARP})
    spread = (weights.max(axis=1) - weights.min(axis=1)).min()
    same = [("temperature", "==", opts["temperature"]), ("scaled", "==", opts["scaled"])]
    goals = []
    if S > 1 and lookups < 1:
        text = f"Leave scale and temperature alone and drag until some weight is above {SHARP}."
        goals.append(Goal(text, (("largest", ">", SHARP), *same)))
    if S > 1 and spread >= FLAT:
        text = (
            "Find a query that cannot choose: without a mask, all its weights within "
            f"{FLAT} of each other, at a temperature of at most 1."
        )
        goals.append(
            Goal(text, (("spread", "<", FLAT), ("mask", "==", "none"), ("temperature", "<=", 1)))
        )
    most = min(len(weights), S)
    if most > 1 and lookups < most:
        text = (
            f"Build a table to look things up in: {most} queries, each with more than {SHARP} of "
            "its weight on a key of its own."
        )
        goals.append(Goal(text, (("lookups", ">=", most),)))
    return tuple(goals)
