//! Diagnostics as text: message, file, line, column, and the line with its marks.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Note, Severity};
use super::source::{SourceFile, SourceMap, Span};

/// Lines longer than this are not shown.
const LINE_LIMIT_BYTES: usize = 2_000;
/// Spans of more lines are shown by their first ones.
const LINES_LIMIT: usize = 4;

/// A note that points into other texts than its diagnostic, in the same form.
pub fn render_note(note: &Note, sources: &SourceMap) -> String {
    let title = Level::NOTE.primary_title(&*note.message);
    let report = [place(Group::with_title(title), note.span, sources)];
    Renderer::plain()
        .decor_style(DecorStyle::Ascii)
        .render(&report)
}

/// `diagnostic` as several lines of plain text, without a line feed at the end.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(&*diagnostic.message)
        .id(diagnostic.code);
    let mut report = vec![place(Group::with_title(title), diagnostic.span, sources)];
    if let Some(note) = &diagnostic.note {
        let title = Level::NOTE.secondary_title(&*note.message);
        report.push(place(Group::with_title(title), note.span, sources));
    }
    if let Some(hint) = &diagnostic.hint {
        report.push(Group::with_title(Level::HELP.secondary_title(&**hint)));
    }
    Renderer::plain()
        .decor_style(DecorStyle::Ascii)
        .render(&report)
}

/// Adds the place `span` to `group`: with its line, or only by number where the line is too long.
fn place<'a>(group: Group<'a>, span: Span, sources: &'a SourceMap) -> Group<'a> {
    let file = sources.file(span);
    let (line, shown, marked) = lines(file, span);
    if shown.lines().any(|line| line.len() > LINE_LIMIT_BYTES) {
        let at = file.position(span.start);
        let origin = Origin::path(&*file.name)
            .line(at.line)
            .char_column(at.column);
        return group.element(origin);
    }
    let snippet = Snippet::source(shown)
        .line_start(line + 1)
        .path(&*file.name)
        .annotation(AnnotationKind::Primary.span(marked));
    group.element(snippet)
}

/// The lines of `span`: the number of the first (from 0), their text, and the span in that text.
fn lines(file: &SourceFile, span: Span) -> (usize, &str, Range<usize>) {
    let first = file.line_of(span.start);
    let last = file.line_of(span.end).min(first + LINES_LIMIT - 1);
    let start = file.line_start(first);
    let text = &file.text[start..file.line_start(last + 1)];
    let offset = |at: u32| (at as usize - start).min(text.len());
    (first, text, offset(span.start)..offset(span.end))
}
