#!/usr/bin/env python3
"""Train the small CLIP model that ships with Chaffinch.

Three steps, all in this script:

1. a small convolutional teacher learns the ten CIFAR-10 classes;
2. the student, a CLIP model (a small image transformer and a small text transformer), learns
   to give each image the teacher's class probabilities, where the classes are captions drawn
   afresh at each step ("a photo of a cat", "kittens", "a blurry picture of the automobile", ...).
   It also learns to weigh each class caption against generic ones ("something", "an object");
3. the moving average of the student (or the student itself, whichever validates better) is
   written in Hugging Face layout.

Only CIFAR-10 training images with index 0..39,999 are read: 0..37,999 train, 38,000..39,999
validate. The file training-ids.txt lists them.

Two CPU cores:
    python train_bundled_clip.py --images CIFAR10_DIR --labels cifar10-train-labels.csv --out OUT \\
        --teacher-minutes 20 --minutes 65
A GPU, longer:
    python train_bundled_clip.py --images CIFAR10_DIR --labels cifar10-train-labels.csv --out OUT \\
        --device cuda --teacher-epochs 40 --teacher-widths 64,256,256 --epochs 300 --pool 0

CIFAR10_DIR holds the image files under the paths of the csv (train/cat/0001.jpg, ...). The csv
has the columns index, path and class_name. With --minutes the learning-rate schedule follows
the clock, so that a run ends on time on any machine; with --epochs it follows the step count,
and a run repeats exactly on the same machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import random
import time
from pathlib import Path

import numpy as np
import prompts
import torch
import torch.nn.functional as F
from models import Student, Teacher, clip_config
from PIL import Image
from prompts import CLASSES
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

N_TRAIN, N_ALL = 38_000, 40_000
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)

# ---------------------------------------------------------------- data


def read_rows(labels: str) -> list[dict]:
    with open(labels, newline="") as f:
        rows = [r for r in csv.DictReader(f) if int(r["index"]) < N_ALL]
    rows.sort(key=lambda r: int(r["index"]))
    assert [int(r["index"]) for r in rows] == list(range(N_ALL))
    return rows


def read_images(root: str, rows: list[dict]) -> tuple[torch.Tensor, torch.Tensor]:
    x = np.stack(
        [
            np.asarray(Image.open(os.path.join(root, r["path"])).convert("RGB"))
            for r in rows
        ]
    )
    y = torch.tensor([CLASSES.index(r["class_name"]) for r in rows])
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))), y


def normalise(x: torch.Tensor) -> torch.Tensor:
    """uint8 pixels to the model's input range."""
    mean = torch.tensor(MEAN, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=x.device).view(1, 3, 1, 1)
    return (x.float() / 255 - mean) / std


def crop_flip(
    x: torch.Tensor, pad: int, flip: torch.Tensor | None = None
) -> torch.Tensor:
    """Shift each image by up to `pad` pixels (edges mirrored), and mirror about half of them."""
    n, dev = len(x), x.device
    x = F.pad(x.float(), (pad,) * 4, "reflect")
    dx, dy = torch.randint(0, 2 * pad + 1, (2, n), device=dev)
    r, size = torch.arange(32, device=dev), 32 + 2 * pad
    x = x.gather(2, (dy[:, None] + r)[:, None, :, None].expand(-1, 3, -1, size))
    x = x.gather(3, (dx[:, None] + r)[:, None, None, :].expand(-1, 3, 32, -1))
    if flip is None:
        flip = torch.rand(n, device=dev) < 0.5
    return torch.where(flip[:, None, None, None], x.flip(3), x)


def zoom(x: torch.Tensor, share: float = 0.5, least: float = 0.7) -> torch.Tensor:
    """A random crop of some images, from `least` of their width and height on, stretched to full size: photos
    from elsewhere are framed and proportioned unlike those of the data set."""
    n, dev = len(x), x.device
    size = torch.rand(n, 2, device=dev) * (1 - least) + least
    size = torch.where(
        torch.rand(n, 1, device=dev) < share, size, torch.ones_like(size)
    )
    centre = (torch.rand(n, 2, device=dev) * 2 - 1) * (1 - size)
    affine = torch.zeros(n, 2, 3, device=dev)
    affine[:, 0, 0], affine[:, 1, 1], affine[:, :, 2] = size[:, 0], size[:, 1], centre
    grid = F.affine_grid(affine, list(x.shape), align_corners=False)
    return F.grid_sample(
        x.float(), grid, mode="bicubic", padding_mode="reflection", align_corners=False
    ).clamp(0, 255)


