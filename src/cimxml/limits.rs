//! What a CIM-XML document may be before it is refused.

use super::headers::Agreement;

/// The limits of one document. No number can be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Elements inside each other.
    pub depth: usize,
    /// Elements in the document, those of embedded objects included.
    pub elements: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// `xmlns` attributes of one element.
    pub xmlns: usize,
    /// Bytes of one start tag.
    pub start_tag_bytes: usize,
    /// Bytes of an element's or attribute's name.
    pub name_bytes: usize,
    /// Bytes of one value's text.
    pub text_bytes: usize,
    /// Entries of one array.
    pub array_items: usize,
    /// Keys of one path: they are compared with each other.
    pub keys: usize,
    /// Parameters of one call.
    pub parameters: usize,
    /// References inside the keys of references.
    pub reference_nesting: usize,
    /// Embedded objects inside each other.
    pub embedded_objects: usize,
    /// Requests of one batch.
    pub batch: usize,
    /// Whether what clients are known to send is taken though the standard does not allow it.
    pub agreement: Agreement,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            elements: 2_000_000,
            attributes: 64,
            xmlns: 16,
            start_tag_bytes: 256 * 1024,
            name_bytes: 512,
            text_bytes: 8 * 1024 * 1024,
            array_items: 1_000_000,
            keys: 256,
            parameters: 1024,
            reference_nesting: 16,
            embedded_objects: 8,
            batch: 100,
            agreement: Agreement::default(),
        }
    }
}
