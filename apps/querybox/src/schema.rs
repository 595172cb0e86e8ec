//! `querybox schema`: what a connection's database holds, as a tree or as JSON.

pub(crate) mod model;
pub(crate) mod tree;

use querybox_contracts::{
    core::v1::{self as core, get_schema_response::Part, schema_service_client::SchemaServiceClient},
    plugin::v1 as plugin,
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    app::App,
    cli::SchemaArgs,
    composition::{Channel, MESSAGE_BYTES_MAX},
    connections::named,
    exit::Exit,
    failure::Failure,
    rejection::{self, Source},
    secrets, stdout,
};

use model::Catalog;

/// Reads the catalog and prints it.
pub(crate) async fn run(args: SchemaArgs, app: &App) -> Result<Exit, Failure> {
    let connection = named(&args.connection);
    let credential = secrets::of_connection(app, &connection, &args.secret).await?;
    let request = core::GetSchemaRequest {
        session_id: Uuid::now_v7().to_string(),
        connection: Some(connection),
        schemas: args.schemas,
        name: args.relation.clone().unwrap_or_default(),
        kinds: Vec::new(),
        include_system: args.system,
        credential,
        ..core::GetSchemaRequest::default()
    };
    let client = SchemaServiceClient::new(app.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let Reading { catalog, rejection } = read(client, request).await?;
    let screen = *app.messages.screen();
    if let Some(rejection) = rejection {
        let source = Source::NONE;
        app.messages.say(&rejection::describe(&rejection, &source, screen.stderr_width, screen.stderr_paint));
        return Ok(Exit::Rejected);
    }
    if let Some(relation) = &args.relation
        && !catalog.has_relations()
    {
        return Err(Failure::usage(format!("{} has no table or view {relation}", args.connection)));
    }
    if args.json.json {
        stdout::print_json(&catalog)?;
    } else {
        stdout::print(&tree::draw(&catalog, screen.stdout_paint))?;
    }
    Ok(Exit::Done)
}

/// What was read of a catalog.
pub(crate) struct Reading {
    pub catalog: Catalog,
    /// The database refused to tell more.
    pub rejection: Option<plugin::Rejection>,
}

/// Reads a catalog.
pub(crate) async fn read(
    mut client: SchemaServiceClient<Channel>,
    request: core::GetSchemaRequest,
) -> Result<Reading, Status> {
    let mut parts = client.get_schema(request).await?.into_inner();
    // Kept whole, because parents come before what belongs to them but not right before it. It is as large as the
    // catalog, whatever the tables hold.
    let mut catalog = Catalog::default();
    let mut rejection = None;
    while let Some(response) = parts.message().await? {
        match response.part {
            Some(Part::Objects(objects)) => {
                for object in objects.objects {
                    catalog.add(object);
                }
                rejection = rejection.or(objects.rejection);
            }
            Some(Part::Rejection(refusal)) => rejection = Some(refusal),
            None => {}
        }
    }
    Ok(Reading { catalog, rejection })
}
