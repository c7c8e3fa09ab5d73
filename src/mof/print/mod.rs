//! Declarations as MOF text, which compiles to the same declarations again.
//!
//! Only what a class declares itself is written: what is marked as inherited would be declared a
//! second time. Layout is a matter of this module alone; lines are about 80 columns wide.

mod declaration;
mod lines;
mod order;
mod shape;

pub use declaration::{Loss, Printer};
pub use order::dependency_order;
