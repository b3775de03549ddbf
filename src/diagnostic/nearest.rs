//! Finds the name that a mistyped one probably meant.

/// Returns the candidate that is nearest to `name`, when one is near enough to be worth saying.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    let scored = candidates.into_iter().map(|c| {
        (
            strsim::damerau_levenshtein(&name.to_lowercase(), &c.to_lowercase()),
            c,
        )
    });
    scored
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_typo_and_nothing_far() {
        assert_eq!(
            nearest("resuorces", ["resources", "patches"]),
            Some("resources")
        );
        assert_eq!(nearest("x", ["resources", "patches"]), None);
    }
}
