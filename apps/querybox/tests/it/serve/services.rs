//! The services that tools look for: what there is to call, and whether it can be called.

use std::collections::BTreeSet;

use querybox_contracts::core::v1::POLICIES;
use rustix::process::Signal;
use tonic::{Request, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::server::{PATIENCE, Server};
use crate::house::{ENDLESS_SILENT, House, Running};

async fn dial(server: &Server) -> Channel {
    Channel::from_shared(server.url()).unwrap().connect().await.unwrap()
}

fn by_token<T>(server: &Server, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let shown = format!("Bearer {}", server.token).parse().unwrap();
    request.metadata_mut().insert("authorization", shown);
    request
}

async fn ask(channel: &Channel, server: &Server, what: MessageRequest) -> MessageResponse {
    let asked = ServerReflectionRequest { host: String::new(), message_request: Some(what) };
    let asked = by_token(server, futures::stream::iter([asked]));
    let mut answers = ServerReflectionClient::new(channel.clone())
        .server_reflection_info(asked)
        .await
        .unwrap()
        .into_inner();
    answers.message().await.unwrap().unwrap().message_response.unwrap()
}

#[tokio::test]
async fn reflection_tells_of_the_services_that_there_are_and_of_no_other() {
    let house = House::new();
    let server = Server::start(&house);
    let channel = dial(&server).await;
    let MessageResponse::ListServicesResponse(listed) =
        ask(&channel, &server, MessageRequest::ListServices(String::new())).await
    else {
        panic!("services were asked for")
    };
    let told: BTreeSet<String> = listed.service.into_iter().map(|service| service.name).collect();
    let mut there: BTreeSet<String> =
        POLICIES.iter().map(|(path, _)| path.split('/').nth(1).unwrap().to_owned()).collect();
    there.insert("grpc.health.v1.Health".to_owned());
    assert_eq!(told, there);
    for service in &told {
        let asked = MessageRequest::FileContainingSymbol(service.clone());
        let answer = ask(&channel, &server, asked).await;
        let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{service}: {answer:?}") };
        assert!(!files.file_descriptor_proto.is_empty(), "{service}");
    }
}

#[tokio::test]
async fn health_is_told_until_the_server_takes_no_new_work() {
    let house = House::new();
    let server = Server::run(house.command(["serve", "--listen", "127.0.0.1:0", "--drain", "10m"]), &house);
    let url = server.url();
    let args = ["query", "shop", ENDLESS_SILENT, "--deadline", "none", "--verbose", "--server", &url];
    let query = Running::start(house.command(args));
    let mut health = HealthClient::new(dial(&server).await);
    let mut status = async || {
        // Who asks whether it is well needs no token.
        let asked = HealthCheckRequest { service: String::new() };
        health.check(asked).await.unwrap().into_inner().status()
    };
    assert_eq!(status().await, ServingStatus::Serving);
    server.signal(Signal::TERM);
    let end = tokio::time::Instant::now() + PATIENCE;
    while status().await != ServingStatus::NotServing {
        assert!(tokio::time::Instant::now() < end, "a server that ends says so");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // What runs goes on meanwhile; told again, it ends at once.
    server.signal(Signal::TERM);
    server.end(&house).exits(130);
    assert_ne!(query.end().0, 0);
}
