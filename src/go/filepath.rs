//! `filepath.Match` of Go's standard library (path/filepath/match.go, Go 1.26), on Unix.
//!
//! `*` is any run of characters but `/`, `?` one of them, `[a-z]` and `[^a-z]` a class, and `\` takes the next
//! character as it is. As in Go, a malformed pattern is an error only where the comparison reaches the fault or
//! the name ran out before it, so whoever reads a pattern checks it against the empty name first.

/// A pattern that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPattern;

/// Returns whether a name fits a pattern as a whole. Fails where the pattern is malformed.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut pattern, mut name) = (&pattern[..], &name[..]);
    while !pattern.is_empty() {
        let stars = pattern.iter().take_while(|c| **c == '*').count();
        let (chunk, rest) = chunk_of(&pattern[stars..]);
        pattern = rest;
        if stars > 0 && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        let matched = match_chunk(chunk, name)?;
        // The last chunk must use up the whole name; an earlier one leaves the rest to the star after it.
        if let Some(left) = matched.filter(|left| left.is_empty() || !pattern.is_empty()) {
            name = left;
            continue;
        }
        if stars > 0
            && let Some(left) = skip_to(chunk, name, pattern.is_empty())?
        {
            name = left;
            continue;
        }
        return check_rest(pattern).map(|()| false);
    }
    Ok(name.is_empty())
}

/// The part of a pattern up to its next star outside of a class, and the rest.
fn chunk_of(pattern: &[char]) -> (&[char], &[char]) {
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    pattern.split_at(at.min(pattern.len()))
}

/// What a star before a chunk may skip: the first later place of the name at which the chunk fits.
fn skip_to<'a>(
    chunk: &[char],
    name: &'a [char],
    is_last: bool,
) -> Result<Option<&'a [char]>, BadPattern> {
    for at in 0..name.len() {
        if name[at] == '/' {
            break;
        }
        match match_chunk(chunk, &name[at + 1..])? {
            Some(left) if is_last && !left.is_empty() => {}
            Some(left) => return Ok(Some(left)),
            None => {}
        }
    }
    Ok(None)
}

/// Fails where what is left of a pattern is malformed.
fn check_rest(mut pattern: &[char]) -> Result<(), BadPattern> {
    while !pattern.is_empty() {
        let stars = pattern.iter().take_while(|c| **c == '*').count();
        let (chunk, rest) = chunk_of(&pattern[stars..]);
        match_chunk(chunk, &[])?;
        pattern = rest;
    }
    Ok(())
}

/// The rest of a name after a chunk without stars; nothing where it does not fit.
fn match_chunk<'a>(
    mut chunk: &[char],
    mut name: &'a [char],
) -> Result<Option<&'a [char]>, BadPattern> {
    let mut failed = false;
    while let Some((first, rest)) = chunk.split_first() {
        failed = failed || name.is_empty();
        match first {
            '[' => {
                let next = name.first().copied().filter(|_| !failed);
                let (fits, after) = class(rest, next)?;
                failed = failed || !fits;
                chunk = after;
            }
            '?' => {
                failed = failed || name.first() == Some(&'/');
                chunk = rest;
            }
            '\\' => {
                let (literal, after) = rest.split_first().ok_or(BadPattern)?;
                failed = failed || name.first() != Some(literal);
                chunk = after;
            }
            literal => {
                failed = failed || name.first() != Some(literal);
                chunk = rest;
            }
        }
        if !failed {
            name = &name[1..];
        }
    }
    Ok((!failed).then_some(name))
}

/// Reads a class after its `[`; returns whether the character is of it, and what follows the `]`.
fn class(pattern: &[char], next: Option<char>) -> Result<(bool, &[char]), BadPattern> {
    let is_negated = pattern.first() == Some(&'^');
    let mut rest = &pattern[usize::from(is_negated)..];
    let (mut fits, mut ranges) = (false, 0);
    loop {
        if rest.first() == Some(&']') && ranges > 0 {
            return Ok((next.is_some() && fits != is_negated, &rest[1..]));
        }
        let (low, after) = bound(rest)?;
        let (high, after) = match after.first() {
            Some('-') => bound(&after[1..])?,
            _ => (low, after),
        };
        fits = fits || next.is_some_and(|c| low <= c && c <= high);
        ranges += 1;
        rest = after;
    }
}

/// One character of a class. It may not be the last of the pattern.
fn bound(pattern: &[char]) -> Result<(char, &[char]), BadPattern> {
    let (bound, rest) = match pattern {
        [] | ['-' | ']', ..] => return Err(BadPattern),
        ['\\', escaped, rest @ ..] => (*escaped, rest),
        ['\\'] => return Err(BadPattern),
        [plain, rest @ ..] => (*plain, rest),
    };
    match rest.is_empty() {
        true => Err(BadPattern),
        false => Ok((bound, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::{BadPattern, matches};

    /// Rows of Go's own table of the behaviour (match_test.go), chosen for each branch.
    #[test]
    fn matches_as_go_does() {
        for (pattern, name, wanted) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[e-g]", "abc", Ok(false)),
            ("ab[^c]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("[-]", "-", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("a/b[", "x", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
            ("a?b", "a/b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("**", "abc", Ok(true)),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
