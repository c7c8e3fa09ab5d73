//! What a query may cost: its text comes from strangers.

/// Longest text of a query, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 64 * 1024;
/// How deep conditions and values may stand inside each other.
pub const DEPTH_LIMIT: usize = 128;
/// How many patterns of `LIKE` a query may have.
pub const PATTERNS_LIMIT: usize = 64;
/// Largest compiled form of one pattern, in bytes.
pub const PATTERN_LIMIT_BYTES: usize = 256 * 1024;
/// How deep `ANY` and `EVERY` may stand inside each other: each level multiplies the work.
pub const QUANTIFIERS_LIMIT: usize = 2;
/// Longest text that `||` and functions make of texts, in bytes; a longer one is NULL.
pub const RESULT_LIMIT_BYTES: usize = 1024 * 1024;
/// How many rows `ORDER BY` and `DISTINCT` may hold in memory for one query.
pub const HELD_ROWS_LIMIT: usize = 100_000;
