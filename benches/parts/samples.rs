//! Made-up content of the kinds that repositories hold.

use std::fmt::Write as _;

use provenance::object::{ObjectId, Sha256};

/// Gives bytes that cannot be compressed.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    blake3::Hasher::new_derive_key("provenance benches noise").finalize_xof().fill(&mut content);
    content
}

/// Gives bf16 weights around zero: an even low byte, a peaked high byte.
pub fn weights(bytes: usize) -> Vec<u8> {
    let values = noise(2 * bytes);
    let value = |seed: &[u8]| {
        let sum: i32 = seed.iter().map(|byte| i32::from(*byte)).sum();
        (sum as f32 - 510.0) / 4000.0
    };
    values
        .chunks_exact(4)
        .flat_map(|seed| ((value(seed).to_bits() >> 16) as u16).to_le_bytes())
        .collect()
}

/// Gives the rows of a CSV table.
pub fn table(bytes: usize) -> Vec<u8> {
    let seeds = noise(4096);
    let mut rows = String::with_capacity(bytes + 128);
    for row in 0.. {
        if rows.len() >= bytes {
            break;
        }
        let seed = |at: usize| u32::from(seeds[(row * 7 + at * 13) % seeds.len()]);
        write!(rows, "{row},train,{}.{:05},", seed(0), seed(1) * 311 + seed(2))
            .expect("a String takes what is written");
        for word in 0..4 + seed(3) as usize % 8 {
            let (first, second) = (seed(4 + word), seed(12 + word));
            write!(rows, "w{} ", first * second % 997).expect("a String takes what is written");
        }
        rows.push('\n');
    }
    rows.truncate(bytes);
    rows.into_bytes()
}

/// Gives an id that depends on a number only.
pub fn id(number: u32) -> ObjectId {
    ObjectId::of(&number.to_le_bytes())
}

/// Gives a SHA-256 that depends on a number only.
pub fn sha256(number: u32) -> Sha256 {
    Sha256::of(&number.to_le_bytes())
}
