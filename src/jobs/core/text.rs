//! Text that came from a process, made fit for CIM strings.

/// Longest text taken over from a process, in characters.
const LIMIT: usize = 1024;

/// `text` with characters that XML cannot carry replaced by U+FFFD, cut after 1024 characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(LIMIT)
        .map(|c| {
            if is_xml(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

/// `Char` of XML 1.0, §2.2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(
            printable("a\u{0}b\u{1b}[0m\tc\u{FFFF}"),
            "a\u{FFFD}b\u{FFFD}[0m\tc\u{FFFD}"
        );
        assert_eq!(printable(&"x".repeat(5000)).len(), 1024);
    }
}