def jitter(x: torch.Tensor, amount: float = 0.2) -> torch.Tensor:
    """Mild random brightness, contrast and saturation (pixels 0..255, float)."""

    def factor():
        return 1 + (torch.rand(len(x), 1, 1, 1, device=x.device) * 2 - 1) * amount

    x = x * factor()
    m = x.mean((1, 2, 3), keepdim=True)
    x = (x - m) * factor() + m
    grey = x.mean(1, keepdim=True)
    return ((x - grey) * factor() + grey).clamp(0, 255)


def mix(x: torch.Tensor, plain: float = 0.4):
    """Mixup or cutmix with another image of the batch. Returns images, partner and share kept."""
    n, dev = len(x), x.device
    other, kind = torch.randperm(n, device=dev), torch.rand(n, device=dev)
    lam = torch.rand(n, device=dev) * 0.5 + 0.5  # the first image keeps at least half
    blend = x * lam.view(-1, 1, 1, 1) + x[other] * (1 - lam.view(-1, 1, 1, 1))
    side = ((1 - lam).sqrt() * 32).round()
    cx, cy = torch.rand(2, n, device=dev) * (32 - side)
    r = torch.arange(32, device=dev)
    in_x = (r >= cx[:, None].floor()) & (r < (cx.floor() + side)[:, None])
    in_y = (r >= cy[:, None].floor()) & (r < (cy.floor() + side)[:, None])
    cut = torch.where((in_y[:, :, None] & in_x[:, None, :])[:, None], x[other], x)
    lam_cut = 1 - (side / 32) ** 2
    is_cut = kind > plain + (1 - plain) / 2
    out = torch.where(is_cut.view(-1, 1, 1, 1), cut, blend)
    lam = torch.where(is_cut, lam_cut, lam)
    is_plain = kind < plain
    out = torch.where(is_plain.view(-1, 1, 1, 1), x, out)
    return out, other, torch.where(is_plain, torch.ones_like(lam), lam)


def odd_images(x: torch.Tensor, n: int) -> torch.Tensor:
    """Images of nothing: noise, smooth noise, plain colors, stripes and shuffled patches."""
    dev = x.device
    noise = torch.rand(n, 3, 32, 32, device=dev) * 255
    smooth = F.interpolate(
        torch.rand(n, 3, 4, 4, device=dev) * 255, size=32, mode="bilinear"
    )
    plain = (torch.rand(n, 3, 1, 1, device=dev) * 255).expand(-1, -1, 32, 32)
    wave = torch.sin(
        torch.arange(32, device=dev) * (torch.rand(n, 1, device=dev) * 1.5 + 0.2)
    )
    stripes = (wave[:, None, None, :] * 110 + 128).expand(-1, 3, 32, -1)
    b = (
        x[:n]
        .float()
        .reshape(n, 3, 8, 4, 8, 4)
        .permute(0, 2, 4, 1, 3, 5)
        .reshape(n, 64, 3, 4, 4)
    )
    order = torch.rand(n, 64, device=dev).argsort(1)
    b = b.gather(1, order[:, :, None, None, None].expand_as(b))
    shuffled = (
        b.reshape(n, 8, 8, 3, 4, 4).permute(0, 3, 1, 4, 2, 5).reshape(n, 3, 32, 32)
    )
    stack = torch.stack([noise, smooth, plain, stripes, shuffled, shuffled])
    return stack[
        torch.randint(0, len(stack), (n,), device=dev), torch.arange(n, device=dev)
    ]


# ---------------------------------------------------------------- optimization


