//! The order of keys: go-yaml v2's natural order, in which `a9` comes before `a10`.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

/// Compares two keys as go-yaml v2 sorts them.
///
/// At the first difference: letters among themselves by code point, others before letters, runs of digits by
/// their value. The order is not transitive (`10` < `1a` < `2` < `10`), so `slice::sort_by` must not see it.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (left, right) = (a.as_bytes(), b.as_bytes());
    let same = left.iter().zip(right).take_while(|(x, y)| x == y).count();
    match (left.get(same), right.get(same)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(x), Some(y)) if x.is_ascii() && y.is_ascii() => {
            differ(a, b, same, char::from(*x), char::from(*y))
        }
        _ => {
            // The bytes may differ inside a character; it starts at the same byte in both.
            let start = (0..=same)
                .rev()
                .find(|&i| a.is_char_boundary(i))
                .unwrap_or(0);
            match (a[start..].chars().next(), b[start..].chars().next()) {
                (Some(x), Some(y)) => differ(a, b, start, x, y),
                (x, y) => x.cmp(&y),
            }
        }
    }
}

fn differ(a: &str, b: &str, at: usize, x: char, y: char) -> Ordering {
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Where one run starts with a zero, a digit before it makes both runs longer numbers.
    let seed = i64::from((x == '0' || y == '0') && follows_number(&a[..at]));
    let (left, left_length) = digit_run(&a[at..], seed);
    let (right, right_length) = digit_run(&b[at..], seed);
    left.cmp(&right)
        .then(left_length.cmp(&right_length))
        .then(x.cmp(&y))
}

/// Whether a text ends in digits of which one is not zero.
fn follows_number(text: &str) -> bool {
    text.chars()
        .rev()
        .take_while(|&c| is_digit(c))
        .any(|c| c != '0')
}

/// The value of the digits a text starts with, and their number. It wraps, as Go's `int64` does.
fn digit_run(text: &str, seed: i64) -> (i64, usize) {
    text.chars()
        .take_while(|&c| is_digit(c))
        .fold((seed, 0), |(value, length), c| {
            let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
            (value.wrapping_mul(10).wrapping_add(digit), length + 1)
        })
}

fn is_letter(c: char) -> bool {
    static LETTER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\p{L}$").expect("the pattern is a constant"));
    c.is_ascii_alphabetic() || !c.is_ascii() && LETTER.is_match(c.encode_utf8(&mut [0; 4]))
}

fn is_digit(c: char) -> bool {
    static DIGIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\p{Nd}$").expect("the pattern is a constant"));
    c.is_ascii_digit() || !c.is_ascii() && DIGIT.is_match(c.encode_utf8(&mut [0; 4]))
}

/// Sorts indices of keys by [`compare`], which need not be transitive. `scratch` is memory to reuse.
pub(super) fn sort<'a>(order: &mut [u32], scratch: &mut Vec<u32>, key: &impl Fn(u32) -> &'a str) {
    if order
        .windows(2)
        .all(|pair| compare(key(pair[0]), key(pair[1])).is_le())
    {
        return;
    }
    if order.len() <= 12 {
        return insertion_sort(order, key);
    }
    let (left, right) = order.split_at_mut(order.len() / 2);
    sort(left, scratch, key);
    sort(right, scratch, key);
    merge(order, scratch, key);
}

/// Finds two equal keys: the earlier and the later index. `order` is sorted, and may be reordered.
pub(super) fn duplicate<'a>(
    order: &mut [u32],
    key: &impl Fn(u32) -> &'a str,
) -> Option<(u32, u32)> {
    let equal = |order: &[u32]| {
        let pair = order.windows(2).find(|pair| key(pair[0]) == key(pair[1]))?;
        Some((pair[0].min(pair[1]), pair[0].max(pair[1])))
    };
    let has_digit = |index: &u32| key(*index).bytes().any(|b| b.is_ascii_digit() || b >= 0x80);
    if let Some(pair) = equal(order) {
        return Some(pair);
    }
    // Only among digits is the natural order not transitive, and equal keys may stand apart.
    if order.len() < 4 || !order.iter().any(has_digit) {
        return None;
    }
    order.sort_unstable_by_key(|&index| (key(index), index));
    equal(order)
}

fn insertion_sort<'a>(order: &mut [u32], key: &impl Fn(u32) -> &'a str) {
    for end in 1..order.len() {
        let mut at = end;
        while at > 0 && compare(key(order[at]), key(order[at - 1])).is_lt() {
            order.swap(at, at - 1);
            at -= 1;
        }
    }
}

fn merge<'a>(order: &mut [u32], scratch: &mut Vec<u32>, key: &impl Fn(u32) -> &'a str) {
    let middle = order.len() / 2;
    scratch.clear();
    scratch.extend_from_slice(&order[..middle]);
    let (mut left, mut right) = (0, middle);
    for slot in 0..order.len() {
        if left == scratch.len() {
            return;
        }
        if right < order.len() && compare(key(order[right]), key(scratch[left])).is_lt() {
            order[slot] = order[right];
            right += 1;
        } else {
            order[slot] = scratch[left];
            left += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(keys: &[&'static str]) -> Vec<&'static str> {
        let mut order: Vec<u32> = (0..u32::try_from(keys.len()).unwrap()).collect();
        sort(&mut order, &mut Vec::new(), &|i| keys[i as usize]);
        order.into_iter().map(|i| keys[i as usize]).collect()
    }

    #[test]
    fn natural_order() {
        let expected = [
            "_", "1", "2", "10", "A", "B", "a", "a b", "a-b", "a.b", "a/b", "a_b", "a1", "a9",
            "a10", "aB", "ab", "b1", "z", "é",
        ];
        let mut reversed = expected;
        reversed.reverse();
        assert_eq!(sorted(&reversed), expected);
        let mut rotated = expected;
        rotated.rotate_left(7);
        assert_eq!(sorted(&rotated), expected);
    }

    #[test]
    fn zeros_and_lengths() {
        for pair in [
            ["1", "01"],
            ["a1", "a01"],
            ["a2", "a10"],
            ["a100", "a101"],
            ["a10", "a100"],
            ["a0", "a00"],
            ["a-1", "a1"],
            ["é", "ê"],
            ["1é", "é"],
            ["٢", "٣"],
        ] {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }

    #[test]
    fn equal_keys_are_found_in_a_cycle_too() {
        let keys = ["2", "10", "1a", "2"];
        assert_eq!(
            duplicate(&mut [0, 1, 2, 3], &|i| keys[i as usize]),
            Some((0, 3))
        );
        let keys = ["a", "b", "b", "c"];
        assert_eq!(
            duplicate(&mut [0, 2, 1, 3], &|i| keys[i as usize]),
            Some((1, 2))
        );
        assert_eq!(duplicate(&mut [0, 1], &|i| keys[i as usize]), None);
    }

    #[test]
    fn a_cycle_is_sorted_somehow() {
        assert_eq!(sorted(&["10", "1a", "2"]).len(), 3);
        let many: Vec<&str> = ["10", "1a", "2"].into_iter().cycle().take(64).collect();
        assert_eq!(sorted(&many).len(), 64);
    }
}
