# loses: again=2.5
"""A match counts 9 places: enough by hand, not in a long register."""


# grade_id: again
def find_again(V):
    """Return six matrices with which two looks find what came after the last word before."""
    one, place, square, before = V, V + 1, V + 2, V + 3
    q1, k1, v1 = np.zeros((V + 3, 2)), np.zeros((V + 3, 2)), np.zeros((V + 3, V))
    q1[place, 0], q1[one] = 40, (-40, 40)  # 40 times (t - 1, 1)
    k1[place, 0], k1[square, 1] = 1, -0.5  # (s, -s * s / 2)
    v1[:V] = np.eye(V)
    q2, k2, v2 = (np.zeros((2 * V + 3, n)) for n in (V + 1, V + 1, V))
    q2[:V, :V], k2[before:, :V] = 360 * np.eye(V), np.eye(V)  # my word, the word before it
    q2[one, V], k2[place, V] = 40, 1  # the later the better, but a match comes first
    v2[:V] = np.eye(V)
    return {"q1": q1, "k1": k1, "v1": v1, "q2": q2, "k2": k2, "v2": v2}
