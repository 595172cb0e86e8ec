//! Open, GetSchema, Cancel and TestConnection, answered with what the contract forbids.

use std::collections::HashMap;

use futures::stream;
use querybox_plugin::{
    ERROR_DOMAIN,
    pb::{self, TestStage, test_connection_response::Outcome},
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    lie::Parts,
    wish::{Wish, wishes},
};

wishes! {
    /// Which answer is wrong.
    CallsLie {
        /// Open answers with no outcome.
        OpenEmpty = "open-empty",
        /// Open fails without a reason.
        OpenFailsBare = "open-fails-bare",
        /// Open fails for a reason that the contract does not have.
        OpenFailsOddly = "open-fails-oddly",
        /// Cancel answers with no outcome.
        CancelEmpty = "cancel-empty",
        /// Cancel answers with an outcome that the contract does not have.
        CancelOdd = "cancel-odd",
        /// A part of the schema holds too many objects.
        SchemaTooMany = "schema-too-many",
        /// An object of the schema has no content.
        SchemaObjectEmpty = "schema-object-empty",
        /// More of the schema comes after a Rejection.
        SchemaAfterRejection = "schema-after-rejection",
        /// The schema has no end.
        SchemaEndless = "schema-endless",
        /// A part of the statements holds too many objects.
        DdlTooMany = "ddl-too-many",
        /// Statements of nothing.
        DdlObjectEmpty = "ddl-object-empty",
        /// More statements come after a Rejection.
        DdlAfterRejection = "ddl-after-rejection",
        /// The statements have no end.
        DdlEndless = "ddl-endless",
        /// A stage of a test has no outcome.
        TestOutcomeMissing = "test-outcome-missing",
        /// The stages of a test go backwards.
        TestBackwards = "test-backwards",
        /// A stage of a test comes twice.
        TestRepeats = "test-repeats",
        /// A stage comes after one that failed.
        TestAfterFailure = "test-after-failure",
        /// A stage fails for a reason that the contract does not have.
        TestFailsOddly = "test-fails-oddly",
        /// A stage that only Core can tell of.
        TestForeignStage = "test-foreign-stage",
    }
}

pub(crate) fn open(wish: Wish) -> Result<pb::OpenResponse, Status> {
    match wish {
        Wish::Calls(CallsLie::OpenEmpty) => Ok(pb::OpenResponse { outcome: None }),
        Wish::Calls(CallsLie::OpenFailsBare) => Err(Status::new(Code::DataLoss, "\u{1b}[2Jbad luck")),
        Wish::Calls(CallsLie::OpenFailsOddly) => {
            let details = ErrorDetails::with_error_info("BAD_LUCK", ERROR_DOMAIN, HashMap::new());
            Err(Status::with_error_details(Code::Unavailable, "bad luck", details))
        }
        _ => {
            let opened = pb::Opened { server: None, ..pb::Opened::default() };
            Ok(pb::OpenResponse { outcome: Some(pb::open_response::Outcome::Opened(opened)) })
        }
    }
}

pub(crate) fn cancel(wish: Wish) -> pb::CancelResponse {
    let outcome = match wish {
        Wish::Calls(CallsLie::CancelEmpty) => 0,
        Wish::Calls(CallsLie::CancelOdd) => 99,
        _ => pb::CancelOutcome::Requested.into(),
    };
    pb::CancelResponse { outcome }
}

pub(crate) fn schema(wish: Wish) -> Parts<pb::GetSchemaResponse> {
    let object = || {
        let schema = pb::Schema { name: "main".to_owned(), ..pb::Schema::default() };
        pb::SchemaObject { object: Some(pb::schema_object::Object::Schema(schema)) }
    };
    let part = move |count| pb::GetSchemaResponse { objects: vec![object(); count], rejection: None };
    let parts = match wish {
        Wish::Calls(CallsLie::SchemaTooMany) => vec![part(1001)],
        Wish::Calls(CallsLie::SchemaObjectEmpty) => {
            vec![pb::GetSchemaResponse { objects: vec![pb::SchemaObject { object: None }], rejection: None }]
        }
        Wish::Calls(CallsLie::SchemaAfterRejection) => {
            let rejection = Some(pb::Rejection { message: "refused".to_owned(), ..pb::Rejection::default() });
            vec![pb::GetSchemaResponse { rejection, ..part(1) }, part(1)]
        }
        Wish::Calls(CallsLie::SchemaEndless) => {
            return Box::pin(stream::repeat_with(move || Ok(part(1000))));
        }
        _ => vec![part(1)],
    };
    Box::pin(stream::iter(parts.into_iter().map(Ok)))
}

pub(crate) fn ddl(wish: Wish) -> Parts<pb::GetDdlResponse> {
    let found = || Some(pb::ObjectRef { name: "t".to_owned(), ..pb::ObjectRef::default() });
    let ddl = move || pb::Ddl { found: found(), sql: "make t;\n".to_owned(), ..pb::Ddl::default() };
    let part = move |count| pb::GetDdlResponse { ddl: vec![ddl(); count], rejection: None };
    let parts = match wish {
        Wish::Calls(CallsLie::DdlTooMany) => vec![part(1001)],
        Wish::Calls(CallsLie::DdlObjectEmpty) => {
            vec![pb::GetDdlResponse { ddl: vec![pb::Ddl { found: None, ..ddl() }], rejection: None }]
        }
        Wish::Calls(CallsLie::DdlAfterRejection) => {
            let rejection = Some(pb::Rejection { message: "refused".to_owned(), ..pb::Rejection::default() });
            vec![pb::GetDdlResponse { rejection, ..part(1) }, part(1)]
        }
        Wish::Calls(CallsLie::DdlEndless) => return Box::pin(stream::repeat_with(move || Ok(part(1000)))),
        _ => vec![part(1)],
    };
    Box::pin(stream::iter(parts.into_iter().map(Ok)))
}

pub(crate) fn test(wish: Wish) -> Parts<pb::TestConnectionResponse> {
    let Wish::Calls(lie) = wish else { return Box::pin(stream::empty()) };
    let stages = match lie {
        CallsLie::TestOutcomeMissing => vec![(TestStage::Dial, None)],
        CallsLie::TestBackwards => vec![(TestStage::Login, passed()), (TestStage::Dial, passed())],
        CallsLie::TestRepeats => vec![(TestStage::Dial, passed()), (TestStage::Dial, passed())],
        CallsLie::TestAfterFailure => {
            vec![(TestStage::Dial, failed("CONNECT_FAILED")), (TestStage::Login, passed())]
        }
        CallsLie::TestFailsOddly => vec![(TestStage::Dial, failed("BAD_LUCK"))],
        CallsLie::TestForeignStage => vec![(TestStage::DriverStart, passed())],
        _ => vec![(TestStage::Dial, passed())],
    };
    Box::pin(stream::iter(stages.into_iter().map(|(stage, outcome)| {
        Ok(pb::TestConnectionResponse {
            stage: stage.into(),
            outcome,
            ..pb::TestConnectionResponse::default()
        })
    })))
}

fn passed() -> Option<Outcome> {
    Some(Outcome::Passed(pb::TestPassed::default()))
}

fn failed(reason: &str) -> Option<Outcome> {
    Some(Outcome::Failed(pb::TestFailed { reason: reason.to_owned(), message: "no answer".to_owned() }))
}
