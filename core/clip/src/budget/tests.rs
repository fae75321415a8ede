use super::*;
use std::path::Path;

fn budget(text: &str) -> MemoryBudget {
    text.parse().unwrap()
}

/// A published shape: width, inner width, heads, side of the picture and of a patch.
fn config([width, inner, heads, side, patch]: [usize; 5]) -> ModelConfig {
    let text = format!(
        r#"{{"model_type":"clip_vision_model","hidden_size":{width},"intermediate_size":{inner},"num_hidden_layers":12,
        "num_attention_heads":{heads},"image_size":{side},"patch_size":{patch},"projection_dim":512,"hidden_act":"quick_gelu"}}"#
    );
    ModelConfig::parse(&text, Path::new("config.json")).unwrap()
}

const B32: [usize; 5] = [768, 3072, 12, 224, 32];

/// Image towers that people use.
const PUBLISHED: [(&str, [usize; 5]); 24] = [
    ("CLIP ViT-B/32", B32),
    ("CLIP ViT-B/32 at 256", [768, 3072, 12, 256, 32]),
    ("CLIP ViT-B/16", [768, 3072, 12, 224, 16]),
    ("CLIP ViT-B/16 at 384", [768, 3072, 12, 384, 16]),
    ("CLIP ViT-L/14", [1024, 4096, 16, 224, 14]),
    ("CLIP ViT-L/14 at 336", [1024, 4096, 16, 336, 14]),
    ("CLIP ViT-H/14", [1280, 5120, 16, 224, 14]),
    ("CLIP ViT-H/14 at 378", [1280, 5120, 16, 378, 14]),
    ("CLIP ViT-g/14", [1408, 6144, 16, 224, 14]),
    ("CLIP ViT-bigG/14", [1664, 8192, 16, 224, 14]),
    ("SigLIP B/16", [768, 3072, 12, 224, 16]),
    ("SigLIP B/16 at 384", [768, 3072, 12, 384, 16]),
    ("SigLIP B/16 at 512", [768, 3072, 12, 512, 16]),
    ("SigLIP L/16 at 256", [1024, 4096, 16, 256, 16]),
    ("SigLIP L/16 at 384", [1024, 4096, 16, 384, 16]),
    ("SigLIP so400m/14", [1152, 4304, 16, 224, 14]),
    ("SigLIP so400m/14 at 384", [1152, 4304, 16, 384, 14]),
    ("SigLIP2 so400m/16 at 512", [1152, 4304, 16, 512, 16]),
    ("SigLIP2 giant/16 at 384", [1536, 6144, 16, 384, 16]),
    ("DINOv2 S/14 at 518", [384, 1536, 6, 518, 14]),
    ("DINOv2 B/14 at 518", [768, 3072, 12, 518, 14]),
    ("DINOv2 L/14 at 518", [1024, 4096, 16, 518, 14]),
    ("DINOv2 g/14 at 518", [1536, 6144, 24, 518, 14]),
    ("EVA at 1024, for a wide margin", [1024, 4096, 16, 1024, 14]),
];

#[test]
fn budgets_are_read_as_people_write_them() {
    assert_eq!(budget("2GiB"), budget("2048 MiB"));
    assert_eq!(budget("1 GB").to_string(), ByteSize(1_000_000_000).to_string());
    for wrong in ["", "0", "much", "-1GB", "2 quarts"] {
        let error = wrong.parse::<MemoryBudget>().unwrap_err().to_string();
        assert!(error.contains("such as 6GiB"), "{wrong}: {error}");
    }
}

#[test]
fn batches_of_published_models_stay_countable_in_32_bits_with_sign() {
    let mut beyond = 0;
    for (name, shape) in PUBLISHED {
        let (config, [width, inner, heads, side, patch]) = (config(shape), shape.map(|x| x as u64));
        let batch = usual_batch(&config) as u64;
        let tokens = (side / patch).pow(2) + 1;
        let tensors = [heads * tokens * tokens, tokens * 3 * width, tokens * inner, 3 * side * side];
        for numbers in tensors {
            assert!(batch * numbers < 1 << 31, "{name}: {batch} x {numbers}");
        }
        assert!(batch.is_power_of_two() && batch <= 256, "{name}: {batch}");
        // Enough rows for a product to be worth it.
        assert!(batch * tokens >= 1024, "{name}: {batch} images of {tokens} tokens");
        beyond += u64::from(256 * heads * tokens * tokens >= 1 << 31);
        println!("{name}: batches of {batch}");
    }
    assert!(beyond >= 5, "batches of 256 would not be countable for {beyond}");
    assert_eq!(usual_batch(&config(B32)), 128);
}

#[test]
fn a_batch_depends_on_memory_only_where_it_is_scarce() {
    let (config, weights) = (config(B32), 88_000_000);
    let with = |text: &str, free: Option<u64>| Memory::new(Some(budget(text)), free).batch(&config, weights);
    for text in ["1200MiB", "2GiB", "8GiB", "80GiB"] {
        assert_eq!(with(text, None).unwrap(), 128, "{text}");
    }
    assert_eq!(Memory::new(None, None).batch(&config, weights).unwrap(), 128);
    assert_eq!(Memory::new(None, Some(80 << 30)).batch(&config, weights).unwrap(), 128);
    // The context is part of a budget.
    let few = with("750MiB", None).unwrap();
    assert!(few < 128 && few.is_power_of_two(), "{few}");
    let error = with("600MB", None).unwrap_err().to_string();
    assert!(error.contains("memory budget of") && error.contains("--vram-budget"), "{error}");
    // What other programs leave counts as much.
    assert_eq!(
        with("8GiB", Some(240 << 20)).unwrap(),
        Memory::new(None, Some(240 << 20)).batch(&config, weights).unwrap()
    );
    let error = with("8GiB", Some(50 << 20)).unwrap_err().to_string();
    assert!(error.contains("of free GPU memory") && error.contains("other programs"), "{error}");
}
