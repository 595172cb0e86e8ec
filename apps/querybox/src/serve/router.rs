//! What is to be found under which path.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{any, get},
};
use querybox_api::{Access, Api, Guard, GuardLayer};
use querybox_contracts::{DESCRIPTORS, core::v1::POLICIES};
use querybox_core::Core;
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_web::GrpcWebLayer;
use tower::Layer;

use super::{
    download::{self, Downloads},
    metrics::{self, Metrics},
    ui,
};

/// Paths that need no token: they tell nothing of what the server keeps, or want a ticket.
pub(super) static OPEN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    ["/", "/healthz", "/readyz", download::PATH].into_iter().chain(ui::PATHS.iter().copied()).collect()
});

/// All that the server offers, behind the guard.
pub(super) type Offer = Guard<Router>;

/// Whether new work is taken.
#[derive(Clone)]
pub(super) struct Readiness {
    takes_work: Arc<AtomicBool>,
    health: HealthReporter,
}

impl Readiness {
    /// From now on the server says that it takes none.
    pub(super) async fn end(&self) {
        self.takes_work.store(false, Ordering::Relaxed);
        // The empty name is the whole server's.
        self.health.set_service_status("", ServingStatus::NotServing).await;
    }
}

/// Puts the offer together.
pub(super) fn offer(core: Arc<Core>, access: Arc<Access>) -> (Offer, Readiness) {
    let metrics = Arc::new(Metrics::new(Arc::clone(&core), Arc::clone(&access)));
    let (health, health_service) = tonic_health::server::health_reporter();
    let takes_work = Arc::new(AtomicBool::new(true));
    let readiness = Readiness { takes_work: Arc::clone(&takes_work), health };
    let downloads = Downloads::new(Arc::clone(&core));
    let grpc = Api::routes(core, Arc::clone(&access))
        .add_service(health_service)
        .add_service(reflection())
        .into_axum_router()
        .layer(GrpcWebLayer::new());
    let shown = Shown { takes_work, metrics: Arc::clone(&metrics) };
    let router = ui::PATHS
        .iter()
        .fold(Router::new().route("/", get(file)), |router, path| router.route(path, get(file)))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/metrics", get(numbers))
        .with_state(shown)
        .route(download::PATH, any(download::give).with_state(downloads))
        .fallback_service(grpc)
        .layer(axum::middleware::from_fn_with_state(metrics, metrics::count));
    (GuardLayer::new(access).layer(router), readiness)
}

/// What the paths show that are no rpc's.
#[derive(Clone)]
struct Shown {
    takes_work: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

/// A file of the web interface.
async fn file(path: Uri, asked: HeaderMap) -> impl IntoResponse {
    ui::answer(path.path(), &asked)
}

async fn healthy() -> &'static str {
    "ok\n"
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    match shown.takes_work.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
    }
}

async fn numbers(State(shown): State<Shown>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], shown.metrics.text())
}

/// What the server tells of its own services.
fn reflection()
-> tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection> {
    let mut builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    // The contracts also have the service of drivers, which is none of a server's.
    let mut services: Vec<&str> = POLICIES.iter().filter_map(|(path, _)| path.split('/').nth(1)).collect();
    services.dedup();
    for service in services {
        builder = builder.with_service_name(service);
    }
    builder.with_service_name("grpc.health.v1.Health").build_v1().expect("the descriptors are of this build")
}
