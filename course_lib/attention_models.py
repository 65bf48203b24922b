r"""Trainable attention networks in PyTorch, with the interface of `training.SequenceModel`.

Embedding, positions, blocks of self-attention and feed-forward, readout: the network of chapter 16,
in float32 and fast enough to be trained while the chapter is built. The block that is taken apart,
in NumPy with its backward pass, is `transformer.block_forward`; the two agree, and
``torch_bridge.from_torch`` takes a trained block over.

Here a mask of True means *may look*, as in all of ``course_lib``.

Letters: N batch, T time, D input, M model width, E head width (M = n_heads * E), F feed-forward
width, n_out numbers put out at each step.

References
----------
Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762. Their d_model is M, d_k is E, d_ff is F, h is
n_heads.
The norm before each part (``"pre"``): Xiong et al. (2020), arXiv:2002.04745. Rotary positions: Su
et al. (2021), arXiv:2104.09864. A bias that falls with distance (``"distance"``): Press, Smith and
Lewis (2022), arXiv:2108.12409; theirs looks back only, ours falls in both directions.
"""

import math
from functools import lru_cache

import torch
from torch import nn

POSITIONS = ("none", "sinusoidal", "rotary", "distance")
NORMS = ("pre", "post", "none")
BASE = 10000.0  # of the wavelengths, as in the paper


class AttentionBlock(nn.TransformerEncoderLayer):
    """PyTorch's encoder layer with rotary positions, and with parts that can be left out.

    Parameters
    ----------
    M, n_heads, F : int
        Model width, heads (they divide M), feed-forward width; with F = 0 there is no feed-forward.
    norm : {"pre", "post", "none"}
        Where the layer norms stand: before each part, after each sum, or nowhere.
    residual : bool
        Whether each part's output is added to its input.
    rotary : bool
        Whether queries and keys are turned by their position.
    """

    def __init__(self, M, n_heads, F, *, norm="pre", residual=True, rotary=False):
        super().__init__(
            M, n_heads, max(F, 1), dropout=0.0, batch_first=True, norm_first=norm == "pre"
        )
        self.norm, self.residual, self.rotary = norm, residual, rotary
        if F == 0:
            self.linear1 = self.linear2 = self.norm2 = None
        if norm == "none":
            self.norm1 = self.norm2 = None

    def forward(self, x, mask=None, bias=None):
        """Return what the block makes of a sequence.

        Parameters
        ----------
        x : torch.Tensor of shape (N, T, M)
            One vector a step.
        mask : torch.Tensor of shape (T, T), optional
            True where a row (the step that asks) may look at a column.
        bias : torch.Tensor of shape (n_heads, T, T), optional
            Added to the scores.

        Returns
        -------
        y : torch.Tensor of shape (N, T, M)
            One vector a step.
        """
        x = self._part(x, self.norm1, lambda u: self._attend(u, mask, bias))
        if self.linear1 is None:
            return x
        return self._part(x, self.norm2, lambda u: self.linear2(torch.relu(self.linear1(u))))

    def _part(self, x, norm, part):
        """One part of the block with its norm and its residual."""
        y = part(norm(x) if self.norm == "pre" else x)
        y = x + y if self.residual else y
        return norm(y) if self.norm == "post" else y

    def _attend(self, x, mask, bias):
        """Multi-head self-attention (N, T, M)."""
        N, T, M = x.shape
        E = M // self.self_attn.num_heads
        qkv = nn.functional.linear(x, self.self_attn.in_proj_weight, self.self_attn.in_proj_bias)
        qkv = qkv.view(N, T, 3, -1, E).permute(2, 0, 3, 1, 4)  # (3, N, n_heads, T, E)
        (q, k), v = _rotate(qkv[:2]) if self.rotary else qkv[:2], qkv[2]
        if bias is not None:  # scores are added up by hand where a bias is added to them
            look = bias if mask is None else bias.masked_fill(~mask, -math.inf)
        else:
            look = mask
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=look)
        return self.self_attn.out_proj(y.transpose(1, 2).reshape(N, T, M))


def _angles(T, E):
    """Angle of every position and pair, (T, E / 2): position times 10000^(-2i/E)."""
    pair = torch.arange(0, E, 2, dtype=torch.float64)
    return torch.arange(T, dtype=torch.float64)[:, None] * BASE ** (-pair / E)


