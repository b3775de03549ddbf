//! Shamir's secret sharing over GF(2^8), as sops splits a data key between key groups.
//!
//! A part is the value of a polynomial for each byte, and the point at which it was taken. The field is
//! that of AES; products are computed without tables, so that their time does not tell the operands.

use zeroize::Zeroizing;

/// A part: one byte for each byte of the secret, then the point.
pub(super) type Part = Zeroizing<Vec<u8>>;

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & 0u8.wrapping_sub(b & 1);
        let carry = 0u8.wrapping_sub(a >> 7);
        a = (a << 1) ^ (0x1b & carry);
        b >>= 1;
    }
    product
}

/// The inverse, a^254; that of 0 is 0.
fn invert(a: u8) -> u8 {
    let mut power = a;
    let mut inverse = 1;
    for _ in 0..7 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
    }
    inverse
}

/// Combines parts: the value at 0 of the polynomial through all of them.
///
/// `None` for fewer than two parts, parts of different or no length, and parts of the same point.
pub(super) fn combine(parts: &[Part]) -> Option<Zeroizing<Vec<u8>>> {
    let length = parts.first()?.len();
    if parts.len() < 2 || length < 2 || parts.iter().any(|p| p.len() != length) {
        return None;
    }
    let points: Vec<u8> = parts.iter().map(|p| p[length - 1]).collect();
    let distinct = (1..points.len()).all(|i| !points[..i].contains(&points[i]));
    if !distinct {
        return None;
    }
    let weights: Vec<u8> = (0..points.len()).map(|i| weight(&points, i)).collect();
    let byte = |at: usize| {
        let terms = parts.iter().zip(&weights).map(|(p, w)| multiply(p[at], *w));
        terms.fold(0, |sum, term| sum ^ term)
    };
    Some(Zeroizing::new((0..length - 1).map(byte).collect()))
}

/// The weight of a part at 0: the product of x_j / (x_j - x_i) over the others.
fn weight(points: &[u8], i: usize) -> u8 {
    let others = points.iter().enumerate().filter(|(j, _)| *j != i);
    others.fold(1, |weight, (_, x)| {
        multiply(weight, multiply(*x, invert(*x ^ points[i])))
    })
}

/// Splits a secret into `count` parts, any `threshold` of which give it back.
///
/// `random` fills bytes: the coefficients above the constant one. The points are 1, 2, 3, ….
pub(super) fn split(
    secret: &[u8],
    count: u8,
    threshold: u8,
    mut random: impl FnMut(&mut [u8]),
) -> Vec<Part> {
    let mut parts: Vec<Part> = (1..=count)
        .map(|point| {
            let mut part = Zeroizing::new(vec![0; secret.len() + 1]);
            part[secret.len()] = point;
            part
        })
        .collect();
    let mut coefficients = Zeroizing::new(vec![0; usize::from(threshold.saturating_sub(1))]);
    for (at, byte) in secret.iter().enumerate() {
        random(&mut coefficients);
        for part in &mut parts {
            let point = part[secret.len()];
            let above = coefficients.iter().rev();
            part[at] = above.fold(0, |sum, c| multiply(sum ^ c, point)) ^ byte;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Part, combine, invert, multiply, split};

    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert!((1..=255).all(|a| multiply(a, invert(a)) == 1));
    }

    #[test]
    fn any_threshold_parts_give_the_secret_back() {
        let mut seed = 1u8;
        let parts = split(b"a data key", 4, 3, |bytes| {
            for byte in bytes {
                seed = seed.wrapping_mul(73).wrapping_add(41);
                *byte = seed;
            }
        });
        for skipped in 0..4 {
            let mut some: Vec<Part> = parts.clone();
            some.remove(skipped);
            assert_eq!(
                combine(&some).as_deref().map(Vec::as_slice),
                Some(&b"a data key"[..])
            );
            some.pop();
            assert_ne!(
                combine(&some).as_deref().map(Vec::as_slice),
                Some(&b"a data key"[..])
            );
        }
        assert!(combine(&parts[..1]).is_none());
        assert!(combine(&[parts[0].clone(), parts[0].clone()]).is_none());
    }
}
