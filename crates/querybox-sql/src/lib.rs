//! Where a statement ends, what is a literal, where a parameter stands: SQL text read by the facts of a [`Dialect`].
//!
//! Nothing here parses SQL. A [lexer](lex) that accepts any text cuts it into [`Token`]s; the [splitter](split), the
//! [parameter finder](parameters) and the [redactor](redact) read those. Text that no database would accept is
//! cut all the same, so an editor can ask at every key press ([`outline`]), and all of it takes time linear in the text.
//!
//! ```
//! use querybox_sql::{Dialect, Marker, parameters, redact, split};
//!
//! let dialect = Dialect::postgres();
//! let script = "
//!     -- a comment; not a statement
//!     insert into note values ('it''s; one', $tag$ two; $tag$);
//!     create function half(n int) returns int begin atomic select n / 2; end;
//! ";
//! let statements = split(script, &dialect)?;
//! assert_eq!(statements.len(), 2);
//! assert_eq!(
//!     statements[1].text(script),
//!     "create function half(n int) returns int begin atomic select n / 2; end"
//! );
//! assert_eq!(redact("insert into note values ('it', $1, 7)", &dialect).as_deref(), Some("insert into note values (?, $1, ?)"));
//!
//! let found = parameters("select :name::text, ':none'", &dialect);
//! assert_eq!(found[0].marker, Marker::Named("name".to_owned()));
//! assert_eq!(found.len(), 1);
//! # Ok::<(), querybox_sql::SplitError>(())
//! ```
//!
//! All offsets are bytes of the text that was given, and lie between characters.
//!
//! This crate must not know protocols, connections or catalogs, and it is no security boundary: whether a statement
//! only reads is decided by the database, never here.

mod dialect;
mod lexer;
mod outline;
mod parameters;
mod redact;
mod rewrite;
mod splitter;
#[cfg(feature = "testkit")]
pub mod testkit;
mod token;

pub use dialect::{Backslashes, CompoundBodies, Dialect, DoubleQuotes, ParameterStyle};
pub use lexer::lex;
pub use outline::{
    Asked, AskedLimits, AskedParameters, Outlined, StatementKind, asked_parameters, outline, statement_at,
};
pub use parameters::{Marker, Parameter, parameters};
pub use redact::redact;
pub use rewrite::{NamedParameter, Rewritten, rewrite_named};
pub use splitter::{SplitError, Statement, split, split_from};
pub use token::{Token, TokenKind, Unterminated};
