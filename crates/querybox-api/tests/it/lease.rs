//! A leased session to be tested.

use std::time::Duration;

use querybox_contracts::{
    core::v1::{
        self as pb, execute_in_session_response::Part, extend_deadline_request::Extension,
        open_session_request::Target, open_session_response::Outcome,
    },
    plugin::v1::{self as plugin, TransactionState, execute_response::Part as ResultPart},
};
use rustix::process::{Pid, Signal, kill_process};
use tonic::{Code, Status, Streaming};

use crate::house::{House, SHOP, check, ms, named, session_id, text};

pub(crate) struct Lease<'a> {
    house: &'a House,
    pub(crate) id: String,
    pub(crate) leased: pb::SessionLeased,
}

/// A request for a session on [`SHOP`].
pub(crate) fn on_shop() -> pb::OpenSessionRequest {
    pb::OpenSessionRequest {
        session_id: session_id(),
        target: named(SHOP).map(Target::Connection),
        ..pb::OpenSessionRequest::default()
    }
}

/// A request for a session on a driver whose only parameter is a wish; empty: none.
pub(crate) fn on_driver(driver_type: &str, wish: &str) -> pb::OpenSessionRequest {
    let parameters = if wish.is_empty() { Vec::new() } else { vec![text("wish", wish)] };
    let driver_type = driver_type.to_owned();
    let spec = pb::ConnectionSpec { driver_type, parameters, ..pb::ConnectionSpec::default() };
    pb::OpenSessionRequest { target: Some(Target::Unsaved(spec)), ..on_shop() }
}

/// An extension by so many milliseconds.
pub(crate) fn by(milliseconds: i32) -> Extension {
    Extension::By(ms(milliseconds))
}

pub(crate) const WITHOUT_END: Extension = Extension::None(pb::NoDeadline {});

impl House {
    /// Gives a session more time; what is left then.
    pub(crate) async fn extend(&self, id: &str, extension: Extension) -> Result<Option<Duration>, Status> {
        let request = pb::ExtendDeadlineRequest { session_id: id.to_owned(), extension: Some(extension) };
        let answer = self.sessions().extend_deadline(request).await?.into_inner();
        Ok(answer.remaining.map(|left| left.try_into().unwrap()))
    }

    pub(crate) async fn lease(&self) -> Lease<'_> {
        self.lease_with(on_shop()).await.unwrap()
    }

    pub(crate) async fn lease_with(&self, request: pb::OpenSessionRequest) -> Result<Lease<'_>, Status> {
        let id = request.session_id.clone();
        let response = self.sessions().open_session(request).await?.into_inner();
        let Some(Outcome::Leased(leased)) = response.outcome else { panic!("{response:?}") };
        Ok(Lease { house: self, id, leased })
    }

    pub(crate) async fn cancel(&self, id: &str) -> pb::CancelReceipt {
        let request = pb::CancelSessionRequest { session_id: id.to_owned() };
        self.sessions().cancel_session(request).await.unwrap().into_inner().receipt()
    }

    pub(crate) async fn close(&self, id: &str) -> Result<bool, Status> {
        let request = pb::CloseSessionRequest { session_id: id.to_owned() };
        Ok(self.sessions().close_session(request).await?.into_inner().transaction_lost)
    }
}

impl Lease<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.leased.session.as_ref().unwrap().driver_pid
    }

    pub(crate) fn kill_driver(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Begins a script.
    pub(crate) async fn begin(&self, sql: &str) -> Result<Running, Status> {
        self.begin_with(sql, pb::ExecuteOptions::default()).await
    }

    pub(crate) async fn begin_with(&self, sql: &str, options: pb::ExecuteOptions) -> Result<Running, Status> {
        let request = pb::ExecuteInSessionRequest {
            session_id: self.id.clone(),
            sql: sql.to_owned(),
            options: Some(options),
        };
        let stream = self.house.sessions().execute_in_session(request).await?.into_inner();
        Ok(Running { stream })
    }

    /// Runs a script that the database does not refuse.
    pub(crate) async fn execute(&self, sql: &str) -> Results {
        let (results, end) = self.begin(sql).await.unwrap().rest().await;
        end.unwrap();
        assert_eq!(results.rejections(), [""; 0], "{sql}");
        results
    }

    pub(crate) async fn cancel(&self) -> pb::CancelReceipt {
        self.house.cancel(&self.id).await
    }

    pub(crate) async fn close(&self) -> Result<bool, Status> {
        self.house.close(&self.id).await
    }

    /// Checks that the session has ended, and is said to.
    pub(crate) async fn check_ended(&self, cause: &str, transaction_lost: bool, message: &str) {
        let status = self.begin("select 1").await.err().unwrap();
        check(&status, Code::FailedPrecondition, "SESSION_ENDED", message);
        check_metadata(&status, "ENDED", Some(cause), transaction_lost);
    }
}

/// Checks what a status says of its session.
#[track_caller]
pub(crate) fn check_metadata(status: &Status, session: &str, cause: Option<&str>, transaction_lost: bool) {
    use tonic_types::StatusExt as _;
    let metadata = status.get_details_error_info().unwrap().metadata;
    let found = |name: &str| metadata.get(name).map(String::as_str);
    assert_eq!(
        (found("session"), found("cause"), found("transaction")),
        (Some(session), cause, transaction_lost.then_some("LOST")),
        "{status}"
    );
}

/// The running answer to a script.
#[derive(Debug)]
pub(crate) struct Running {
    stream: Streaming<pb::ExecuteInSessionResponse>,
}

/// What came of a script, without the parts that come when they come.
#[derive(Debug)]
pub(crate) struct Results(pub(crate) Vec<ResultPart>);

impl Running {
    pub(crate) async fn next(&mut self) -> Result<Option<ResultPart>, Status> {
        let Some(message) = self.stream.message().await? else { return Ok(None) };
        let Some(Part::Result(plugin::ExecuteResponse { part })) = message.part else { panic!("no part") };
        Ok(Some(part.unwrap()))
    }

    /// Reads to the first part that has a row.
    pub(crate) async fn first_row(&mut self) {
        while !matches!(self.next().await.unwrap(), Some(ResultPart::Batch(_))) {}
    }

    pub(crate) async fn rest(mut self) -> (Results, Result<(), Status>) {
        let mut parts = Vec::new();
        let end = loop {
            match self.next().await {
                Ok(Some(
                    ResultPart::Notice(_)
                    | ResultPart::Progress(_)
                    | ResultPart::ColumnFacts(_)
                    | ResultPart::CopyIn(_),
                )) => {}
                Ok(Some(part)) => parts.push(part),
                Ok(None) => break Ok(()),
                Err(status) => break Err(status),
            }
        };
        (Results(parts), end)
    }
}

impl Results {
    pub(crate) fn rows(&self) -> u64 {
        let rows = |part: &ResultPart| {
            if let ResultPart::Batch(batch) = part { u64::from(batch.row_count) } else { 0 }
        };
        self.0.iter().map(rows).sum()
    }

    /// The SQLSTATE of each refusal.
    pub(crate) fn rejections(&self) -> Vec<&str> {
        let mut codes = Vec::new();
        for part in &self.0 {
            if let ResultPart::Rejection(rejection) = part {
                codes.push(rejection.sqlstate.as_str());
            }
        }
        codes
    }

    /// As the last statement left it.
    pub(crate) fn transaction(&self) -> TransactionState {
        match self.0.last() {
            Some(ResultPart::Summary(summary)) => summary.transaction_state(),
            Some(ResultPart::Rejection(rejection)) => rejection.transaction_state(),
            other => panic!("{other:?}"),
        }
    }
}
