//! Patterns of `LIKE`, translated to an engine whose time is linear in the text.
//!
//! WQL: `%` any text, `_` one character, `[a-f]` one of a set, `[^a-f]` one outside it. CQL and FQL:
//! the regular expressions of DMTF, with `.`, sets, `* + ? {m,n}`, `|`, groups, `^`, `$` and `\`.
//! A pattern matches the whole text, with regard to case.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use super::error::Fault;
use super::language::Language;
use super::limits::{DEPTH_LIMIT, PATTERN_LIMIT_BYTES};

/// A pattern that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles `pattern` as `language` means it.
    pub fn new(pattern: &str, language: Language) -> Result<Self, Fault> {
        let translated = match language {
            Language::Wql => wildcards(pattern)?,
            Language::Cql | Language::Fql => regular(pattern)?,
        };
        let built = RegexBuilder::new(&format!(r"\A(?:{translated})\z"))
            .dot_matches_new_line(true)
            .size_limit(PATTERN_LIMIT_BYTES)
            .dfa_size_limit(PATTERN_LIMIT_BYTES)
            .nest_limit(u32::try_from(DEPTH_LIMIT).unwrap_or(u32::MAX))
            .build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Fault::PatternTooLarge,
            _ => Fault::Pattern("a group that does not end, or a repetition of nothing"),
        })
    }

    /// Whether the pattern matches all of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

type Rest<'a> = Peekable<Chars<'a>>;

fn wildcards(pattern: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '[' => {
                let set = set(&mut rest, false)?;
                out.push_str(&set);
            }
            other => literal(&mut out, other),
        }
    }
    Ok(out)
}

fn regular(pattern: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next();
                literal(
                    &mut out,
                    escaped.ok_or(Fault::Pattern("a backslash at its end"))?,
                );
            }
            '[' => {
                let set = set(&mut rest, true)?;
                out.push_str(&set);
            }
            '^' => out.push_str(r"\A"),
            '$' => out.push_str(r"\z"),
            '(' => group(&mut out, &mut rest)?,
            '{' => repetition(&mut out, &mut rest)?,
            '*' | '+' | '?' => once(&mut out, c, &mut rest)?,
            '.' | '|' | ')' => out.push(c),
            other => literal(&mut out, other),
        }
    }
    Ok(out)
}

/// What follows `(?` in the engine's own language has no meaning here.
fn group(out: &mut String, rest: &mut Rest<'_>) -> Result<(), Fault> {
    if matches!(rest.peek(), Some('*' | '+' | '?' | '{')) {
        return Err(Fault::Pattern("a repetition of nothing"));
    }
    out.push_str("(?:");
    Ok(())
}

/// Two repetitions in a row would mean something else to the engine (`a*?`, `a++`).
fn once(out: &mut String, repetition: char, rest: &mut Rest<'_>) -> Result<(), Fault> {
    out.push(repetition);
    if matches!(rest.peek(), Some('*' | '+' | '?' | '{')) {
        return Err(Fault::Pattern("a repetition of a repetition"));
    }
    Ok(())
}

/// `{m}`, `{m,}` or `{m,n}`; its brace is open.
fn repetition(out: &mut String, rest: &mut Rest<'_>) -> Result<(), Fault> {
    let mut inner = String::new();
    loop {
        match rest.next() {
            Some('}') => break,
            Some(c) if c.is_ascii_digit() || c == ',' => inner.push(c),
            _ => return Err(Fault::Pattern("{m}, {m,} or {m,n} repeats")),
        }
    }
    let (low, high) = inner.split_once(',').unwrap_or((&inner, &inner));
    let bound = |text: &str| text.parse::<u32>().ok();
    let orderly = match (bound(low), bound(high)) {
        (Some(low), Some(high)) => low <= high,
        (Some(_), None) => high.is_empty(),
        (None, _) => false,
    };
    if !orderly {
        return Err(Fault::Pattern("{m}, {m,} or {m,n} repeats"));
    }
    out.push('{');
    out.push_str(&inner);
    once(out, '}', rest)
}

