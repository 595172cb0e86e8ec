//! The web interface: files that were built before this program, and lie in it.

use std::{borrow::Cow, sync::LazyLock};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What `web/` built last, before this program was built. Nothing when it never was.
#[derive(rust_embed::Embed)]
#[folder = "../../web/dist"]
struct Files;

/// Where the files of the interface lie among those that are built in.
const FOLDER: &str = "ui/";
/// Beside a file, the same in fewer bytes.
const COMPRESSED: &str = ".br";
/// What the server shows without an interface.
const PLAIN_PAGE: &str = include_str!("page.html");

/// For every page: nothing of others, nothing inline, in no frame.
const PAGE_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The paths of the interface, beside `/`. Anyone may have them: they are the same in every copy of the program.
pub(super) static PATHS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    Files::iter()
        .filter(|name| !name.ends_with(COMPRESSED))
        .filter_map(|name| Some(format!("/{}", name.strip_prefix(FOLDER)?)))
        // Made once, and told as long as the program runs.
        .map(|path| &*path.leak())
        .collect()
});

/// Answers with the file of a path; `/` has the page.
pub(super) fn answer(path: &str, asked: &HeaderMap) -> Response {
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    let Some(file) = Files::get(&format!("{FOLDER}{name}")) else {
        return match path {
            "/" => page(Body::from(PLAIN_PAGE)),
            _ => StatusCode::NOT_FOUND.into_response(),
        };
    };
    let tag = tag_of(&file.metadata.sha256_hash());
    if asked.get_all(header::IF_NONE_MATCH).iter().any(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let smaller = takes_brotli(asked).then(|| Files::get(&format!("{FOLDER}{name}{COMPRESSED}"))).flatten();
    let mut response = page(body_of(smaller.as_ref().unwrap_or(&file).data.clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(type_of(name)));
    headers.insert(header::ETAG, tag);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching_of(name)));
    if smaller.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn page(body: Body) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (PAGE_HEADERS, kind, body).into_response()
}

fn body_of(data: Cow<'static, [u8]>) -> Body {
    match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    }
}

/// A name below `assets/` has the hash of its content in it; all else is asked for again, and answered by its tag.
fn caching_of(name: &str) -> &'static str {
    if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn takes_brotli(asked: &HeaderMap) -> bool {
    let lists = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|word| word.trim().eq_ignore_ascii_case("br"))
}

/// The first half of the hash: two files of one name never share it. It is weak, for it is the same for a file as it is and for its
/// smaller form.
fn tag_of(hash: &[u8; 32]) -> HeaderValue {
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("W/\"{digits}\"")).expect("hexadecimal digits are fit for a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn brotli_is_sent_to_those_who_ask_for_it() {
        assert!(takes_brotli(&asking(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")));
        assert!(!takes_brotli(&asking(header::ACCEPT_ENCODING, "gzip, brotli")));
        assert!(!takes_brotli(&HeaderMap::new()));
    }

    #[test]
    fn names_with_a_hash_are_kept_for_ever_and_others_are_asked_for_again() {
        assert!(caching_of("assets/index-a1.js").contains("immutable"));
        assert_eq!(caching_of("index.html"), "no-cache");
    }

    #[test]
    fn a_page_is_there_whether_an_interface_was_built_or_not() {
        let response = answer("/", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
        assert!(policy.to_str().unwrap().starts_with("default-src 'none'"), "{policy:?}");
    }

    #[test]
    fn whoever_has_the_page_is_told_so() {
        let first = answer("/", &HeaderMap::new());
        // The plain page has no tag: it says that something is to be built.
        if let Some(tag) = first.headers().get(header::ETAG) {
            let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag.clone())]);
            assert_eq!(answer("/", &known).status(), StatusCode::NOT_MODIFIED);
        }
    }

    #[test]
    fn what_is_not_built_in_is_not_there() {
        assert_eq!(answer("/assets/../../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
        assert_eq!(answer("/.gitignore", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
