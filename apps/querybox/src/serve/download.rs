//! Downloads: an export as a file, for a browser that shows a ticket instead of the token.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, stream};
use querybox_core::{Core, Download, ExportPart, ResultError};
use querybox_results::Exported;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::chain;

/// Where they are. What is in a query is in no log.
pub(super) const PATH: &str = "/download";

/// Downloads at once: a browser runs six.
const AT_ONCE_MAX: usize = 16;

/// What downloads need.
#[derive(Clone)]
pub(super) struct Downloads {
    core: Arc<Core>,
    places: Arc<Semaphore>,
}

impl Downloads {
    pub(super) fn new(core: Arc<Core>) -> Downloads {
        Downloads { core, places: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

/// Gives the file that a ticket is for.
pub(super) async fn give(State(downloads): State<Downloads>, method: Method, uri: Uri) -> Response {
    // Who only looks whether there is something would use the ticket up.
    if method != Method::GET {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "a download is asked for by GET");
    }
    let Ok(place) = Arc::clone(&downloads.places).try_acquire_owned() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "as many downloads run as may; try again");
    };
    let ticket = uri.query().and_then(|query| query.strip_prefix("ticket=")).unwrap_or_default();
    let download = match downloads.core.download(ticket) {
        Ok(Some(download)) => download,
        Ok(None) => return refused(StatusCode::NOT_FOUND, "the download is not to be had, or not any more"),
        Err(error @ ResultError::ExportsFull { .. }) => {
            return refused(StatusCode::SERVICE_UNAVAILABLE, &chain(&error));
        }
        Err(error) => return refused(StatusCode::GONE, &chain(&error)),
    };
    begin(download, place).await
}

/// Begins the answer once it is known that there is something to answer with.
async fn begin(download: Download, place: OwnedSemaphorePermit) -> Response {
    let Download { file_name, media_type, mut parts } = download;
    let first = match parts.next().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return refused(StatusCode::UNPROCESSABLE_ENTITY, &chain(&error)),
        None => return refused(StatusCode::INTERNAL_SERVER_ERROR, "nothing came"),
    };
    let rest = stream::once(async { Ok(first) }).chain(parts);
    let bytes = rest.filter_map(move |part| {
        // As long as there is a body.
        let _place = &place;
        std::future::ready(match part {
            Ok(ExportPart::Data(bytes)) => Some(Ok(bytes)),
            Ok(ExportPart::Progress(_)) => None,
            Ok(ExportPart::Done { exported, is_whole }) => {
                let Exported { rows, bytes, cells_cut, cells_undecodable, .. } = exported;
                let Exported { cells_left_out, cells_shortened, .. } = exported;
                let lost = cells_cut + cells_undecodable + cells_left_out + cells_shortened;
                tracing::info!(rows, bytes, cells_not_whole = lost, rows_are_all = is_whole, "downloaded");
                None
            }
            // The connection breaks off, and the browser says so: what it has is not the file.
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a download was broken off");
                Some(Err(error))
            }
        })
    });
    let mut response = Body::from_stream(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&file_name));
    protect(headers);
    response
}

fn refused(status: StatusCode, why: &str) -> Response {
    let mut response = (status, format!("{why}\n")).into_response();
    protect(response.headers_mut());
    response
}

/// What was data stays data, and is kept by nobody on the way.
fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A file to be kept, by its name: in ASCII for old readers, and as it is.
fn disposition(file_name: &str) -> HeaderValue {
    let plain = |c: char| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%') { c } else { '_' };
    let plain: String = file_name.chars().map(plain).collect();
    let mut value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in file_name.bytes() {
        // What RFC 8187 calls attr-char.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    HeaderValue::try_from(value).expect("it is of visible ASCII alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_two_forms_and_breaks_out_of_neither() {
        let check = |name: &str, expected: &str| {
            assert_eq!(disposition(name).to_str().unwrap(), format!("attachment; {expected}"), "{name}");
        };
        check("orders.csv", "filename=\"orders.csv\"; filename*=UTF-8''orders.csv");
        check("a b.csv", "filename=\"a b.csv\"; filename*=UTF-8''a%20b.csv");
        check("größe.csv", "filename=\"gr__e.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv");
        check(
            "a\"; x=\"b'\r\n%",
            "filename=\"a_; x=_b'___\"; filename*=UTF-8''a%22%3B%20x%3D%22b%27%0D%0A%25",
        );
    }
}
