"""The convolutional teacher, the small CLIP student, and the student's Hugging Face export."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

# ---------------------------------------------------------------- teacher


class TeacherBlock(nn.Module):
    def __init__(self, i: int, o: int):
        super().__init__()
        self.c1 = nn.Conv2d(i, o, 3, padding=1, bias=False)
        self.c2 = nn.Conv2d(o, o, 3, padding=1, bias=False)
        self.n1, self.n2 = nn.BatchNorm2d(o), nn.BatchNorm2d(o)
        for c in (self.c1, self.c2):
            nn.init.dirac_(c.weight.data[: c.in_channels])
        for n in (self.n1, self.n2):
            n.weight.requires_grad = False

    def forward(self, x):
        x = F.gelu(self.n1(F.max_pool2d(self.c1(x), 2)))
        return F.gelu(self.n2(self.c2(x)))


class Teacher(nn.Module):
    """A narrow relative of Keller Jordan's airbench networks: a fixed whitening layer and three blocks."""

    def __init__(self, widths=(48, 128, 192)):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        self.b1 = TeacherBlock(24, widths[0])
        self.b2 = TeacherBlock(widths[0], widths[1])
        self.b3 = TeacherBlock(widths[1], widths[2])
        self.head = nn.Linear(widths[2], 10, bias=False)

    @torch.no_grad()
    def init_whiten(self, x, eps=5e-4):
        vals, vecs = patch_pca(x, 2, 1)
        w = vecs.T.reshape(-1, 3, 2, 2) / (vals.view(-1, 1, 1, 1) + eps).sqrt()
        self.whiten.weight.copy_(torch.cat([w, -w]))
        self.whiten.bias.zero_()

    def forward(self, x):
        x = self.b3(self.b2(self.b1(F.gelu(self.whiten(x)))))
        return self.head(F.max_pool2d(x, 3).flatten(1)) / 9


def patch_pca(x, size, stride):
    p = (
        x.unfold(2, size, stride)
        .unfold(3, size, stride)
        .permute(0, 2, 3, 1, 4, 5)
        .reshape(-1, 3 * size * size)
    )
    vals, vecs = torch.linalg.eigh(((p.T @ p) / len(p)).cpu())
    return vals.to(x.device), vecs.to(x.device)


# ---------------------------------------------------------------- student


QUICK = 1.702  # quick_gelu(h) = h * sigmoid(1.702 h) = silu(1.702 h) / 1.702


