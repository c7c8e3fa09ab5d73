//! The name that somebody may have meant who wrote another one.

/// Words shorter than this are near everything.
const SHORTEST: usize = 3;
/// Words longer than this are not compared.
const LONGEST: usize = 64;

/// The one of `known` that is nearest to `word`, in any case; `None` when all are too different.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return None;
    }
    let limit = (length / 3).min(4);
    let word = word.to_lowercase();
    let distance = |other: &'a str| {
        let far = other.chars().count().abs_diff(length) > limit;
        let distance = (!far).then(|| strsim::osa_distance(&word, &other.to_lowercase()))?;
        (distance <= limit).then_some((distance, other))
    };
    let found = known.into_iter().filter_map(distance);
    found
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["string", "uint8", "uint16", "datetime"];
        let cases = [
            ("strin", Some("string")),
            ("STRNIG", Some("string")),
            ("uint6", Some("uint8")),
            ("datetimes", Some("datetime")),
            ("u8", None),
            ("boolean", None),
            ("", None),
        ];
        for (word, want) in cases {
            assert_eq!(nearest(word, known), want, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(65), ["x"]), None);
    }
}