def orthogonalise(g: torch.Tensor, steps: int = 4) -> torch.Tensor:
    """Newton-Schulz iteration of the Muon optimizer on a batch of matrices."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x.mT if tall else x


class Muon:
    """Muon (K. Jordan 2024) with decoupled weight decay; a fused q-k-v matrix counts as three."""

    def __init__(self, params, lr: float, momentum=0.95, decay=0.1):
        self.params, self.lr, self.momentum, self.decay = (
            list(params),
            lr,
            momentum,
            decay,
        )
        self.buf = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, scale: float, momentum: float | None = None) -> None:
        m = momentum or self.momentum
        by_shape: dict[tuple, list] = {}
        for p, buf in zip(self.params, self.buf):
            buf.lerp_(p.grad, 1 - m)
            u = p.grad.lerp(buf, m)
            parts = 3 if p.shape[0] == 3 * p.shape[1] else 1
            for target, g in zip(p.chunk(parts), u.chunk(parts)):
                by_shape.setdefault(tuple(g.shape), []).append((target, g))
        lr = self.lr * scale
        for shape, items in by_shape.items():
            steps = orthogonalise(torch.stack([g for _, g in items]))
            k = max(1.0, shape[0] / shape[1]) ** 0.5
            for (target, _), u in zip(items, steps):
                target.mul_(1 - lr * self.decay).add_(u, alpha=-lr * k)


class Clock:
    """Progress 0..1 by wall clock (minutes) or by steps (epochs)."""

    def __init__(self, minutes: float, epochs: float, steps_per_epoch: int):
        self.minutes, self.total = minutes, epochs * steps_per_epoch
        self.start = time.time()

    def seconds(self) -> float:
        return time.time() - self.start

    def progress(self, step: int) -> float:
        return step / self.total if self.total else self.seconds() / 60 / self.minutes


# ---------------------------------------------------------------- teacher


def train_teacher(args, x, y, xv, yv) -> Teacher:
    dev = args.device
    widths = tuple(int(w) for w in args.teacher_widths.split(","))
    net = Teacher(widths).to(dev).to(memory_format=torch.channels_last)
    if args.teacher and os.path.exists(args.teacher):
        net.load_state_dict(torch.load(args.teacher, map_location=dev))
        print(
            "teacher read from file, validation accuracy",
            teacher_accuracy(net, xv, yv),
            flush=True,
        )
        return net.eval()
    net.init_whiten(normalise(x[:4000]))
    filters = [p for p in net.parameters() if p.ndim == 4 and p.requires_grad]
    biases = [p for p in net.parameters() if p.ndim == 1 and p.requires_grad]
    sgd = torch.optim.SGD(
        [
            {"params": biases, "lr": 0.053, "weight_decay": 0.038},
            {"params": [net.head.weight], "lr": 0.5, "weight_decay": 0.003},
        ],
        momentum=0.85,
        nesterov=True,
    )
    base = [g["lr"] for g in sgd.param_groups]
    buf = [torch.zeros_like(p) for p in filters]
    batch = 500
    clock = Clock(args.teacher_minutes, args.teacher_epochs, len(x) // batch)
    step = epoch = 0
    mirrored = torch.rand(len(x), device=dev) < 0.5
    while clock.progress(step) < 1:
        net.train()
        mirrored = ~mirrored
        for idx in torch.randperm(len(x), device=dev)[: len(x) // batch * batch].split(
            batch
        ):
            if (p := clock.progress(step)) >= 1:
                break
            scale = (1 - p) * min(1, (step + 1) / 20)
            b = normalise(crop_flip(x[idx], 2, mirrored[idx])).contiguous(
                memory_format=torch.channels_last
            )
            with torch.autocast(dev, torch.bfloat16, enabled=dev != "cpu"):
                loss = F.cross_entropy(net(b).float(), y[idx], label_smoothing=0.15)
            net.zero_grad()
            loss.backward()
            for g, lr in zip(sgd.param_groups, base):
                g["lr"] = lr * scale
            sgd.step()
            with torch.no_grad():
                for w, m in zip(filters, buf):
                    m.mul_(0.6).add_(w.grad)
                    u = w.grad.add(m, alpha=0.6).flatten(1)
                    w.mul_(len(w) ** 0.5 / w.norm())
                    w.add_(orthogonalise(u, 3).view_as(w), alpha=-0.17 * scale)
            step += 1
        epoch += 1
        print(
            f"teacher epoch {epoch}  {clock.seconds():.0f} s  validation {teacher_accuracy(net, xv, yv):.4f}",
            flush=True,
        )
    if args.teacher:
        torch.save(net.state_dict(), args.teacher)
    return net.eval()


@torch.no_grad()
def teacher_logits(net, x) -> torch.Tensor:
    net.eval()
    out = []
    for b in x.split(500):
        with torch.autocast(
            x.device.type, torch.bfloat16, enabled=x.device.type != "cpu"
        ):
            out.append(
                net(normalise(b).contiguous(memory_format=torch.channels_last)).float()
            )
    return torch.cat(out)


def teacher_accuracy(net, x, y) -> float:
    return (
        ((teacher_logits(net, x) + teacher_logits(net, x.flip(3))).argmax(1) == y)
        .float()
        .mean()
        .item()
    )


# ---------------------------------------------------------------- student


class Captions:
    """Encodes captions to padded token ids, remembering those seen before."""

    def __init__(self, tokenizer_json: str, seed: int, device: str):
        self.tok = Tokenizer.from_str(tokenizer_json)
        self.eos = self.tok.token_to_id(prompts.EOS)
        self.rng = random.Random(seed)
        self.device, self.seen = device, {}

    def ids(self, texts: list[str]) -> torch.Tensor:
        for t in texts:
            if t not in self.seen:
                self.seen[t] = self.tok.encode(t).ids[:32]
        rows = [self.seen[t] for t in texts]
        n = max(map(len, rows))
        return torch.tensor(
            [r + [self.eos] * (n - len(r)) for r in rows], device=self.device
        )

    def draw(self, sets: int) -> torch.Tensor:
        """`sets` times: ten class captions, two generic ones and two unrelated ones."""
        rng, texts = self.rng, []
        for _ in range(sets):
            shared = prompts.random_template(rng) if rng.random() < 0.6 else None
            texts += [prompts.class_caption(c, rng, shared) for c in CLASSES]
            texts += [
                prompts.generic_caption(rng, shared),
                prompts.generic_caption(rng),
            ]
            texts += [
                prompts.unrelated_caption(rng, shared),
                prompts.unrelated_caption(rng),
            ]
        return self.ids(texts)


class Pool:
    """Augmented, mixed images with the teacher's logits on the very same pixels.

    With size > 0 that many augmented copies of the data set are kept, and later epochs reuse
    them (mirrored at random): the teacher then costs nothing. With size 0 all are recomputed.
    """

    def __init__(self, teacher, x, y, size: int):
        self.teacher, self.x, self.y, self.size, self.kept = teacher, x, y, size, {}

    @torch.no_grad()
    def make(self, idx):
        b = jitter(zoom(crop_flip(self.x[idx], 4)))
        b, other, lam = mix(b)
        b = b.round().to(torch.uint8)
        return b, teacher_logits(self.teacher, b), self.y[idx], self.y[idx[other]], lam

    def epoch(self, number: int, batch: int):
        n = len(self.x) // batch
        slot = number % self.size if self.size else -1
        if slot in self.kept:
            parts = self.kept[slot]
            for idx in torch.randperm(len(parts[0]), device=self.x.device)[
                : n * batch
            ].split(batch):
                yield tuple(p[idx] for p in parts)
            return
        made = []
        for idx in torch.randperm(len(self.x), device=self.x.device)[: n * batch].split(
            batch
        ):
            item = self.make(idx)
            if self.size:
                made.append(item)
            yield item
        if self.size:
            self.kept[slot] = tuple(torch.cat(p) for p in zip(*made))


def student_loss(z, texts, scale, item, odd: int, sets: int):
    """z: image embeddings, `odd` images of nothing last; texts: `sets` groups of 14 embeddings."""
    _, teacher, y1, y2, lam = item
    n = len(y1)
    z = F.normalize(z.float(), dim=-1)
    t = F.normalize(texts.float(), dim=-1).view(sets, 14, -1)
    sim = scale * torch.einsum(
        "snd,skd->snk", z[:n].view(sets, n // sets, -1), t
    ).reshape(n, 14)
    soft = teacher.softmax(1)
    hard = F.one_hot(y1, 10) * lam[:, None] + F.one_hot(y2, 10) * (1 - lam)[:, None]
    logp = sim[:, :10].log_softmax(1)
    distil = F.kl_div(logp, soft, reduction="batchmean")
    label = -(hard * logp).sum(1).mean()
    # Detector: "a cat" against "something" must say yes for cats and no for a random other class.
    generic = sim[:, 10:12].gather(1, torch.randint(0, 2, (n, 1), device=z.device))
    wrong = (y1 + torch.randint(1, 10, (n,), device=z.device)) % 10
    pair = torch.stack([y1, wrong], 1)
    target = 0.5 * (hard + soft).gather(1, pair)
    detect = F.binary_cross_entropy_with_logits(sim.gather(1, pair) - generic, target)
    unrelated = F.softplus(sim[:, 12:] - generic).mean()
    odd_sim = scale * z[n:] @ t[0, :11].T
    nothing = F.cross_entropy(odd_sim, torch.full((odd,), 10, device=z.device))
    total = (
        0.75 * distil + 0.25 * label + 0.3 * detect + 0.05 * unrelated + 0.05 * nothing
    )
    return total, (distil, label, detect, unrelated, nothing)


@torch.no_grad()
def embed(model, x) -> torch.Tensor:
    return torch.cat(
        [F.normalize(model.image(normalise(b)), dim=-1) for b in x.split(500)]
    )


@torch.no_grad()
def check(model, captions: Captions, x, y) -> dict:
    """Zero-shot accuracy and how well the class-against-"something" detectors do."""
    model.eval()
    z, scale = embed(model, x), model.logit_scale.exp()
    t = F.normalize(model.text(captions.ids(prompts.plain_captions())), dim=-1)
    out = {"zero-shot": ((z @ t.T).argmax(1) == y).float().mean().item()}
    accs = []
    for _ in range(5):
        r = F.normalize(model.text(captions.draw(1)[:10]), dim=-1)
        accs.append(((z @ r.T).argmax(1) == y).float().mean().item())
    out["random captions"] = sum(accs) / len(accs)
    g = F.normalize(model.text(captions.ids(["a photo of something"])), dim=-1)
    yes = scale * (z @ t.T - z @ g.T) > 0
    hit = yes.gather(1, y[:, None]).float().mean().item()
    false = (yes.float().sum() - yes.gather(1, y[:, None]).float().sum()).item() / (
        9 * len(y)
    )
    out["detector"] = 0.5 * (hit + 1 - false)
    model.train()
    return out


def export(model: Student, tokenizer_json: str, out: Path) -> None:
    """Write the checkpoint; each file replaces its predecessor in one move."""
    out.mkdir(parents=True, exist_ok=True)
    pre = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": 32},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }
    for name, text in (
        ("config.json", json.dumps(model.config, indent=2) + "\n"),
        ("preprocessor_config.json", json.dumps(pre, indent=2) + "\n"),
        ("tokenizer.json", tokenizer_json),
    ):
        tmp = out / (name + ".tmp")
        tmp.write_text(text, encoding="utf-8")
        tmp.replace(out / name)
    tmp = out / "model.safetensors.tmp"
    save_file(model.hf_state(), tmp, metadata={"format": "pt"})
    tmp.chmod(0o644)
    tmp.replace(out / "model.safetensors")


def train_student(args, teacher, x, y, xv, yv) -> Student:
    dev = args.device
    tokenizer_json = prompts.build_tokenizer()
    captions = Captions(tokenizer_json, args.seed, dev)
    config = clip_config(
        captions.tok.get_vocab_size(),
        width=args.width,
        heads=args.width // args.head_dim,
    )
    model = Student(config)
    model.image.init_patches(normalise(x[:4000].cpu()))
    if args.resume:
        model.load_hf_state(load_file(args.resume / "model.safetensors"))
    model.to(dev)
    average = Student(config).to(dev)
    average.load_state_dict(model.state_dict())
    export(model, tokenizer_json, args.out)
    if args.init_only:
        return average

    layers = [m for m in (*model.image.layers, *model.text.layers)]
    big = [w.weight for m in layers for w in (m.qkv, m.out, m.fc1, m.fc2)]
    ids = {id(p) for p in big}
    rest = [p for p in model.parameters() if id(p) not in ids]
    muon = Muon(big, args.lr, decay=0.1)
    adam = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": 0.02},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=args.adam_lr,
        betas=(0.9, 0.98),
    )
    pool = Pool(teacher, x, y, args.pool)
    batch, odd, sets = args.batch, 12, 4
    clock = Clock(args.minutes, args.epochs, len(x) // batch)
    step = epoch = 0
    last_export = time.time()
    while clock.progress(step) < 1:
        sums = torch.zeros(5)
        for count, item in enumerate(pool.epoch(epoch, batch), 1):
            if (p := clock.progress(step)) >= 1:
                break
            scale = min(1, (step + 1) / 150) * min(1, (1 - p) / 0.8 + 0.01)
            flip = torch.rand(batch, device=dev) < 0.5
            b = torch.where(flip[:, None, None, None], item[0].flip(3), item[0])
            b = normalise(torch.cat([b.float(), odd_images(b, odd)]))
            keep = None
            if (
                p < args.drop_until
            ):  # the larger part of training sees half of the patches
                keep = torch.rand(len(b), 64, device=dev).argsort(1)[:, :32]
            with torch.autocast(dev, torch.bfloat16, enabled=dev != "cpu"):
                z = model.image(b, keep)
                t = model.text(captions.draw(sets))
            loss, parts = student_loss(z, t, model.logit_scale.exp(), item, odd, sets)
            model.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(rest, 1.0)
            for g in adam.param_groups:
                g["lr"] = args.adam_lr * scale
            adam.step()
            muon.step(scale, min(0.95, 0.85 + 0.1 * step / 300))
            with torch.no_grad():
                model.logit_scale.clamp_(max=math.log(100))
                k = min(args.ema, (1 + step) / (10 + step))
                torch._foreach_lerp_(
                    list(average.parameters()), list(model.parameters()), 1 - k
                )
            sums += torch.stack([v.detach() for v in parts]).cpu()
            step += 1
            if step % 50 == 0:
                s = " ".join(f"{v:.3f}" for v in sums / count)
                print(
                    f"  step {step} {clock.seconds():.0f} s progress {p:.3f} losses {s} scale {model.logit_scale.exp():.1f}",
                    flush=True,
                )
        epoch += 1
        if epoch % args.check_every == 0 or clock.progress(step) >= 1:
            c = {k: round(v, 4) for k, v in check(average, captions, xv, yv).items()}
            raw = check(model, captions, xv, yv)["zero-shot"]
            print(
                f"student epoch {epoch} {clock.seconds():.0f} s  {c}  without average {raw:.4f}",
                flush=True,
            )
            if time.time() - last_export > 240 or clock.progress(step) >= 1:
                export(average, tokenizer_json, args.out)
                last_export = time.time()
    # A short run can end with the average lagging behind: keep whichever validates better.
    best = max(average, model, key=lambda m: check(m, captions, xv, yv)["zero-shot"])
    export(best, tokenizer_json, args.out)
    return best


def main() -> None:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "--images", required=True, help="folder that the csv's paths start from"
    )
    p.add_argument(
        "--labels", required=True, help="csv with index, path and class_name"
    )
    p.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    p.add_argument("--device", default="cpu")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=2, help="CPU threads")
    p.add_argument(
        "--teacher", help="file of the teacher's weights: read if there, else written"
    )
    p.add_argument("--teacher-minutes", type=float, default=20)
    p.add_argument(
        "--teacher-epochs", type=float, default=0, help="overrides --teacher-minutes"
    )
    p.add_argument("--teacher-widths", default="48,128,192")
    p.add_argument("--minutes", type=float, default=65, help="student training time")
    p.add_argument("--epochs", type=float, default=0, help="overrides --minutes")
    p.add_argument("--batch", type=int, default=256, help="a multiple of 4")
    p.add_argument(
        "--lr", type=float, default=0.02, help="Muon, for the transformer matrices"
    )
    p.add_argument("--adam-lr", type=float, default=1.5e-3, help="AdamW, for all else")
    p.add_argument(
        "--ema", type=float, default=0.995, help="decay of the weight average"
    )
    p.add_argument(
        "--drop-until",
        type=float,
        default=0.78,
        help="share of training on half the patches",
    )
    p.add_argument(
        "--pool",
        type=int,
        default=8,
        help="augmented copies kept with teacher logits; 0: always new",
    )
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--head-dim", type=int, default=16)
    p.add_argument(
        "--check-every", type=int, default=1, help="epochs between validations"
    )
    p.add_argument(
        "--resume",
        type=Path,
        help="an exported checkpoint of the same shape to train further",
    )
    p.add_argument(
        "--init-only",
        action="store_true",
        help="write the untrained checkpoint and stop",
    )
    p.add_argument(
        "--write-ids", type=Path, help="also write the list of the image files used"
    )
    args = p.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    if args.device != "cpu":
        torch.backends.cuda.matmul.allow_tf32 = True
    rows = read_rows(args.labels)
    if args.write_ids:
        args.write_ids.write_text("".join(r["path"] + "\n" for r in rows))
    x, y = read_images(args.images, rows)
    x, y = x.to(args.device), y.to(args.device)
    xv, yv, x, y = x[N_TRAIN:], y[N_TRAIN:], x[:N_TRAIN], y[:N_TRAIN]
    print(f"{len(x)} training and {len(xv)} validation images", flush=True)
    teacher = None if args.init_only else train_teacher(args, x, y, xv, yv)
    train_student(args, teacher, x, y, xv, yv)


if __name__ == "__main__":
    main()
