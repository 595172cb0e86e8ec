//! `querybox link`: a new link to a server that runs.

use querybox_contracts::core::v1::{MakeCodeRequest, access_service_client::AccessServiceClient};

use crate::{app::App, exit::Exit, failure::Failure, serve, stdout};

/// Prints a link that lets one browser in.
pub(crate) async fn run(app: &App) -> Result<Exit, Failure> {
    let server =
        app.server.as_ref().expect("whoever asks for a link has named a server, or its home has one");
    let mut client = AccessServiceClient::new(app.channel.clone());
    let made = client.make_code(MakeCodeRequest {}).await?.into_inner();
    stdout::print(&format!("{}\n", serve::link(&server.to_string(), &made.code)))?;
    Ok(Exit::Done)
}
