//! Text in lines of a reasonable width.

use super::super::literal::quoted;
use super::shape::Shape;

/// Where lines end when there is a place to break them.
const WIDTH: usize = 80;
/// What may follow a value on its line: `),` or `)]`.
const TAIL: usize = 2;
/// The least that is left for a piece of a string, however deep it stands.
const PIECE: usize = 20;
/// Columns of one step of indentation.
pub(super) const STEP: usize = 4;

/// A text that grows line by line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    column: usize,
}

impl Lines {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds `text`, which has no line feed.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    /// Starts a line at column `indent`.
    pub(super) fn line(&mut self, indent: usize) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// Whether `text` and what may follow it fit into the current line.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.column + text.chars().count() + TAIL <= WIDTH
    }

    /// Adds `value` behind `open` and before `close`: in this line, or broken over lines at `indent`.
    pub(super) fn value(&mut self, open: &str, value: &Shape, close: &str, indent: usize) {
        if let Some(flat) = flat(value) {
            let flat = format!("{open}{flat}{close}");
            if self.fits(&flat) {
                self.put(&flat);
                return;
            }
        }
        self.put(open);
        match value {
            Shape::Token(token) => {
                self.line(indent);
                self.put(token);
            }
            Shape::Text(text) => self.string(text, indent),
            Shape::List(entries) => self.list(entries, indent),
        }
        self.put(close);
    }

    /// The entries of an array, as many in a line as fit; the braces are the caller's.
    fn list(&mut self, entries: &[Shape], indent: usize) {
        self.line(indent);
        for (at, entry) in entries.iter().enumerate() {
            let comma = if at + 1 < entries.len() { "," } else { "" };
            let flat = flat(entry).map(|flat| flat + comma);
            match (flat, entry) {
                (Some(flat), _) if self.fits(&flat) => self.put(&flat),
                (Some(flat), _) if flat.chars().count() + indent + TAIL <= WIDTH => {
                    self.line(indent);
                    self.put(&flat);
                }
                (_, Shape::Text(text)) => {
                    self.string(text, indent);
                    self.put(comma);
                }
                (_, Shape::Token(token)) => {
                    self.line(indent);
                    self.put(token);
                    self.put(comma);
                }
                // Arrays are never nested.
                (_, Shape::List(_)) => {}
            }
            if !comma.is_empty() {
                self.put(" ");
            }
        }
    }

    /// A string as literals of a line each, broken behind blanks and line feeds where there are any.
    fn string(&mut self, text: &str, indent: usize) {
        let room = WIDTH.saturating_sub(indent + TAIL).max(PIECE);
        for piece in pieces(text, room) {
            if self.column > indent {
                self.line(indent);
            }
            self.put(&quoted(piece));
        }
    }
}

/// A value in one line, without the braces of an array; `None` for one that can never fit.
pub(super) fn flat(value: &Shape) -> Option<String> {
    match value {
        Shape::Token(token) => Some(token.clone()),
        Shape::Text(text) => {
            let one_line = text.len() <= 4 * WIDTH && !text.trim_end_matches('\n').contains('\n');
            one_line.then(|| quoted(text))
        }
        Shape::List(entries) => {
            let entries: Option<Vec<_>> = entries.iter().map(flat).collect();
            entries.map(|entries| entries.join(", "))
        }
    }
}

/// `text` in pieces whose literals are at most `room` columns wide, at least one.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let end = piece(rest, room);
        let (first, behind) = rest.split_at(end);
        pieces.push(first);
        if behind.is_empty() {
            return pieces;
        }
        rest = behind;
    }
}

/// How many bytes of `text` go into a literal of at most `room` columns.
fn piece(text: &str, room: usize) -> usize {
    let mut width = "\"\"".len();
    let mut blank = None;
    for (at, c) in text.char_indices() {
        width += match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            c if c.is_control() => r"\x0000".len(),
            _ => 1,
        };
        if width > room {
            return blank.unwrap_or(at.max(c.len_utf8()));
        }
        let end = at + c.len_utf8();
        match c {
            '\n' => return end,
            ' ' => blank = Some(end),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_break_behind_blanks_and_line_feeds() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[""]),
            ("one two three", &["one two ", "three"]),
            ("one\ntwo", &["one\n", "two"]),
            ("unbreakable", &["unbreakabl", "e"]),
            ("\u{1}\u{2}", &["\u{1}", "\u{2}"]),
        ];
        for (text, want) in cases {
            assert_eq!(pieces(text, 12), want, "{text:?}");
        }
    }

    #[test]
    fn lists_are_filled() {
        let entry = |number: usize| Shape::token(format!("{number:030}"));
        let mut lines = Lines::default();
        lines.value("{", &Shape::List((0..3).map(entry).collect()), "}", 2);
        let zeros = "0".repeat(29);
        let want = format!("{{\n  {zeros}0, {zeros}1,\n  {zeros}2}}");
        assert_eq!(lines.into_text(), want);
    }
}
