"""Encoder-decoders of a demo as JSON: every array packed, and back; the twin of core/seq2seq.js."""

from course_lib._checks import check_finite
from course_lib.demos import _packed_weights

WHERE = ("embed_source", "embed_target", "W_out", "b_out")
SCORE = ("W_q", "W_k", "v")


def stored(name, params):
    """Return an encoder-decoder as JSON; what a demo computes with are the rounded weights."""
    from course_lib.seq2seq import Seq2SeqParams

    if not isinstance(params, Seq2SeqParams):
        raise ValueError(f"{name} must be Seq2SeqParams, got {type(params).__name__}")
    arrays = {key: getattr(params, key) for key in WHERE}
    score = params.attention
    if not (score is None or isinstance(score, str)):
        arrays |= {f"score_{key}": getattr(score, key) for key in SCORE}
        score = "additive"
    return {
        "name": str(name),
        "encoder": _packed_weights.pack_cell(f"encoder of {name}", params.encoder),
        "decoder": _packed_weights.pack_cell(f"decoder of {name}", params.decoder),
        "weights": {
            key: _packed_weights.pack(f"{key} of {name}", check_finite(key, x))
            for key, x in arrays.items()
        },
        "attention": score,
    }


def params_of(data):
    """Return the Seq2SeqParams that :func:`stored` packed; ``ValueError`` where they do not fit."""
    from course_lib.attention import AdditiveParams
    from course_lib.demos._cells import params as cell
    from course_lib.seq2seq import Seq2SeqParams

    try:
        arrays = {key: _packed_weights.unpack(x) for key, x in data["weights"].items()}
        halves = {
            key: cell("gru", {**data[key], **_packed_weights.unpack_all(data[key])})
            for key in ("encoder", "decoder")
        }
        score = data["attention"]
        if score == "additive":
            score = AdditiveParams(*(arrays[f"score_{key}"] for key in SCORE))
        return Seq2SeqParams(**{key: arrays[key] for key in WHERE}, **halves, attention=score)
    except KeyError as error:
        raise ValueError(f"network {data.get('name')!r} lacks {error}") from error
    except ValueError as error:
        raise ValueError(f"network {data.get('name')!r}: {error}") from error
