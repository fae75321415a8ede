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
    let tokenizer = ClipTokenizer::from_json(text.as_bytes(), Path::new(""), 24, Some(1)).unwrap();
    let ids = tokenizer.encode("the cat").unwrap();
    assert_eq!((ids.len(), ids[23]), (24, 1));
    assert_eq!(tokenizer.encode(&"cat ".repeat(99)).unwrap().last(), Some(&tokenizer.largest_id()));
}

#[test]
fn what_is_no_tokenizer_is_refused() {
    let error = ClipTokenizer::from_json(b"{}", Path::new("m/tokenizer.json"), 77, None).err().unwrap();
    assert!(error.to_string().contains("m/tokenizer.json"), "{error}");
    let error =
        ClipTokenizer::from_vocabulary("{\"a\": 0}", "", Path::new("m/vocab.json"), 77).err().unwrap();
    assert!(error.to_string().contains("<|startoftext|>"), "{error}");
}
