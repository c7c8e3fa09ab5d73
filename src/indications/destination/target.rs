//! The URL of a destination, taken apart.

use thiserror::Error;

/// Ports that a URL without one means (DSP0200 1.4 §6.1).
const HTTP_PORT: u16 = 5988;
const HTTPS_PORT: u16 = 5989;
/// Longest URL.
const URL_LIMIT_BYTES: usize = 2048;

/// Where an HTTP destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection is under TLS.
    pub secure: bool,
    /// The host: a name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path with its query, from the slash on.
    pub path: String,
}

/// A text that is no URL of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{text}\" is no URL of a destination: {what}")]
pub struct TargetError {
    text: String,
    what: &'static str,
}

impl Target {
    /// Takes `text` apart. Without a scheme it means http.
    pub fn new(text: &str) -> Result<Self, TargetError> {
        let wrong = |what| TargetError {
            text: text.chars().take(100).collect(),
            what,
        };
        if text.len() > URL_LIMIT_BYTES {
            return Err(wrong("it is too long"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong("it has characters that a URL has not"));
        }
        let (secure, rest) =
            scheme(text).ok_or_else(|| wrong("its scheme is not http or https"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(wrong(
                "a user and a password stand in properties of their own",
            ));
        }
        let (host, port) = host_and_port(authority).ok_or_else(|| wrong("it names no host"))?;
        let port = match port {
            None if secure => HTTPS_PORT,
            None => HTTP_PORT,
            Some(port) => port.parse().map_err(|_| wrong("its port is no number"))?,
        };
        let path = path.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            secure,
            host: host.to_owned(),
            port,
            path: format!("{slash}{path}"),
        })
    }

    /// Host and port as `Host` has them.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

fn scheme(text: &str) -> Option<(bool, &str)> {
    let Some((scheme, rest)) = text.split_once("://") else {
        // `listener.example:5990/path` has no scheme; `mailto:somebody` has a wrong one.
        return Some((false, text));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some((false, rest)),
        "https" => Some((true, rest)),
        _ => None,
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(port),
        None if rest.is_empty() => None,
        None => return None,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |text: &str, secure, host: &str, port, path: &str| {
            let expected = Target {
                secure,
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            };
            assert_eq!(Target::new(text), Ok(expected), "{text}");
        };
        check("http://a.example", false, "a.example", 5988, "/");
        check("HTTPS://a.example/x?y#z", true, "a.example", 5989, "/x?y");
        check("http://127.0.0.1:5000/in", false, "127.0.0.1", 5000, "/in");
        check("127.0.0.1:5000", false, "127.0.0.1", 5000, "/");
        check("a.example/x", false, "a.example", 5988, "/x");
        check("http://[::1]:7/", false, "::1", 7, "/");
        check("http://a?x", false, "a", 5988, "/?x");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long = format!("http://{}", "a".repeat(URL_LIMIT_BYTES));
        let bad = [
            "",
            "http://",
            "file:///etc/passwd",
            "ftp://a",
            "mailto:a@b",
            "http://u:p@a/",
            "http://a:x",
            "http://a:70000",
            "http://[::1",
            "http://[::1]x",
            "http://a\n/",
            "http://a b",
            &long,
        ];
        for text in bad {
            assert!(Target::new(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn an_authority_has_brackets_where_it_needs_them() {
        let authority = |text| Target::new(text).map(|target| target.authority());
        assert_eq!(authority("http://[::1]:7/"), Ok("[::1]:7".to_owned()));
        assert_eq!(authority("http://a/"), Ok("a:5988".to_owned()));
    }
}