class Layer(nn.Module):
    """A pre-norm transformer layer.

    Two things differ from the exported layout, for speed: q, k and v are one matrix, and the
    constant of quick_gelu is folded into fc1 and fc2, so that the plain silu can be used (on
    CPUs its backward pass is several times faster than gelu's).
    """

    def __init__(self, width: int, heads: int, mlp: int):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, mlp), nn.Linear(mlp, width)
        for m in (self.qkv, self.out, self.fc1, self.fc2):
            nn.init.normal_(m.weight, std=m.in_features**-0.5)
            nn.init.zeros_(m.bias)
        self.out.weight.data.mul_(0.5)
        self.fc1.weight.data.mul_(QUICK)
        self.fc2.weight.data.mul_(0.3 / QUICK)

    def forward(self, x, causal: bool, cls_only: bool = False):
        b, t, d = x.shape
        q, k, v = (
            self.qkv(self.ln1(x)).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        if cls_only:  # the last image layer: only the first token is read
            q, x = q[:, :, :1], x[:, :1]
        a = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.out(a.transpose(1, 2).reshape(b, -1, d))
        return x + self.fc2(F.silu(self.fc1(self.ln2(x))))


class ImageTower(nn.Module):
    def __init__(self, cfg: dict, out: int):
        super().__init__()
        w, self.patch = cfg["hidden_size"], cfg["patch_size"]
        self.grid = cfg["image_size"] // self.patch
        self.patches = nn.Linear(3 * self.patch**2, w, bias=False)
        self.cls = nn.Parameter(torch.randn(w) * 0.3)
        self.pos = nn.Parameter(torch.zeros(1 + self.grid**2, w))
        self.pre, self.post = nn.LayerNorm(w), nn.LayerNorm(w)
        self.layers = nn.ModuleList(
            Layer(w, cfg["num_attention_heads"], cfg["intermediate_size"])
            for _ in range(cfg["num_hidden_layers"])
        )
        self.proj = nn.Linear(w, out, bias=False)
        nn.init.normal_(self.proj.weight, std=w**-0.5)
        self.init_local()

    @torch.no_grad()
    def init_local(self, pos_dims: int = 16, sharpness: float = 1.3):
        """Start as a local network.

        A few channels of the residual stream carry 2-D sinusoidal positions, and each head's q
        and k read those channels so that the head looks at its own offset on the patch grid
        (after Trockman & Kolter 2023, mimetic initialization, and Zheng et al. 2024, structured
        initialization). Without this a transformer needs many epochs to discover locality.
        """
        w, g, n = self.pos.shape[1], self.grid, pos_dims // 4
        freqs = 2 * math.pi * torch.arange(1, n + 1) / (2 * g)
        yy, xx = torch.meshgrid(torch.arange(g), torch.arange(g), indexing="ij")
        code = [
            f(c.reshape(-1, 1) * freqs)
            for c in (xx, yy)
            for f in (torch.cos, torch.sin)
        ]
        self.pos.zero_()
        self.pos[1:, :pos_dims] = torch.cat(code, 1) * math.sqrt(2)
        self.cls[:pos_dims] = 0
        self.patches.weight[:pos_dims] = 0
        ring = [
            (0, 0),
            (1, 0),
            (-1, 0),
            (0, 1),
            (0, -1),
            (1, 1),
            (-1, -1),
            (1, -1),
            (-1, 1),
        ]
        for depth, layer in enumerate(self.layers):
            hd = w // layer.heads
            q, k, _ = layer.qkv.weight.view(3, layer.heads, hd, w)
            q.mul_(0.15), k.mul_(0.15)
            m = min(n, hd // 4)
            for h in range(layer.heads):
                dx, dy = ring[(h + depth * 4) % len(ring)]
                gain = math.sqrt(sharpness * math.sqrt(hd) / 2)
                for axis, delta in ((0, dx), (1, dy)):
                    for i in range(m):
                        c, s = (
                            axis * 2 * n + i,
                            axis * 2 * n + n + i,
                        )  # cos and sin channels
                        row = axis * 2 * m + 2 * i
                        cd, sd = (
                            torch.cos(freqs[i] * delta),
                            torch.sin(freqs[i] * delta),
                        )
                        k[h, row, c] += gain
                        k[h, row + 1, s] += gain
                        # cos(f(x + delta)), sin(f(x + delta))
                        q[h, row, c] += gain * cd
                        q[h, row, s] -= gain * sd
                        q[h, row + 1, s] += gain * cd
                        q[h, row + 1, c] += gain * sd
            layer.out.weight[:pos_dims] *= 0.2
            layer.fc2.weight[:pos_dims] *= 0.2

    @torch.no_grad()
    def init_patches(self, x, pos_dims: int = 16, eps: float = 3e-2):
        """Patch filters: a random rotation of the whitened patch, which evens out frequencies."""
        vals, vecs = patch_pca(x, self.patch, self.patch)
        n = vals.numel()
        rows = self.patches.weight.shape[0] - pos_dims
        rot, _ = torch.linalg.qr(torch.randn(max(rows, n), n))
        filters = rot[:rows].to(x.device) @ (vecs / (vals + eps).sqrt()).T
        self.patches.weight[pos_dims:] = filters * math.sqrt(rows / n)

    def forward(self, x, keep=None):
        """`keep`: (batch, kept) patch numbers, or None for all patches."""
        b, p, g = x.shape[0], self.patch, self.grid
        x = (
            x.reshape(b, 3, g, p, g, p)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(b, g * g, 3 * p * p)
        )
        pos = self.pos[1:]
        if keep is not None:
            x = x.gather(1, keep[:, :, None].expand(-1, -1, x.shape[2]))
            pos = pos[keep]
        x = self.patches(x) + pos
        x = torch.cat([(self.cls + self.pos[0]).expand(b, 1, -1), x], 1)
        x = self.pre(x)
        for layer in self.layers[:-1]:
            x = layer(x, causal=False)
        x = self.layers[-1](x, causal=False, cls_only=True)
        return self.proj(self.post(x[:, 0]))


class TextTower(nn.Module):
    def __init__(self, cfg: dict, out: int):
        super().__init__()
        w = cfg["hidden_size"]
        self.eos = cfg["eos_token_id"]
        self.tok = nn.Embedding(cfg["vocab_size"], w)
        self.pos = nn.Parameter(torch.randn(cfg["max_position_embeddings"], w) * 0.1)
        nn.init.normal_(self.tok.weight, std=0.5)
        self.layers = nn.ModuleList(
            Layer(w, cfg["num_attention_heads"], cfg["intermediate_size"])
            for _ in range(cfg["num_hidden_layers"])
        )
        self.final = nn.LayerNorm(w)
        self.proj = nn.Linear(w, out, bias=False)
        nn.init.normal_(self.proj.weight, std=w**-0.5)

    def forward(self, ids):
        x = self.tok(ids) + self.pos[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, causal=True)
        end = (ids == self.eos).int().argmax(1)
        return self.proj(self.final(x[torch.arange(len(ids), device=ids.device), end]))

    def hf_state(self) -> dict[str, torch.Tensor]:
        """Weights under the names of transformers' CLIPModel."""
        out = {
            "text_model.embeddings.token_embedding.weight": self.tok.weight,
            "text_model.embeddings.position_embedding.weight": self.pos,
            "text_projection.weight": self.proj.weight,
        }
        put(out, "text_model.final_layer_norm", self.final)
        put_layers(out, "text_model", self.layers)
        return plain(out)


def put(out: dict, name: str, module) -> None:
    out[name + ".weight"], out[name + ".bias"] = module.weight, module.bias


def put_layers(out: dict, tower: str, layers) -> None:
    """The inverse of what Layer folds together, for all layers of a tower."""
    for i, layer in enumerate(layers):
        at = f"{tower}.encoder.layers.{i}."
        put(out, at + "layer_norm1", layer.ln1)
        put(out, at + "layer_norm2", layer.ln2)
        out[at + "mlp.fc1.weight"] = layer.fc1.weight / QUICK
        out[at + "mlp.fc1.bias"] = layer.fc1.bias / QUICK
        out[at + "mlp.fc2.weight"] = layer.fc2.weight * QUICK
        out[at + "mlp.fc2.bias"] = layer.fc2.bias
        put(out, at + "self_attn.out_proj", layer.out)
        for j, n in enumerate("qkv"):
            out[f"{at}self_attn.{n}_proj.weight"] = layer.qkv.weight.chunk(3)[j]
            out[f"{at}self_attn.{n}_proj.bias"] = layer.qkv.bias.chunk(3)[j]


def plain(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k: w.detach().float().cpu().contiguous().clone() for k, w in state.items()}


class Student(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.image = ImageTower(config["vision_config"], config["projection_dim"])
        self.text = TextTower(config["text_config"], config["projection_dim"])
        self.logit_scale = nn.Parameter(torch.tensor(math.log(30.0)))

    def hf_state(self) -> dict[str, torch.Tensor]:
        """Weights under the names of transformers' CLIPModel."""
        out = {"logit_scale": self.logit_scale}
        v, t = self.image, self.text
        p = self.image.patch
        out["vision_model.embeddings.class_embedding"] = v.cls
        out["vision_model.embeddings.patch_embedding.weight"] = v.patches.weight.view(
            -1, 3, p, p
        )
        out["vision_model.embeddings.position_embedding.weight"] = v.pos
        put(out, "vision_model.pre_layrnorm", v.pre)
        put(out, "vision_model.post_layernorm", v.post)
        put_layers(out, "vision_model", v.layers)
        out |= t.hf_state()
        out["visual_projection.weight"] = v.proj.weight
        return plain(out)

    @torch.no_grad()
    def load_hf_state(self, state: dict[str, torch.Tensor]) -> None:
        """The inverse of hf_state, to train an exported checkpoint further."""
        back = {"logit_scale": self.logit_scale}
        v, t = self.image, self.text
        back["vision_model.embeddings.class_embedding"] = v.cls
        back["vision_model.embeddings.patch_embedding.weight"] = v.patches.weight
        back["vision_model.embeddings.position_embedding.weight"] = v.pos
        back["text_model.embeddings.token_embedding.weight"] = t.tok.weight
        back["text_model.embeddings.position_embedding.weight"] = t.pos
        back["visual_projection.weight"], back["text_projection.weight"] = (
            v.proj.weight,
            t.proj.weight,
        )

        def take(name, module):
            back[name + ".weight"], back[name + ".bias"] = module.weight, module.bias

        take("vision_model.pre_layrnorm", v.pre)
        take("vision_model.post_layernorm", v.post)
        take("text_model.final_layer_norm", t.final)
        for tower, stack in (("vision_model", v.layers), ("text_model", t.layers)):
            for i, layer in enumerate(stack):
                at = f"{tower}.encoder.layers.{i}."
                take(at + "layer_norm1", layer.ln1)
                take(at + "layer_norm2", layer.ln2)
                take(at + "self_attn.out_proj", layer.out)
                layer.fc1.weight.copy_(state[at + "mlp.fc1.weight"] * QUICK)
                layer.fc1.bias.copy_(state[at + "mlp.fc1.bias"] * QUICK)
                layer.fc2.weight.copy_(state[at + "mlp.fc2.weight"] / QUICK)
                layer.fc2.bias.copy_(state[at + "mlp.fc2.bias"])
                for kind in ("weight", "bias"):
                    parts = [state[f"{at}self_attn.{n}_proj.{kind}"] for n in "qkv"]
                    getattr(layer.qkv, kind).copy_(torch.cat(parts))
        for name, parameter in back.items():
            parameter.copy_(state[name].view_as(parameter))


def clip_config(
    vocab_size: int,
    width=128,
    depth=6,
    heads=8,
    mlp=512,
    projection=128,
    text_width=96,
    text_depth=3,
    text_heads=3,
) -> dict:
    bos, eos = vocab_size - 2, vocab_size - 1
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": projection,
        "logit_scale_init_value": math.log(30.0),
        "initializer_factor": 1.0,
        "torch_dtype": "float32",
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": vocab_size,
            "hidden_size": text_width,
            "intermediate_size": 4 * text_width,
            "num_hidden_layers": text_depth,
            "num_attention_heads": text_heads,
            "max_position_embeddings": 32,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
            "attention_dropout": 0.0,
            "projection_dim": projection,
            "bos_token_id": bos,
            "eos_token_id": eos,
            "pad_token_id": eos,
        },
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": width,
            "intermediate_size": mlp,
            "num_hidden_layers": depth,
            "num_attention_heads": heads,
            "num_channels": 3,
            "image_size": 32,
            "patch_size": 4,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
            "attention_dropout": 0.0,
            "projection_dim": projection,
        },
    }
