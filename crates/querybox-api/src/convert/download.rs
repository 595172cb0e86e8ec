//! Downloads: names of files, and tickets.

use querybox_contracts::core::v1 as pb;
use querybox_core::{Core, Token};
use querybox_results::ExportFormat;

use super::{InvalidField, time::span, unseen::is_unseen};

/// Browsers and file systems take 255 bytes, and number what is there already.
const FILE_NAME_BYTES_MAX: usize = 200;

/// The name of a file, which never leads out of a folder.
pub(crate) fn file_name(wanted: String, format: &ExportFormat) -> Result<String, InvalidField> {
    if wanted.is_empty() {
        return Ok(format!("result.{}", format.ending()));
    }
    let problem = if wanted.len() > FILE_NAME_BYTES_MAX {
        "is longer than 200 bytes"
    } else if wanted.contains(['/', '\\']) {
        "has a folder in it"
    } else if wanted.starts_with('.') || wanted.ends_with(['.', ' ']) {
        "begins or ends as no file should"
    } else if wanted.chars().any(is_unseen) {
        "has characters that nobody sees"
    } else {
        return Ok(wanted);
    };
    Err(InvalidField::new("file_name", problem))
}

pub(crate) fn download_message(
    ticket: &Token,
    file_name: String,
    is_whole: bool,
) -> pb::MakeDownloadResponse {
    pb::MakeDownloadResponse {
        // Whoever asks for a ticket is to have it.
        ticket: ticket.expose().to_owned(),
        good_for: Some(span(Core::TICKET_LIFE)),
        file_name,
        incomplete: !is_whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_it_is_or_refused() {
        let name = |wanted: &str| file_name(wanted.to_owned(), &ExportFormat::Parquet).ok();
        assert_eq!(name("").as_deref(), Some("result.parquet"));
        for wanted in ["orders.csv", "größe 2026 (1).xlsx", "x"] {
            assert_eq!(name(wanted).as_deref(), Some(wanted));
        }
        let long = "x".repeat(201);
        for wanted in
            ["../x", "a/b", "a\\b", ".profile", "x.", "a\r\nb", "a\u{202e}gpj.exe", "a\u{ad}b", &long]
        {
            assert_eq!(name(wanted), None, "{wanted:?}");
        }
    }
}
