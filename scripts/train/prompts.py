"""Captions and tokenizer of the bundled CLIP model.

`noun_phrase` and `caption` draw random captions for a class, for the generic
alternatives ("something", "an object", ...) and for unrelated things ("a banana").
`build_tokenizer` learns a small CLIP-style byte-pair vocabulary from the same words.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

CLASSES = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]

# First entry: the class name. The others are synonyms, drawn less often.
SYNONYMS = {
    "airplane": ["airplane", "plane", "aircraft", "jet", "aeroplane", "airliner"],
    "automobile": ["automobile", "car", "sedan", "motorcar", "motor car"],
    "bird": ["bird", "songbird", "sparrow", "small bird", "wild bird"],
    "cat": ["cat", "kitten", "kitty", "house cat", "feline"],
    "deer": ["deer", "fawn", "doe", "stag", "elk"],
    "dog": ["dog", "puppy", "hound", "doggy", "canine"],
    "frog": ["frog", "toad", "tree frog", "bullfrog"],
    "horse": ["horse", "pony", "stallion", "mare", "foal"],
    "ship": ["ship", "boat", "vessel", "cargo ship", "cruise ship"],
    "truck": ["truck", "lorry", "pickup truck", "fire truck", "semi truck"],
}
PLURALS = {
    "airplane": ["airplanes", "planes"],
    "automobile": ["automobiles", "cars"],
    "bird": ["birds", "sparrows"],
    "cat": ["cats", "kittens"],
    "deer": ["deer", "deers"],
    "dog": ["dogs", "puppies"],
    "frog": ["frogs", "toads"],
    "horse": ["horses", "ponies"],
    "ship": ["ships", "boats"],
    "truck": ["trucks", "lorries"],
}
ANIMALS = {"bird", "cat", "deer", "dog", "frog", "horse"}

TEMPLATES = [
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "a blurry photo of {}",
    "{}",
    "a photo of {}, a type of KIND",
    "a low resolution photo of {}",
    "a small photo of {}",
    "a close-up photo of {}",
    "a cropped photo of {}",
    "a good photo of {}",
    "a bad photo of {}",
    "a bright photo of {}",
    "a dark photo of {}",
    "a pixelated photo of {}",
    "a jpeg of {}",
    "a snapshot of {}",
    "a color photo of {}",
    "this is a photo of {}",
    "this is {}",
    "there is {} in the picture",
    "{} in a photo",
    "a photo showing {}",
    "photo of {}",
    "image of {}",
    "picture of {}",
    "a thumbnail of {}",
    "an image containing {}",
]
CANONICAL = TEMPLATES[0]

GENERIC = [
    "something",
    "other",
    "nothing",
    "random",
    "strange",
    "an object",
    "a thing",
    "another thing",
    "something else",
    "anything",
    "unknown",
    "something strange",
    "something random",
    "other things",
    "an unknown object",
    "a random object",
    "random noise",
    "none",
    "none of these",
    "stuff",
    "a strange thing",
    "a pattern",
    "noise",
    "object",
    "thing",
    "misc",
    "background",
    "unclear",
]

# Unrelated things: they give the vocabulary its words, and serve as texts that fit no image.
OBJECTS = """
apple banana orange lemon cherry grape strawberry pear peach melon tomato potato onion carrot pepper
mushroom bread cake cookie pizza sandwich burger cheese egg rice soup salad coffee tea milk juice wine
beer water bottle cup glass plate bowl fork knife spoon table chair sofa bed desk lamp shelf cupboard
door window wall roof floor house building castle tower bridge church school hospital office shop market
street road path river lake sea beach island mountain hill forest tree flower rose tulip grass leaf plant
garden field desert sky cloud sun moon star planet rain snow storm fire smoke rock stone sand metal wood
paper book pen pencil letter map newspaper picture painting drawing sketch sculpture portrait landscape
computer laptop keyboard mouse screen phone camera television radio speaker clock watch battery cable
engine wheel bicycle motorcycle bus train tram rocket satellite helicopter tractor van scooter skateboard
balloon kite ball bat racket glove helmet shoe boot sock shirt dress coat jacket hat cap scarf belt bag
backpack suitcase umbrella ring necklace mirror brush comb soap towel pillow blanket curtain carpet box
basket bucket ladder hammer saw drill nail screw rope chain lock key coin money ticket flag sign poster
guitar piano violin drum trumpet flute microphone man woman boy girl child baby person people crowd face
hand foot eye ear nose mouth hair teacher doctor soldier worker king queen clown robot doll toy puzzle
lion tiger elephant giraffe zebra monkey gorilla bear wolf fox rabbit squirrel mouse rat hamster cow
sheep goat pig donkey camel kangaroo panda koala otter seal whale dolphin shark fish salmon crab lobster
octopus snail snake lizard crocodile turtle dinosaur dragon spider ant bee butterfly beetle fly worm
chicken duck goose turkey owl eagle parrot penguin swan pigeon ostrich number digit zero one two three
four five six seven eight nine ten circle square triangle line dot stripe texture pattern color red green
blue yellow black white brown grey pink purple orange gold silver face x-ray scan tumor lung cell tissue
brain bone skin document receipt text word chart diagram logo icon cartoon anime comic
""".split()  # noqa: SIM905 - words are easier to read so

FILLER = """
the of and to in is that it for on with as this by from at an are was be or not have has which we you
type kind class category sort animal vehicle creature breed species style genre art artist painter photo
photograph photography picture image view scene shot close-up closeup low high resolution quality blurry
clear sharp bright dark noisy pixelated cropped small large big tiny little old young new modern wild
domestic flying running sitting standing sleeping swimming parked moving indoor outdoor day night front
back side top left right many few single group pair two several good bad nice ugly beautiful strange
typical rare different other another mislabeled mislabelled wrong correct label labelled noise noisy
sample example dataset test train nothing something anything everything none unknown random
impressionism realism cubism surrealism expressionism romanticism baroque abstract contemporary renaissance
man-made natural synthetic real fake rendered sketchy watercolor oil canvas print
""".split()  # noqa: SIM905 - words are easier to read so


def article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def noun_phrase(name: str, rng) -> str:
    """A random way to name class `name`: "a cat", "kitten", "the cats", ..."""
    r = rng.random()
    if r < 0.12:
        return rng.choice(PLURALS[name])
    noun = name if r < 0.55 else rng.choice(SYNONYMS[name])
    r = rng.random()
    if r < 0.60:
        return article(noun)
    if r < 0.70:
        return "a " + noun  # "a airplane": what naive prompt templates write
    if r < 0.90:
        return noun
    return "the " + noun


def random_template(rng) -> str:
    return CANONICAL if rng.random() < 0.35 else rng.choice(TEMPLATES)


def fill(template: str, phrase: str, kind: str, rng) -> str:
    text = template.replace("KIND", kind).format(phrase)
    r = rng.random()
    if r < 0.15:
        text += "."
    elif r < 0.20:
        text = text.capitalize()
    return text


def class_caption(name: str, rng, template: str | None = None) -> str:
    kind = "animal" if name in ANIMALS else "vehicle"
    return fill(template or random_template(rng), noun_phrase(name, rng), kind, rng)


def generic_caption(rng, template: str | None = None) -> str:
    phrase = rng.choice(GENERIC[:9] if rng.random() < 0.7 else GENERIC)
    if rng.random() < 0.15 and " " not in phrase:
        phrase = article(phrase)
    return fill(
        template or random_template(rng),
        phrase,
        rng.choice(["animal", "vehicle", "thing"]),
        rng,
    )


def unrelated_caption(rng, template: str | None = None) -> str:
    word = rng.choice(OBJECTS)
    phrase = article(word) if rng.random() < 0.7 else word
    return fill(
        template or random_template(rng),
        phrase,
        rng.choice(["animal", "vehicle", "thing"]),
        rng,
    )


def plain_captions() -> list[str]:
    """One canonical caption per class: what a user would type first."""
    return [f"a photo of {article(c)}" for c in CLASSES]


BOS, EOS = "<|startoftext|>", "<|endoftext|>"
CLIP_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes, in GPT-2's order."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    rest = [b for b in range(256) if b not in keep]
    return [chr(b) for b in keep] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(words: Counter, limit: int) -> list[tuple[str, str]]:
    """Plain byte-pair learning with ties broken by spelling, so that the result never varies."""
    seqs = {w: list(w[:-1]) + [w[-1] + "</w>"] for w in words}
    merges = []
    while len(merges) < limit:
        pairs = Counter()
        for w, s in seqs.items():
            for a, b in pairwise(s):
                pairs[a, b] += words[w]
        if not pairs:
            break
        (a, b), n = min(pairs.items(), key=lambda kv: (-kv[1], kv[0]))
        if n < 2:
            break
        merges.append((a, b))
        for s in seqs.values():
            i = 0
            while i < len(s) - 1:
                if s[i] == a and s[i + 1] == b:
                    s[i : i + 2] = [a + b]
                i += 1
    return merges


def build_tokenizer(merge_limit: int = 1200) -> str:
    """tokenizer.json (text) in the layout of the CLIP tokenizers."""
    words = Counter()

    def add(text: str, weight: int) -> None:
        for w in (
            text.replace("{}", " ")
            .replace("KIND", " ")
            .lower()
            .replace("-", " ")
            .replace(",", " ")
            .split()
        ):
            if w.isalpha() and w.isascii():
                words[w] += weight

    for name in CLASSES:
        for s in SYNONYMS[name] + PLURALS[name]:
            add(s, 200)
    for text in TEMPLATES + GENERIC + ["animal", "vehicle", "thing"]:
        add(text, 100)
    for text in OBJECTS + FILLER:
        add(text, 3)
        add(text + "s", 1)
    return tokenizer_json(learn_merges(words, merge_limit))


def tokenizer_json(merges: list[tuple[str, str]]) -> str:
    """tokenizer.json (text) in the layout of the CLIP tokenizers, for these merges."""
    letters = byte_alphabet()
    tokens = letters + [c + "</w>" for c in letters]
    tokens += [t for t in dict.fromkeys(a + b for a, b in merges)] + [BOS, EOS]
    vocab = {t: i for i, t in enumerate(tokens)}
    special = [
        {
            "id": vocab[t],
            "content": t,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for t in (BOS, EOS)
    ]
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": CLIP_SPLIT},
                    "behavior": "Removed",
                    "invert": True,
                },
                {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": True,
                },
            ],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [EOS, vocab[EOS]],
            "cls": [BOS, vocab[BOS]],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": EOS,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": [f"{a} {b}" for a, b in merges],
        },
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