@lru_cache(maxsize=32)  # the same lengths come back at every update
def _turns(T, E, dtype):
    """Complex numbers of length 1 (T, E / 2); to multiply by one is to turn by its angle."""
    return torch.polar(torch.ones((), dtype=torch.float64), _angles(T, E)).to(dtype.to_complex())


def _rotate(x):
    """Turn the pairs (2i, 2i + 1) of x (..., T, E) by the angles of their positions."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * _turns(*x.shape[-2:], x.dtype)).flatten(-2)


@lru_cache(maxsize=32)
def _sinusoids(T, M, dtype):
    """Sinusoidal positions (T, M): sines in the even columns, cosines in the odd ones."""
    angles = _angles(T, M + M % 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)[:, :M].to(dtype)


def _distances(T, n_heads, like):
    """Bias (n_heads, T, T) that falls with distance, by head 2^(-8 h / n_heads) a step."""
    steps = torch.arange(T, dtype=like.dtype)
    slopes = 2.0 ** (-8.0 * torch.arange(1, n_heads + 1, dtype=like.dtype) / n_heads)
    return -slopes[:, None, None] * (steps[:, None] - steps).abs()


class AttentionModel(nn.Module):
    """Embedding, positions, blocks of attention, readout at every step.

    Parameters
    ----------
    D, M, n_out : int
        Sizes: input, model width, output.
    seed : int
        Seed of the starting weights.
    heads : int, default=4
        Heads of each block; M must be a multiple.
    layers : int, default=1
        Blocks on top of each other.
    F : int, optional
        Feed-forward width; None takes 4 M, and 0 leaves the feed-forward part out.
    causal : bool, default=True
        Whether each step may look at itself and the past only, or at all steps.
    positions : {"none", "sinusoidal", "rotary", "distance"}
        How the network is told the order: not at all, by waves added to the embedding, by turning
        queries and keys, or by a fixed bias of the scores that falls with distance.
    norm : {"pre", "post", "none"}
        Where the layer norms stand; "pre" has one more before the readout.
    residual : bool, default=True
        Whether each part's output is added to its input.

    Raises
    ------
    ValueError
        If a name is unknown, or M is no multiple of ``heads``, or rotary heads have an odd width.
    """

    def __init__(
        self,
        D,
        M,
        n_out,
        seed,
        *,
        heads=4,
        layers=1,
        F=None,
        causal=True,
        positions="sinusoidal",
        norm="pre",
        residual=True,
    ):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(f"positions must be one of {POSITIONS}, got {positions!r}")
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {NORMS}, got {norm!r}")
        if M % heads:
            raise ValueError(f"M must be a multiple of the {heads} heads, got {M}")
        if positions == "rotary" and (M // heads) % 2:
            raise ValueError(f"rotary heads turn pairs and need an even width, got {M // heads}")
        F = 4 * M if F is None else F
        self.n_out, self.heads, self.causal, self.positions = n_out, heads, causal, positions
        options = {"norm": norm, "residual": residual, "rotary": positions == "rotary"}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedding = nn.Linear(D, M)
            self.blocks = nn.ModuleList(
                AttentionBlock(M, heads, F, **options) for _ in range(layers)
            )
            self.readout = nn.Linear(M, n_out)
        self.last_norm = nn.LayerNorm(M) if norm == "pre" else nn.Identity()

    def forward(self, x, state=None):
        """Return the outputs (N, T, n_out) and None: attention carries no state.

        Parameters
        ----------
        x : torch.Tensor of shape (N, T, D)
            Inputs.
        state : None
            For the interface of recurrent layers; anything else is refused.

        Returns
        -------
        outputs : torch.Tensor of shape (N, T, n_out)
            One row a step.
        state : None
            There is none.

        Raises
        ------
        ValueError
            If a state is passed.
        """
        if state is not None:
            raise ValueError("attention carries no state; pass the whole sequence")
        return self.readout(self.features(x)), None

    def features(self, x):
        """Return what the readout reads: the network without its last layer.

        Parameters
        ----------
        x : torch.Tensor of shape (N, T, D)
            Inputs.

        Returns
        -------
        h : torch.Tensor of shape (N, T, M)
            One row a step.
        """
        T = x.shape[1]
        h, bias = self.embedding(x), None
        if self.positions == "sinusoidal":
            h = h + _sinusoids(T, h.shape[-1], h.dtype)
        elif self.positions == "distance":
            bias = _distances(T, self.heads, h)
        mask = torch.ones(T, T, dtype=torch.bool).tril() if self.causal else None
        for block in self.blocks:
            h = block(h, mask, bias)
        return self.last_norm(h)
