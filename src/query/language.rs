//! The query languages by the tokens that clients name them with.

use std::fmt;

use crate::model::{CimError, Status};

/// A query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// The WBEM query language, a subset of SQL without a specification of its own.
    Wql,
    /// The CIM query language (DSP0202 1.0).
    Cql,
    /// The filter query language of the pulled operations (DSP0212 1.0).
    Fql,
}

/// The names of the languages; the first of a language is what we call it.
const TOKENS: [(&str, Language); 4] = [
    ("WQL", Language::Wql),
    ("DMTF:CQL", Language::Cql),
    ("CIM:CQL", Language::Cql),
    ("DMTF:FQL", Language::Fql),
];

impl Language {
    /// The languages of whole queries, for ExecQuery, OpenQueryInstances and indication filters.
    pub const OF_QUERIES: [Self; 2] = [Self::Wql, Self::Cql];

    /// The language of whole queries that `token` names, in any case.
    ///
    /// # Errors
    /// `QUERY_LANGUAGE_NOT_SUPPORTED`, also for FQL, which filters and does not select.
    pub fn of_query(token: &str) -> Result<Self, CimError> {
        let known = Self::named(token).filter(|language| Self::OF_QUERIES.contains(language));
        known.ok_or_else(|| unsupported(token, &Self::OF_QUERIES))
    }

    /// The language of the filters of the pulled operations that `token` names, in any case.
    ///
    /// # Errors
    /// `QUERY_LANGUAGE_NOT_SUPPORTED`.
    pub fn of_filter(token: &str) -> Result<Self, CimError> {
        let known = Self::named(token).filter(|language| *language == Self::Fql);
        known.ok_or_else(|| unsupported(token, &[Self::Fql]))
    }

    fn named(token: &str) -> Option<Self> {
        let same = |(name, _): &&(&str, Self)| name.eq_ignore_ascii_case(token.trim());
        TOKENS.iter().find(same).map(|(_, language)| *language)
    }

    /// The language's canonical name.
    pub fn as_str(self) -> &'static str {
        let own = TOKENS.iter().find(|(_, language)| *language == self);
        own.map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn unsupported(token: &str, known: &[Language]) -> CimError {
    let shown: String = token.chars().take(64).collect();
    let known: Vec<&str> = known.iter().map(|language| language.as_str()).collect();
    let text = format!(
        "the query language \"{shown}\" is not known here; {} is",
        known.join(" or ")
    );
    CimError::new(Status::QueryLanguageNotSupported, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_taken_in_any_case_and_the_rest_is_status_14() {
        assert_eq!(Language::of_query("wql"), Ok(Language::Wql));
        assert_eq!(Language::of_query("cim:cql"), Ok(Language::Cql));
        assert_eq!(Language::of_filter("dmtf:fql"), Ok(Language::Fql));
        for bad in ["", "SQL", "DMTF:FQL", "DMTF:CQLT"] {
            let error = Language::of_query(bad).expect_err(bad);
            assert_eq!(error.status, Status::QueryLanguageNotSupported, "{bad}");
        }
        for bad in ["", "WQL", "DMTF:CQL"] {
            let error = Language::of_filter(bad).expect_err(bad);
            assert_eq!(error.status, Status::QueryLanguageNotSupported, "{bad}");
        }
        assert_eq!(Language::Cql.to_string(), "DMTF:CQL");
    }
}
