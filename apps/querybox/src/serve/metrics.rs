//! What can be watched: numbers with closed sets of labels, none of them an id, a name or SQL.

mod classic;
mod happenings;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use querybox_api::Access;
use querybox_contracts::core::v1::POLICIES;
use querybox_core::Core;
use tonic::{Code, Status};

pub(super) use self::happenings::outcome_word;
use self::{
    classic::derive_classic,
    happenings::{Happenings, Levels},
};

/// Bounds of times in seconds: from what a local call takes to a query's deadline.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0];

/// The package whose rpcs are counted one by one.
const PACKAGE: &str = "/querybox.core.v1.";

/// The numbers of one server.
pub(super) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    answered: Histogram,
    calls_running: Gauge,
    levels: Levels,
    access: Arc<Access>,
    core: Arc<Core>,
}

/// An rpc and how its answer began.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rpc: &'static str,
    code: &'static str,
}

impl Metrics {
    /// The text format that every collector reads.
    pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    pub(super) fn new(core: Arc<Core>, access: Arc<Access>) -> Metrics {
        let mut registry = Registry::with_prefix("querybox");
        let calls = Family::<CallLabels, Counter>::default();
        registry.register(
            "api_calls",
            "Calls that were let in, by rpc and by the gRPC code that their answer began with; a stream that fails later began with OK",
            calls.clone(),
        );
        let answered = Histogram::new(SECONDS);
        registry.register(
            "api_answer_seconds",
            "Time until a call was answered, or its stream began",
            answered.clone(),
        );
        let happenings = Happenings::new(&mut registry);
        core.observe(move |happening| happenings.count(happening));
        let levels = Levels::new(&mut registry);
        let calls_running = Gauge::default();
        registry.register("api_calls_running", "Calls that run", calls_running.clone());
        let version = [("version".into(), env!("CARGO_PKG_VERSION").into())];
        let build = Gauge::<i64>::default();
        build.set(1);
        registry.sub_registry_with_labels(version.into_iter()).register(
            "build",
            "Which QueryBox it is",
            build,
        );
        Metrics { registry, calls, answered, calls_running, levels, access, core }
    }

    /// All numbers as they are now.
    pub(super) fn text(&self) -> String {
        self.calls_running.set(i64::try_from(self.access.calls_running()).unwrap_or(i64::MAX));
        self.levels.read(&self.core);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => derive_classic(&text),
            // A string takes everything.
            Err(std::fmt::Error) => String::new(),
        }
    }

    fn count(&self, rpc: &'static str, code: Code, time: Duration) {
        self.calls.get_or_create(&CallLabels { rpc, code: word(code) }).inc();
        self.answered.observe(time.as_secs_f64());
    }
}

/// Counts a call of an rpc. Everything else, as a page or a probe, is not counted.
pub(super) async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let Some(rpc) = rpc(request.uri().path()) else { return next.run(request).await };
    let begun = Instant::now();
    let response = next.run(request).await;
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    metrics.count(rpc, code, begun.elapsed());
    response
}

/// The label of an rpc that there is: whoever calls cannot make labels.
fn rpc(path: &str) -> Option<&'static str> {
    POLICIES.iter().find(|(rpc, _)| *rpc == path).and_then(|(rpc, _)| rpc.strip_prefix(PACKAGE))
}

fn word(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_of_a_closed_set() {
        assert_eq!(rpc("/querybox.core.v1.QueryService/Execute"), Some("QueryService/Execute"));
        for path in ["/", "/querybox.core.v1.QueryService/Executed", "/querybox.core.v1.X/Y", "/metrics"] {
            assert_eq!(rpc(path), None, "{path}");
        }
    }
}
