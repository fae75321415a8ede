use super::*;

#[derive(serde::Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
}

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn whole() -> ClipTokenizer {
    ClipTokenizer::from_json(read("tokenizer.json").as_bytes(), Path::new("tokenizer.json"), 77, None, None)
        .unwrap()
}

fn pair() -> ClipTokenizer {
    ClipTokenizer::from_vocabulary(&read("vocab.json"), &read("merges.txt"), Path::new("vocab.json"), 77)
        .unwrap()
}

/// Made by `scripts/fixtures/make_clip_fixtures.py` with the reference implementation's `CLIPTokenizer`.
#[test]
fn ids_are_those_of_the_reference_implementation() {
    let fixture: Fixture = serde_json::from_str(&read("cases.json")).unwrap();
    assert!(fixture.cases.len() >= 200);
    for tokenizer in [whole(), pair()] {
        for case in &fixture.cases {
            let ids = tokenizer.encode(&case.text).unwrap();
            let (start, rest) = ids.split_at(case.ids.len());
            assert_eq!(start, case.ids, "{:?}", case.text);
            assert!(rest.iter().all(|id| Some(id) == start.last()), "{:?}", case.text);
            assert!(ids.len() == 77 || ids.len().is_multiple_of(STEP));
        }
    }
}

/// The library panics where it should refuse a decoder.
#[test]
fn a_file_on_which_the_library_panics_is_an_error() {
    let text = read("tokenizer.json");
    let broken = text.replace("\"decoder\":{\"", "\"decoder\":{\"\u{1}");
    assert_ne!(broken, text);
    let read = ClipTokenizer::from_json(broken.as_bytes(), Path::new("tokenizer.json"), 77, None, None);
    let error = read.err().unwrap().to_string();
    assert!(error.contains("it is not a tokenizer"), "{error}");
}

#[test]
fn special_tokens_in_a_prompt_are_no_tokens() {
    let tokenizer = whole();
    let plain = tokenizer.encode("a cat").unwrap();
    for text in [
        "a<|endoftext|>cat",
        "a <|startoftext|> cat",
        "a <|EndOfText|>cat<|endoftext|>",
        "<|startoftext|>a <|endof<|endoftext|>text|> cat",
    ] {
        let ids = tokenizer.encode(text).unwrap();
        let end = tokenizer.largest_id();
        let first = ids.iter().position(|&id| id == end).unwrap();
        assert!(ids[first..].iter().all(|&id| id == end), "{text}: {ids:?}");
        if !text.contains("<|endof<") {
            assert_eq!(ids, plain, "{text}");
        }
    }
}

#[test]
fn padding_fills_the_context() {
    let text = read("tokenizer.json");
    let tokenizer =
        ClipTokenizer::from_json(text.as_bytes(), Path::new(""), 24, Some(Padding { id: Some(1) }), None)
            .unwrap();
    let ids = tokenizer.encode("the cat").unwrap();
    assert_eq!((ids.len(), ids[23]), (24, 1));
    assert_eq!(tokenizer.encode(&"cat ".repeat(99)).unwrap().last(), Some(&tokenizer.largest_id()));
}

#[test]
fn what_is_cut_of_a_text_is_known() {
    let text = read("tokenizer.json");
    let of = |context, padding| {
        ClipTokenizer::from_json(text.as_bytes(), Path::new(""), context, padding, None).unwrap()
    };
    let plain = of(24, None);
    // Between the start and the end of text there is room for 22 words.
    assert_eq!(plain.cut(&"cat ".repeat(22)), None);
    assert_eq!(plain.cut(&"cat ".repeat(23)), Some(22));
    assert_eq!(plain.cut(&"cat ".repeat(999)), Some(22));
    assert_eq!(plain.cut(&"日本".repeat(40)), Some(22));
    assert_eq!((plain.cut(""), plain.cut("a photo of a cat"), plain.cut("é")), (None, None, None));
    // Every token before the cut is in what is read, and none after it.
    let (whole, longer) =
        (plain.encode(&"cat ".repeat(22)), plain.encode(&format!("{}dog", "cat ".repeat(22))));
    assert_eq!(whole, longer);
    let padded = of(24, Some(Padding { id: Some(1) }));
    assert_eq!((padded.cut(&"cat ".repeat(22)), padded.cut(&"cat ".repeat(23))), (None, Some(22)));
}

#[test]
fn what_is_no_tokenizer_is_refused() {
    let error = ClipTokenizer::from_json(b"{}", Path::new("m/tokenizer.json"), 77, None, None).err().unwrap();
    assert!(error.to_string().contains("m/tokenizer.json"), "{error}");
    let error =
        ClipTokenizer::from_vocabulary("{\"a\": 0}", "", Path::new("m/vocab.json"), 77).err().unwrap();
    assert!(error.to_string().contains("<|startoftext|>"), "{error}");
}

/// Padding is the tokenizer's business, as in the reference implementation.
#[test]
fn texts_are_padded_as_the_tokenizer_says() {
    let file = |tokens: &[&str]| {
        let vocabulary: serde_json::Map<String, Value> =
            tokens.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect();
        json!({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
            "post_processor": null, "decoder": null, "truncation": null, "padding": null,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"}})
        .to_string()
    };
    let (gemma, first) =
        (file(&["<pad>", "<eos>", "<unk>", "cat"]), file(&["<pad>", "</s>", "<unk>", "cat"]));
    let read = |text: &str, id, described| {
        ClipTokenizer::from_json(
            text.as_bytes(),
            Path::new("m/tokenizer.json"),
            4,
            Some(Padding { id }),
            described,
        )
    };
    let padded = |text: &str, id, described| read(text, id, described).unwrap().padding().unwrap().0;
    assert_eq!(padded(&gemma, None, None), 0, "SigLIP 2");
    assert_eq!(padded(&first, None, None), 1, "the first SigLIP");
    assert_eq!(padded(&gemma, Some(1), None), 1, "a configuration that says so");
    let described = r#"{"pad_token": {"content": "<pad>"}, "eos_token": "<eos>", "add_eos_token": true}"#;
    assert_eq!(padded(&gemma, Some(1), Some(described)), 0, "the tokenizer takes precedence");
    let tokenizer = read(&gemma, None, Some(described)).unwrap();
    assert_eq!(tokenizer.cleaned(Cleaning::Lower).encode("CAT").unwrap(), [3, 1, 0, 0]);
    let left = read(&gemma, None, Some(r#"{"padding_side": "left"}"#)).unwrap();
    assert_eq!(left.encode("cat").unwrap(), [0, 0, 0, 3]);
    let error = read(&gemma, None, Some(r#"{"pad_token": "[PAD]"}"#)).err().unwrap().to_string();
    assert!(error.contains("m/tokenizer.json") && error.contains("[PAD]"), "{error}");
    assert!(read(&gemma, Some(99), None).is_err());
}

#[test]
fn texts_are_cleaned_as_in_training() {
    assert_eq!(clean("A_photo, of  THE cat!", Cleaning::Canonical), "a photo of the cat");
    assert_eq!(clean("A Photo.", Cleaning::Lower), "a photo.");
    assert_eq!(clean("A Photo.", Cleaning::None), "A Photo.");
}
