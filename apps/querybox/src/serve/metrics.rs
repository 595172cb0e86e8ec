//! What can be watched: numbers with closed sets of labels, none of them an id, a name or SQL.

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
use querybox_core::{Core, FinishedRun, Outcome};
use tonic::{Code, Status};

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
    sessions_running: Gauge,
    spares_ready: Gauge,
    access: Arc<Access>,
    core: Arc<Core>,
}

/// The numbers of runs, which Core tells of.
#[derive(Clone)]
struct Runs {
    ended: Family<RunLabels, Counter>,
    seconds: Family<DriverLabels, Histogram, fn() -> Histogram>,
    rows: Family<DriverLabels, Counter>,
    bytes: Family<DriverLabels, Counter>,
}

/// A driver, of those that are installed, and how a script ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    driver: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DriverLabels {
    driver: String,
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
        let runs = Runs::new(&mut registry);
        core.observe_runs(move |run| runs.count(run));
        let (calls_running, sessions_running) = (Gauge::default(), Gauge::default());
        registry.register("api_calls_running", "Calls that run", calls_running.clone());
        registry.register("sessions_running", "Sessions that run or are leased", sessions_running.clone());
        let spares_ready = Gauge::default();
        registry.register("spares_ready", "Drivers that wait to be needed", spares_ready.clone());
        let version = [("version".into(), env!("CARGO_PKG_VERSION").into())];
        let build = Gauge::<i64>::default();
        build.set(1);
        registry.sub_registry_with_labels(version.into_iter()).register(
            "build",
            "Which QueryBox it is",
            build,
        );
        Metrics { registry, calls, answered, calls_running, sessions_running, spares_ready, access, core }
    }

    /// All numbers as they are now.
    pub(super) fn text(&self) -> String {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.calls_running.set(count(self.access.calls_running()));
        self.sessions_running.set(count(self.core.running_sessions().len()));
        self.spares_ready.set(count(self.core.spare_counts().ready));
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

impl Runs {
    fn new(registry: &mut Registry) -> Runs {
        let runs = Runs {
            ended: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            rows: Family::default(),
            bytes: Family::default(),
        };
        registry.register("runs", "Scripts that ended, by driver and outcome", runs.ended.clone());
        registry.register("run_seconds", "Time from a script's request to its end", runs.seconds.clone());
        registry.register("run_rows", "Rows that scripts returned", runs.rows.clone());
        registry.register("run_bytes", "Bytes of results that scripts returned", runs.bytes.clone());
        runs
    }

    fn count(&self, run: &FinishedRun) {
        let outcome = match run.outcome {
            Outcome::Done => "done",
            Outcome::Rejected => "rejected",
            Outcome::Failed => "failed",
            Outcome::Limited => "limited",
            Outcome::Canceled => "canceled",
        };
        let driver = run.driver_type.to_string();
        self.ended.get_or_create(&RunLabels { driver: driver.clone(), outcome }).inc();
        let labels = DriverLabels { driver };
        self.seconds.get_or_create(&labels).observe(run.duration.as_secs_f64());
        self.rows.get_or_create(&labels).inc_by(run.rows);
        self.bytes.get_or_create(&labels).inc_by(run.bytes);
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

/// The text format before OpenMetrics, in which a counter's own name ends in `_total`, and there is no end mark.
fn derive_classic(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind), Some(name), Some(rest)) if counters.contains(&name) => {
                classic.push_str(&format!("# {kind} {name}_total {rest}"));
            }
            _ => classic.push_str(line),
        }
        classic.push('\n');
    }
    classic
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

    #[test]
    fn a_counter_goes_by_its_samples_name() {
        let mut registry = Registry::with_prefix("qb");
        let counter: Counter = Counter::default();
        registry.register("runs", "How many ran", counter.clone());
        counter.inc();
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert_eq!(
            derive_classic(&text),
            "# HELP qb_runs_total How many ran.\n# TYPE qb_runs_total counter\nqb_runs_total 1\n"
        );
    }
}