/// A set to its closing bracket. The complement is written `[^a-f]`, in DMTF's regular expressions
/// also `[a-f]^`.
fn set(rest: &mut Rest<'_>, regular: bool) -> Result<String, Fault> {
    let mut negated = rest.next_if_eq(&'^').is_some();
    let mut members = String::new();
    let mut empty = true;
    loop {
        let c = rest
            .next()
            .ok_or(Fault::Pattern("a set that does not end"))?;
        if c == ']' && !empty {
            break;
        }
        empty = false;
        let low = member(c, rest, regular)?;
        literal(&mut members, low);
        let mut ahead = rest.clone();
        if ahead.next() == Some('-') && ahead.peek().is_some_and(|next| *next != ']') {
            rest.next();
            let high = rest.next().map(|c| member(c, rest, regular)).transpose()?;
            let high = high.filter(|high| low <= *high);
            members.push('-');
            literal(
                &mut members,
                high.ok_or(Fault::Pattern("a range that runs backwards"))?,
            );
        }
    }
    negated |= regular && rest.next_if_eq(&'^').is_some();
    let complement = if negated { "^" } else { "" };
    Ok(format!("[{complement}{members}]"))
}

fn member(c: char, rest: &mut Rest<'_>, regular: bool) -> Result<char, Fault> {
    if c == '\\' && regular {
        return rest.next().ok_or(Fault::Pattern("a set that does not end"));
    }
    Ok(c)
}

/// Every character that means something to the engine is ASCII punctuation.
fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, pattern: &str, good: &[&str], bad: &[&str]) {
        let compiled =
            Pattern::new(pattern, language).unwrap_or_else(|fault| panic!("{pattern}: {fault}"));
        for text in good {
            assert!(compiled.matches(text), "{pattern} did not match {text:?}");
        }
        for text in bad {
            assert!(!compiled.matches(text), "{pattern} matched {text:?}");
        }
    }

    #[test]
    fn wildcards_of_wql() {
        let wql = |pattern, good, bad| check(Language::Wql, pattern, good, bad);
        wql(
            "back%",
            &["back", "backup", "back\nup"],
            &["Backup", "a back"],
        );
        wql("b_ck", &["back", "b\u{e4}ck"], &["bck", "baack"]);
        wql("[a-f]x", &["ax", "fx"], &["gx", "x", "Ax"]);
        wql("[^a-f]x", &["gx", "-x"], &["ax", "x"]);
        wql("100[%]", &["100%"], &["100", "100x"]);
        wql("a.*(b)\\|", &["a.*(b)\\|"], &["axx(b)\\|"]);
        wql("", &[""], &["x"]);
        wql("[]]", &["]"], &["["]);
        wql("[a-]", &["a", "-"], &["b"]);
    }

    #[test]
    fn regular_expressions_of_dmtf() {
        for language in [Language::Cql, Language::Fql] {
            let dmtf = |pattern, good, bad| check(language, pattern, good, bad);
            dmtf("back.*", &["back", "backup"], &["Backup", "a back"]);
            dmtf(
                "SVPC0123|SVPC0124",
                &["SVPC0123", "SVPC0124"],
                &["SVPC01234", "SVPC0125"],
            );
            dmtf("a(b|c)+d?", &["ab", "abcbd"], &["ad", "a"]);
            dmtf("[0-9]{2,3}", &["12", "123"], &["1", "1234", "ab"]);
            dmtf("a{2}", &["aa"], &["a", "aaa"]);
            dmtf("a{2,}", &["aa", "aaaa"], &["a"]);
            dmtf("[ab]^c", &["xc"], &["ac", "bc"]);
            dmtf("[^ab]c", &["xc"], &["ac"]);
            dmtf(r"a\.b", &["a.b"], &["axb"]);
            dmtf(r"[\]a]", &["]", "a"], &["b"]);
            dmtf("^a$", &["a"], &["ba"]);
            dmtf(r"\d", &["d"], &["5"]);
            dmtf("[[:alpha:]]", &["a]", ":]"], &["b]", "a"]);
        }
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        for bad in [
            "(", ")", "a)", "*", "a**", "a*?", "(?i)a", "(*a)", "[a", "[]", "[z-a]", "\\", "a{",
            "a{x}", "a{3,2}", "a{,2}", "{2}", "a|*",
        ] {
            assert!(Pattern::new(bad, Language::Cql).is_err(), "{bad} was taken");
        }
        for bad in ["[a", "[]", "[z-a]", "["] {
            assert!(Pattern::new(bad, Language::Wql).is_err(), "{bad} was taken");
        }
        let large = Pattern::new("((a{100}){100}){100}", Language::Fql);
        assert_eq!(large.err(), Some(Fault::PatternTooLarge));
        let deep = "(".repeat(1000) + &")".repeat(1000);
        assert!(
            Pattern::new(&deep, Language::Fql).is_err(),
            "1000 groups were taken"
        );
    }
}
