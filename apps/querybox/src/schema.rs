//! `querybox schema`: what a connection's database holds, as a tree or as JSON.

pub(crate) mod ddl;
pub(crate) mod model;
pub(crate) mod tree;

use querybox_contracts::{
    core::v1::{self as core, get_schema_response::Part, schema_service_client::SchemaServiceClient},
    plugin::v1::{self as plugin, SchemaObjectKind as Kind},
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
    sanitize, secrets, stdout,
};

use model::Catalog;

/// Reads the catalog and prints it.
pub(crate) async fn run(args: SchemaArgs, app: &App) -> Result<Exit, Failure> {
    let connection = named(&args.connection);
    let credential = secrets::of_connection(app, &connection, &args.secret).await?;
    let request = core::GetSchemaRequest {
        session_id: Uuid::now_v7().to_string(),
        connection: Some(connection.clone()),
        schemas: args.schemas.clone(),
        name: args.relation.clone().unwrap_or_default(),
        name_pattern: args.like.clone().unwrap_or_default(),
        kinds: kinds(&args),
        include_system: args.system,
        include_sizes: args.sizes,
        credential: credential.clone(),
    };
    let client = SchemaServiceClient::new(app.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let Reading { catalog, rejection } = read(client.clone(), request).await?;
    if let Some(rejection) = rejection {
        return Ok(refused(app, &rejection));
    }
    if let Some(relation) = &args.relation
        && !catalog.has_relations()
    {
        return Err(Failure::usage(format!("{} has no table or view {relation}", args.connection)));
    }
    if args.ddl {
        let told = ddl::read(client, &connection, credential, ddl::objects(&catalog)).await?;
        if let Some(rejection) = told.rejection {
            return Ok(refused(app, &rejection));
        }
        if args.json.json {
            stdout::print_json(&told.statements)?;
        } else {
            let script = ddl::script(&told.statements);
            // A file gets what the database holds; a terminal would do what names and comments say.
            let is_terminal = app.messages.screen().stdout_is_terminal;
            stdout::print(&if is_terminal { sanitize::lines(&script) } else { script })?;
            if let Some(left_out) = ddl::left_out(&told.statements) {
                app.messages.note(&left_out);
            }
        }
        if !told.lost.is_empty() {
            app.messages.warn(&format!("not found again: {}", told.lost.join(", ")));
        }
    } else if args.json.json {
        stdout::print_json(&catalog)?;
    } else {
        stdout::print(&tree::draw(&catalog, app.messages.screen().stdout_paint))?;
    }
    Ok(Exit::Done)
}

/// The kinds that are asked for: what the database itself holds, unless others are named.
fn kinds(args: &SchemaArgs) -> Vec<i32> {
    let of_relation = [Kind::Relation, Kind::Column, Kind::Key, Kind::Index, Kind::Trigger, Kind::Policy];
    let by_themselves = [Kind::Sequence, Kind::Type, Kind::Routine, Kind::Extension];
    // Who wants the statements of some objects has their schema.
    let is_part = args.relation.is_some() || args.like.is_some();
    let schemas = (!(args.ddl && is_part)).then_some(Kind::Schema);
    let kinds: Vec<_> = match (&args.relation, args.kinds.as_slice()) {
        (Some(_), []) => schemas.into_iter().chain(of_relation).collect(),
        (None, []) => schemas.into_iter().chain(of_relation).chain(by_themselves).collect(),
        (_, kinds) => kinds.iter().map(|kind| kind.wire()).collect(),
    };
    kinds.into_iter().map(i32::from).collect()
}

fn refused(app: &App, rejection: &plugin::Rejection) -> Exit {
    let screen = *app.messages.screen();
    app.messages.say(&rejection::describe(
        rejection,
        &Source::NONE,
        screen.stderr_width,
        screen.stderr_paint,
    ));
    Exit::Rejected
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
