"""Weights of a trained encoder-decoder of PyTorch as those of this book, without rounding.

The module is read by the names of its parts, whichever class it is of: ``embed_source`` and
``embed_target`` (nn.Embedding), ``encoder`` and ``decoder`` (nn.GRU with one layer), ``head``
(nn.Linear), and ``attention``: None, "dot", "scaled", or "additive" with ``query``, ``key`` and
``energy`` (nn.Linear without bias).

Letters: E width of the embeddings, H hidden, A width of the additive score, V symbols.
"""

from course_lib.attention import AdditiveParams
from course_lib.seq2seq import Seq2SeqParams
from course_lib.torch_bridge import from_torch


def params_from_translator(model):
    """Return the weights of a trained translator, in float64.

    PyTorch's linear layers hold their matrices the other way round, so ``head.weight`` (V, H) is
    our ``W_out.T``, and so on.

    Parameters
    ----------
    model : nn.Module
        Such as :class:`course_lib.seq2seq_training.Translator`, in any precision.

    Returns
    -------
    params : Seq2SeqParams
        Copies; training the model further does not change them.

    Raises
    ------
    ValueError
        If a GRU has several layers or directions, or a bias stands where this book has none.
    """
    encoder, decoder = (from_torch(getattr(model, name)) for name in ("encoder", "decoder"))
    score = model.attention
    if score == "additive":
        for name in ("query", "key", "energy"):
            if getattr(model, name).bias is not None:
                raise ValueError(f"{name} must be a linear layer without bias, got one with a bias")
        W_q, W_k, v = (_array(getattr(model, name).weight) for name in ("query", "key", "energy"))
        score = AdditiveParams(W_q.T, W_k.T, v[0])
    return Seq2SeqParams(
        _array(model.embed_source.weight),
        encoder,
        _array(model.embed_target.weight),
        decoder,
        _array(model.head.weight).T,
        _array(model.head.bias),
        score,
    )


def _array(tensor):
    return tensor.detach().cpu().double().numpy().copy()
