//! Reading scripts for editors, by the facts of real drivers.

use querybox_contracts::core::v1::{self as pb, StatementKind, split_script_request::Cursor};
use tonic::{Code, Status};

use crate::house::{House, check};

fn of(driver_type: &str, text: &str) -> pb::SplitScriptRequest {
    pb::SplitScriptRequest {
        driver_type: driver_type.to_owned(),
        text: text.to_owned(),
        ..pb::SplitScriptRequest::default()
    }
}

impl House {
    async fn split(&self, request: pb::SplitScriptRequest) -> Result<pb::SplitScriptResponse, Status> {
        Ok(self.scripts().split_script(request).await?.into_inner())
    }
}

/// What an editor with strings of UTF-16 takes out of its text.
fn cut(text: &str, span: Option<pb::ScriptSpan>) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let span = span.unwrap();
    let cut = String::from_utf16(&units[span.start_utf16 as usize..span.end_utf16 as usize]).unwrap();
    assert_eq!(cut, text[span.start_byte as usize..span.end_byte as usize]);
    cut
}

#[tokio::test]
async fn each_driver_has_its_scripts_read_by_its_own_facts() {
    let house = House::new().await;
    house.add_postgres();
    let text = "select $a$ ; $a$, :é; create trigger t after insert on a begin select 1; end; \\d";
    let postgres = house.split(of("postgres", text)).await.unwrap();
    let texts: Vec<_> = postgres.statements.iter().map(|one| (cut(text, one.span), one.kind())).collect();
    let expected = [
        ("select $a$ ; $a$, :é", StatementKind::Query),
        ("create trigger t after insert on a begin select 1", StatementKind::Definition),
        ("end", StatementKind::Transaction),
        ("\\d", StatementKind::Command),
    ];
    assert_eq!(texts, expected.map(|(text, kind)| (text.to_owned(), kind)));
    assert_eq!(postgres.statement_count, 4);
    let [parameter] = postgres.statements[0].parameters.as_slice() else { panic!("{postgres:?}") };
    assert_eq!((parameter.name.as_str(), cut(text, parameter.span)), ("é", ":é".to_owned()));

    let sqlite = house.split(of("sqlite", &text[text.find("create").unwrap()..])).await.unwrap();
    assert_eq!(sqlite.statements.len(), 2, "{sqlite:?}");
    assert_eq!(sqlite.at_cursor, None);
}

#[tokio::test]
async fn the_statement_at_the_cursor_is_told_also_behind_those_that_are() {
    let house = House::new().await;
    let text = "select '🐘';\n".repeat(2000);
    let units = u32::try_from(text.encode_utf16().count()).unwrap();
    let request = pb::SplitScriptRequest {
        cursor: Some(Cursor::CursorUtf16(units - 1)),
        statements_max: 10,
        ..of("sqlite", &text)
    };
    let answer = house.split(request.clone()).await.unwrap();
    assert_eq!((answer.statements.len(), answer.statement_count), (10, 2000));
    let at_cursor = answer.at_cursor.unwrap();
    assert_eq!((at_cursor.statement, cut(&text, at_cursor.span)), (1999, "select '🐘'".to_owned()));
    let bytes = Cursor::CursorByte(u32::try_from(text.len()).unwrap() - 1);
    let again = house.split(pb::SplitScriptRequest { cursor: Some(bytes), ..request }).await.unwrap();
    assert_eq!(again.at_cursor, Some(at_cursor));
}

#[tokio::test]
async fn the_longest_text_is_read_and_a_longer_one_refused() {
    let house = House::new().await;
    let mut text = ";a".repeat(8 << 20);
    let longest = pb::SplitScriptRequest { statements_max: u32::MAX, ..of("sqlite", &text) };
    let answer = house.split(longest).await.unwrap();
    assert_eq!((answer.statements.len(), answer.statement_count), (10_000, 8 << 20));
    text.push(' ');
    let status = house.split(of("sqlite", &text)).await.unwrap_err();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "text is longer than 16777216 bytes");
    let status = house.split(of("cassandra", "")).await.unwrap_err();
    check(&status, Code::NotFound, "PLUGIN_NOT_FOUND", "there is no usable driver for cassandra");
    let status = house.split(of("", "")).await.unwrap_err();
    let message = "driver_type is not valid: \"\" is not a driver type: a small letter, then at most 63 small letters, digits \
                   and hyphens";
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
}

#[tokio::test]
async fn a_script_is_laid_out_as_its_driver_reads_it() {
    let house = House::new().await;
    house.add_postgres();
    let request = |driver_type: &str, text: &str| pb::FormatScriptRequest {
        driver_type: driver_type.to_owned(),
        text: text.to_owned(),
    };
    let script = "select   a from t where b = 'x  y';select   $a$ ; $a$, 'z";
    let format = async |request| -> Result<pb::FormatScriptResponse, Status> {
        Ok(house.scripts().format_script(request).await?.into_inner())
    };
    let formatted = format(request("postgres", script)).await.unwrap();
    assert_eq!(formatted.text, "select a\nfrom t\nwhere b = 'x  y';\n\nselect   $a$ ; $a$, 'z");
    assert_eq!(formatted.left_count, 1);
    assert_eq!(format(request("none", "")).await.unwrap_err().code(), Code::NotFound);
    let long = request("postgres", &" ".repeat((1 << 20) + 1));
    assert_eq!(format(long).await.unwrap_err().code(), Code::InvalidArgument);
}
